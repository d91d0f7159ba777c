"""Logs: one JSON pipeline for us and for libraries, secrets out first."""

import io
import json
import logging as stdlib_logging
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import structlog
from tests.support.logs import plain_logs

from orchestrator_shared import logging
from orchestrator_shared.domain.ids import new_id
from orchestrator_shared.domain.link_purposes import LinkPurpose
from orchestrator_shared.links import sign_link
from orchestrator_shared.settings import RuntimeSettings

Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[Lines]:
    output = io.StringIO()
    monkeypatch.setattr(sys, "stdout", output)
    root = stdlib_logging.getLogger()
    before = (root.handlers[:], root.level)
    logging.configure("test", RuntimeSettings(log_level="debug"))
    yield lambda: [json.loads(line) for line in output.getvalue().splitlines()]
    plain_logs()
    stdlib_logging.captureWarnings(False)
    root.handlers[:], level = before
    root.setLevel(level)


def test_a_line_has_its_event_fields_service_and_scope(lines: Lines) -> None:
    log = structlog.get_logger("here")
    with logging.scope(project="demo", job="42", run=None):
        log.info("job.started", attempt=1)
    log.info("after")
    first, second = lines()
    assert first["event"] == "job.started"
    assert (first["service"], first["project"], first["job"], first["attempt"]) == ("test", "demo", "42", 1)
    assert first["level"] == "info"
    assert first["timestamp"].endswith("Z")
    assert "run" not in first
    assert "project" not in second


def test_secrets_never_reach_the_output(lines: Lines) -> None:
    log = structlog.get_logger()
    log.info(
        "called with orcjob_eyJ0" + ".geheim" * 8,
        "signed in with orc_" + "0" * 32 + "_" + "geheim" * 8,
        password="geheim",
        parameters={"#key": "geheim", "deep": [{"api_key": "geheim"}], "user": "me"},
        url="amqp://me:geheim@host:5672/",
        headers={"Authorization": "Bearer geheim"},
        text="Authorization: Bearer geheimgeheim",
        token="geheim",
        token_id="shown",
    )
    try:
        raise ValueError("postgresql://me:geheim@host/x failed")
    except ValueError:
        log.exception("broke")
    stdlib_logging.getLogger("aiormq").error("cannot connect to %s", "amqp://me:geheim@host/")
    output = lines()
    assert "geheim" not in json.dumps(output)
    assert output[0]["parameters"] == {"#key": "***", "deep": [{"api_key": "***"}], "user": "me"}
    assert output[0]["token_id"] == "shown"
    assert "Traceback" in output[1]["exception"]
    assert output[2]["event"] == "cannot connect to amqp://me:***@host/"
    assert output[2]["service"] == "test"


def test_passwords_with_odd_characters_are_hidden() -> None:
    assert logging.clean_text("x postgresql://me:a@b:c@host/db y") == "x postgresql://me:***@host/db y"
    assert logging.clean_text("http://host:80/path") == "http://host:80/path"


def test_signed_links_are_hidden_wherever_they_stand(lines: Lines) -> None:
    link = sign_link(b"k" * 32, new_id(), LinkPurpose.INVITE, datetime.now(UTC) + timedelta(days=1))
    hidden = "GET https://o.example.com/links/*** HTTP/1.1"
    assert logging.clean_text(f"GET https://o.example.com/links/{link} HTTP/1.1") == hidden
    head, claims, _ = link.split(".")
    assert logging.clean_text(f"cut: {head}.{claims}.") == "cut: ***"
    assert logging.clean_text("heyJude.eyJ eyJ. x.eyJ.y") == "heyJude.eyJ eyJ. x.eyJ.y"
    with logging.scope(path=f"/links/{link}"):
        structlog.get_logger().info("request.failed")
    assert lines()[0]["path"] == "/links/***"


def test_what_cannot_be_written_as_json_is_written_as_text(lines: Lines) -> None:
    structlog.get_logger().info("odd", value=object(), keys={1: "x"})
    assert lines()[0]["event"] == "odd"


@pytest.mark.parametrize(("level", "shown"), [("info", False), ("debug", True)])
def test_libraries_do_not_log_again_the_outages_that_we_log(lines: Lines, level: str, shown: bool) -> None:
    logging._replace_handlers(stdlib_logging.getLogger().handlers[0], level.upper())
    stdlib_logging.getLogger("aiormq.connection").error("error when creating transport")
    stdlib_logging.getLogger("asyncpg.pool").warning("Failed to restore the pool connection floor")
    stdlib_logging.getLogger("uvicorn.error").warning("ours do not tell this")
    assert [line["level"] for line in lines()] == (["error", "warning", "warning"] if shown else ["warning"])
