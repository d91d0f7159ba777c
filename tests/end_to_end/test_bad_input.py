"""Bad input gets a clear error that names the field, and leaves nothing half done: by HTTP, YAML and AMQP."""

import json
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from tests.support.stack import PROJECT, Stack
from tests.support.waiting import eventually

from orchestrator_shared.contracts.message import COMMANDS, TABLE_UPDATES

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("stack")]

TABLE = "in.c-bad.input"
PLACE = "documents[1].phases[0].tasks[0].atempts"
KEY = f"table.updated.demo.{TABLE}"


@pytest_asyncio.fixture(autouse=True, loop_scope="session")
async def clean(stack: Stack) -> AsyncIterator[None]:
    """What one test leaves behind is no other test's finding."""
    yield
    for letter in await stack.dead_letters():
        await stack.person.call("DELETE", f"/v1/dead-letters/{letter['id']}")


def cloud_event(kind: str, data: Any, **more: Any) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": str(uuid4()),
        "source": "/test",
        "type": f"orchestrator.{kind}.v1",
        "data": data,
        **more,
    }


def updated(**data: Any) -> dict[str, Any]:
    return cloud_event("table.updated", {"project": PROJECT, "table": TABLE, **data})


def run_requested(**data: Any) -> dict[str, Any]:
    now = datetime.now(UTC).isoformat()
    wish = {
        "job_id": str(uuid4()),
        "project": PROJECT,
        "configuration": "flights",
        "origin": "api",
        "requested_at": now,
        "scheduled_for": now,
    }
    return cloud_event("run.requested", {**wish, **data})


async def refused(stack: Stack, method: str, path: str, body: Any, status: int, field: str) -> str:
    """The request is refused with problem details that name the field; returns the text."""
    problem = await stack.robot.call(method, path, body, status=status)
    assert problem["status"] == status
    assert problem["type"]
    fields = [error["field"] for error in problem["errors"]]
    assert any(each.startswith(field) for each in fields) or not field, problem
    return str(problem["detail"])


async def counts(stack: Stack) -> list[int]:
    (row,) = await stack.database.fetch(
        """SELECT (SELECT count(*) FROM catalog.run_requests),
                  (SELECT count(*) FROM catalog.configurations),
                  (SELECT count(*) FROM catalog.configuration_versions),
                  (SELECT count(*) FROM catalog.outbox)"""
    )
    return list(row)


async def test_what_is_unknown_is_named_and_nothing_is_left(told: Stack) -> None:
    await told.at_rest()
    before = await counts(told)

    await refused(told, "POST", "orchestrations/ghost/runs", {}, 404, "")
    await refused(told, "POST", "configurations/load/ghost/runs", {}, 404, "")
    text = await refused(told, "PUT", "configurations/ghost/one", {}, 422, "component")
    assert "ghost" in text
    for task in (
        {"component": "ghost", "configuration": "one"},
        {"component": "load", "configuration": "ghost"},
    ):
        definition = {"phases": [{"name": "Load", "tasks": [task]}]}
        text = await refused(told, "PUT", "orchestrations/new", definition, 422, "phases.0.tasks.0")
        assert "ghost" in text
    text = await refused(
        told, "POST", "orchestrations/flights/runs", {"tasks": ["load/flights", "load/ghost"]}, 422, "tasks"
    )
    assert "load/ghost" in text
    assert await counts(told) == before


async def test_an_empty_orchestration_can_be_saved_but_not_run(told: Stack) -> None:
    assert (await told.robot.get("orchestrations/empty"))["phases"] == []
    text = await refused(told, "POST", "orchestrations/empty/runs", {}, 422, "tasks")
    assert "task" in text
    assert await told.runs("empty") == []


async def test_bodies_that_cannot_be_read_tell_where(told: Stack) -> None:
    http = told.robot.http
    headers = {"content-type": "application/json"}
    broken = await http.post(
        f"/v1/projects/{PROJECT}/table-updates", content=b'{"table":\n  oops}', headers=headers
    )
    assert broken.status_code == 400
    assert broken.headers["content-type"] == "application/problem+json"
    assert "line 2, column 3" in broken.json()["detail"]
    large = await http.post(
        f"/v1/projects/{PROJECT}/definitions/apply",
        content=b'{"documents": [' + b" " * 1024 * 1024 + b"]}",
        headers=headers,
    )
    assert large.status_code == 413
    assert "1 MiB" in large.text or "1048576" in large.text


