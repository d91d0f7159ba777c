"""Options of lists: what they ask the server for."""

from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
from tests.support.answering import Answering

from orchestrator_cli.client import ApiClient
from orchestrator_cli.context import Context
from orchestrator_cli.main import main


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    seen: list[dict[str, Any]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        query = parse_qs(request.url.query.decode())
        query.pop("limit", None)
        seen.append({"path": request.url.path.rpartition("/")[2], **query})
        return httpx.Response(200, json={"items": [], "next": None})

    monkeypatch.setattr(
        Context, "client", lambda _: ApiClient("http://s:1", "t", transport=Answering(answer))
    )
    monkeypatch.setenv("ORCHESTRATOR_PROJECT", "demo")
    monkeypatch.setenv("ORCHESTRATOR_URL", "http://s:1")
    return seen


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (
            "jobs list --status error --status warning --origin schedule --longer-than 5m --search db-7"
            " --since 2026-11-21T08:00:00Z --configuration orchestrator/daily",
            {
                "path": "jobs",
                "status": ["error", "warning"],
                "origin": ["schedule"],
                "longer_than_seconds": ["300"],
                "search": ["db-7"],
                "since": ["2026-11-21T08:00:00.000000Z"],
                "component": ["orchestrator"],
                "configuration": ["daily"],
            },
        ),
        ("jobs list", {"path": "jobs"}),
        ("jobs list --sort=-duration", {"path": "jobs", "sort": ["-duration"]}),
        ("orchestrations list", {"path": "orchestrations"}),
        (
            "orchestrations list --search x --disabled",
            {"path": "orchestrations", "search": ["x"], "enabled": ["false"]},
        ),
        (
            "configurations list --component c --search x",
            {"path": "configurations", "component": ["c"], "search": ["x"]},
        ),
        ("orchestrations list --sort=-name", {"path": "orchestrations", "sort": ["-name"]}),
        ("configurations list --sort name", {"path": "configurations", "sort": ["name"]}),
        ("orchestrations list --sort=-updated_at", {"path": "orchestrations", "sort": ["-updated_at"]}),
        ("buckets list --shared with_me", {"path": "buckets", "shared": ["with_me"]}),
        ("deliveries --orchestration daily", {"path": "deliveries", "orchestration": ["daily"]}),
    ],
)
def test_filters_are_passed_on(asked: list[dict[str, Any]], command: str, expected: dict[str, Any]) -> None:
    assert main(command.split()) == 0
    assert asked == [expected]


@pytest.mark.parametrize("option", ["--longer-than=5", "--longer-than=fast", "--since=yesterday"])
def test_wrong_times_are_refused(
    asked: list[dict[str, Any]], capsys: pytest.CaptureFixture[str], option: str
) -> None:
    assert main(["jobs", "list", option]) == 2
    assert option.partition("=")[2] in capsys.readouterr().err
    assert asked == []