async def test_one_bad_document_applies_nothing(told: Stack) -> None:
    before = await counts(told)
    documents = [
        {"configuration": "load/fresh"},
        {
            "orchestration": "fresh",
            "phases": [{"name": "Load", "tasks": [{"run": "load/fresh", "atempts": 3}]}],
        },
    ]
    text = await refused(told, "POST", "definitions/apply", {"documents": documents}, 422, PLACE)
    assert "did you mean `attempts`" in text
    assert await counts(told) == before


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("orchestration: daily\nphases:\n  - name: Load\n   tasks: []\n", ":4:"),
        (
            "orchestration: daily\nphases:\n  - name: Load\n    tasks:\n      - run: load\n",
            "phases[0].tasks[0].run",
        ),
        (
            'orchestration: daily\nschedules:\n  bad: {cron: "61 * * * *"}\n',
            "schedules.bad.cron",
        ),
    ],
)
async def test_yaml_that_cannot_be_used_tells_line_and_path(tmp_path: Path, text: str, expected: str) -> None:
    file = tmp_path / "definitions.yaml"
    file.write_text(text)
    code = "import sys; from orchestrator_cli.main import main; sys.exit(main())"
    done = subprocess.run(
        [sys.executable, "-c", code, "validate", "-f", str(file)], capture_output=True, text=True, timeout=60
    )
    assert done.returncode not in (0, 1)
    output = done.stdout + done.stderr
    assert f"{file}:" in output.replace("\n", "")
    assert expected in output
    assert "Traceback" not in output


BAD_MESSAGES: dict[str, tuple[str, str, Callable[[], Any], str]] = {
    "no JSON": (TABLE_UPDATES, KEY, lambda: b"no json /test", "CloudEvent"),
    "no CloudEvent": (TABLE_UPDATES, KEY, lambda: {"table": TABLE, "source": "/test"}, "CloudEvent"),
    "a model it fails": (TABLE_UPDATES, KEY, lambda: updated(table="nodots"), "table"),
    "a key that disagrees": (TABLE_UPDATES, "table.updated.demo.in.c-bad.other", updated, "routing key"),
    "another project's key": (TABLE_UPDATES, "table.updated.other.in.c-bad.input", updated, "routing key"),
    "an unknown version": (
        TABLE_UPDATES,
        KEY,
        lambda: {**updated(), "type": "orchestrator.table.updated.v9"},
        "v9",
    ),
    "too large a body": (TABLE_UPDATES, KEY, lambda: {**updated(), "filler": "x" * 300_000}, "262144"),
    "a request it fails": (
        COMMANDS,
        "run.requested",
        lambda: run_requested(origin="nobody"),
        "origin",
    ),
    "a kind that does not belong here": (COMMANDS, "run.requested", updated, "unknown type"),
}


@pytest.mark.parametrize("what", BAD_MESSAGES)
async def test_a_message_at_fault_is_dead_lettered_with_the_reason(told: Stack, what: str) -> None:
    exchange, key, make, reason = BAD_MESSAGES[what]
    body = make()
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    assert await told.dead_letters() == []

    await told.publish(exchange, key, raw)
    (letter,) = await eventually(told.dead_letters, 30)

    assert reason in letter["reason"]
    assert (letter["exchange"], letter["routing_key"], letter["bytes"]) == (exchange, key, len(raw))
    assert letter["body"] == raw[:20_000].decode()
    await told.person.call("DELETE", f"/v1/dead-letters/{letter['id']}")
    assert await told.dead_letters() == []
    heard = "SELECT count(*) FROM triggers.tables WHERE name LIKE 'in.c-bad.%'"
    assert await told.database.fetchval(heard) == 0


async def test_a_dead_letter_is_for_administrators(told: Stack) -> None:
    await told.robot.call("GET", "/v1/dead-letters", status=403)


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        ({"configuration": "ghost"}, "ghost"),
        ({"component": "load", "configuration": "ghost"}, "ghost"),
        ({"component": "ghost", "configuration": "one"}, "ghost"),
        ({"configuration": "empty"}, "task"),
        ({"configuration": "flights", "version": 99}, "no such version"),
    ],
)
async def test_a_well_formed_request_becomes_a_job_that_says_why_not(
    told: Stack, wish: dict[str, Any], message: str
) -> None:
    event = run_requested(**wish)
    await told.publish(COMMANDS, "run.requested", json.dumps(event).encode())
    job_id = event["data"]["job_id"]

    async def row() -> Any:
        found = await told.database.fetch(
            "SELECT * FROM jobs.jobs WHERE id = $1 AND finished_at IS NOT NULL", job_id
        )
        return found[0] if found else None

    job = await eventually(row, 30)
    assert (job["status"], job["error_kind"]) == ("error", "user")
    assert message in job["message"]
    assert await told.dead_letters() == []


async def test_after_all_that_the_pipeline_runs(told: Stack) -> None:
    assert (await told.ended(await told.run("flights")))["status"] == "success"
    await told.at_rest()
    assert told.exit_codes() == {}
