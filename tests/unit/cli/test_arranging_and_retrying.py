"""Commands that propose first: what they ask the server for, and what they show."""

import json
from typing import Any

import httpx
import pytest
from tests.support.answering import Answering

from orchestrator_cli.client import ApiClient
from orchestrator_cli.commands.arranging import phase_lines, phase_ref
from orchestrator_cli.commands.backfill import instant, summary
from orchestrator_cli.commands.jobs import detail_lines
from orchestrator_cli.commands.projects import parse_limit
from orchestrator_cli.commands.retry import show_plan
from orchestrator_cli.context import Context
from orchestrator_cli.failures import BadInput, ExitCode
from orchestrator_cli.main import main

PHASES = [{"name": "Extractors", "tasks": [{"id": "a/b", "enabled": True}, {"id": "c/d", "enabled": False}]}]
PROPOSAL = {
    "version": 4,
    "etag": '"four"',
    "phases": PHASES,
    "changed": True,
    "errors": ["broken"],
    "warnings": ["look"],
}
SAVED = {
    **PROPOSAL,
    "version": 5,
    "etag": '"five"',
    "name": "Daily",
    "description": "d",
    "enabled": False,
    "id": "daily",
    "job_id": "j3",
    "last_run": {"number": 3, "status": "error"},
    "next_fire": "2026-11-22T04:30:00Z",
    "usual_duration_seconds": 90.0,
    "schedules": [
        {"name": "mornings", "cron": "30 5 * * *", "timezone": "Europe/Prague", "enabled": True},
        {"name": "often", "cron": None, "every_seconds": 2700, "timezone": "UTC", "enabled": False},
    ],
    "triggers": [
        {"name": "crm", "tables": ["in.c-crm.contacts", "finance/in.c-rates.daily"], "enabled": True}
    ],
}
PLAN: dict[str, Any] = {
    "id": "p1",
    "version": 3,
    "tasks": [
        {
            "id": "a/b",
            "phase": "E",
            "status_before": "error",
            "selected": True,
            "exists": True,
            "active": True,
            "version": 7,
        },
        {
            "id": "c/d",
            "phase": "E",
            "status_before": None,
            "selected": False,
            "exists": False,
            "active": True,
            "version": None,
        },
    ],
    "missing": [{"id": "e/f", "status_before": "success"}],
}


DELIVERY = {
    "created_at": "2026-11-21T09:00:00Z",
    "event": "schedule_missed",
    "orchestration": "daily",
    "recipient": "a@example.com",
    "status": "pending",
    "attempts": 2,
    "last_error": "421 later",
}


class Server:
    """Answers by path, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, Any]] = []
        self.keys: list[str] = []
        """Under which runs were asked for."""
        self.seen: list[str] = []
        """The tags that changes named."""

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/v1").removeprefix("/projects/demo/")
        query = f"?{request.url.query.decode()}" if request.url.query else ""
        body = json.loads(request.content) if request.content else None
        if key := request.headers.get("Idempotency-Key"):
            self.keys.append(key)
        if tag := request.headers.get("If-Match"):
            self.seen.append(tag)
        self.asked.append((request.method, path + query, body))
        return httpx.Response(200, json=self.answer(request.method, path))

    def answer(self, method: str, path: str) -> dict[str, Any]:
        if path.endswith(("grouping", "arrangement")):
            return PROPOSAL
        if path.endswith("retry-plan"):
            return PLAN
        if path.endswith("retries"):
            return {"job_id": "j2"}
        if path.endswith("fires"):
            fire = {"scheduled_for": "2026-11-21T05:30:00Z", "at": None, "outcome": "missed", "job_id": None}
            merged = {**fire, "outcome": "requested", "status": "merged", "other_number": 7}
            started = {**fire, "outcome": "requested", "status": "success", "number": 8}
            return {"items": [fire, merged, started], "next": None}
        if path == "orchestrations":
            return {"items": [SAVED], "next": None}
        if path == "deliveries":
            return {"items": [DELIVERY], "next": None}
        if path == "/projects":
            return {"items": [{"id": "demo", "name": "Demo", "parallel_limit": None}], "next": None}
        return SAVED


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Server:
    made = Server()

    def client(context: Context) -> ApiClient:
        return ApiClient("http://server:1", "token", transport=Answering(made))

    monkeypatch.setattr(Context, "client", client)
    monkeypatch.setenv("ORCHESTRATOR_PROJECT", "demo")
    monkeypatch.setenv("ORCHESTRATOR_URL", "http://server:1")
    return made


def test_grouping_is_shown_and_not_saved(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tasks", "group", "daily", "--by", "type"]) == ExitCode.OK
    assert server.asked == [("POST", "orchestrations/daily/grouping", {"by": "type"})]
    out, err = capsys.readouterr()
    assert out.splitlines() == [
        "#1 Extractors",
        "     a/b",
        "     c/d  (inactive)",
        "not saved; add --save to save it",
    ]
    assert err.splitlines() == ["error: broken", "warning: look"]


def test_saving_keeps_the_rest_and_somebody_elses_change(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["tasks", "group", "daily", "--save"]) == ExitCode.OK
    assert server.asked[-1] == (
        "PUT",
        "orchestrations/daily",
        {
            "name": "Daily",
            "description": "d",
            "enabled": False,
            "phases": PHASES,
            "note": "tasks arranged",
        },
    )
    assert server.seen == ['"four"'], "what the proposal is based on"
    assert "saved as version 5" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "operation"),
    [
        (
            ["tasks", "move", "daily", "a/b", "c/d", "--to", "New", "--before", "#1"],
            {"operation": "move_tasks", "tasks": ["a/b", "c/d"], "to": "New", "before": 0},
        ),
        (
            ["phases", "rename", "daily", "#2", "Second"],
            {"operation": "rename_phase", "phase": 1, "name": "Second"},
        ),
        (
            ["phases", "move", "daily", "B", "--after", "A"],
            {"operation": "move_phase", "phase": "B", "after": "A"},
        ),
        (
            ["phases", "merge", "daily", "A", "#3", "--name", "Both"],
            {"operation": "merge_phases", "phases": ["A", 2], "name": "Both"},
        ),
    ],
)
def test_operations(server: Server, arguments: list[str], operation: dict[str, Any]) -> None:
    assert main(arguments) == ExitCode.OK
    assert server.asked == [("POST", "orchestrations/daily/arrangement", {"operations": [operation]})]


def test_retry_carries_out_the_plan_it_fetched(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["jobs", "retry", "j1"]) == ExitCode.OK
    assert [ask[1:] for ask in server.asked] == [
        ("jobs/j1/retry-plan", None),
        ("jobs/j1/retries", {"plan_id": "p1"}),
    ]
    assert capsys.readouterr().out == "j2\n"
    server.asked.clear()
    assert main(["jobs", "retry", "j1", "-t", "a/b", "-t", "c/d", "--original"]) == ExitCode.OK
    assert [ask[1:] for ask in server.asked] == [
        ("jobs/j1/retry-plan?tasks=a%2Fb&tasks=c%2Fd&version=original", None),
        ("jobs/j1/retries", {"plan_id": "p1", "tasks": ["a/b", "c/d"]}),
    ]


def test_disabled_ones_are_run_with_a_confirmation(server: Server) -> None:
    assert main(["run", "daily", "--confirm", "--no-notify"]) == ExitCode.OK
    assert main(["jobs", "retry", "j1", "--confirm", "--no-notify"]) == ExitCode.OK
    posted = [ask[1:] for ask in server.asked if ask[0] == "POST"]
    assert posted == [
        ("orchestrations/daily/runs", {"confirm": True, "notify": False}),
        ("jobs/j1/retries", {"plan_id": "p1", "confirm": True, "notify": False}),
    ]
    assert len(set(server.keys)) == 2, "each is a run of its own"


def test_an_orchestration_is_shown_with_its_findings(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["orchestrations", "show", "daily"]) == ExitCode.OK
    shown = capsys.readouterr()
    assert shown.out.splitlines() == [
        "#1 Extractors",
        "     a/b",
        "     c/d  (inactive)",
        "version 5, disabled",
        "schedule mornings: 30 5 * * * Europe/Prague",
        "schedule often: every 45 min 0 s UTC (off)",
        "trigger crm: in.c-crm.contacts, finance/in.c-rates.daily",
        "next fire 2026-11-22 04:30:00 UTC",
        "usually takes 1 min 30 s",
    ]
    assert shown.err.splitlines() == ["error: broken", "warning: look"]
    assert main(["orchestrations", "list"]) == ExitCode.OK
    row = capsys.readouterr().out.splitlines()[1].split("  ")
    assert [cell.strip() for cell in row if cell.strip()] == [
        "daily",
        "#3 error",
        "2026-11-22 04:30:00",
        "1 min 30 s",
        "disabled, 1 error, 1 warning",
    ]


def test_fires_of_a_schedule(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schedules", "fires", "daily", "mornings"]) == ExitCode.OK
    assert [path for _, path, _ in server.asked] == [
        "orchestrations/daily/schedules/mornings",
        "schedules/daily/fires?limit=20",
    ]
    rows = [line.split() for line in capsys.readouterr().out.splitlines()[1:]]
    told = [[word for word in row[2:] if not word.startswith("20")] for row in rows]
    assert [" ".join(row).rstrip("- \u2013") for row in told] == ["missed", "merged in #7", "success #8"]


def test_plan_is_only_shown(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["jobs", "retry", "j1", "--plan"]) == ExitCode.OK
    assert [ask[0] for ask in server.asked] == ["GET"]
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines[1:] == [
        ["a/b", "E", "error", "runs", "7"],
        ["c/d", "E", "new", "its", "configuration", "was", "deleted"],
        ["e/f", "success", "is", "gone"],
        ["version", "3"],
    ]


def test_plan_shows_who_changed_what_and_how_long_it_takes(capsys: pytest.CaptureFixture[str]) -> None:
    changed = {"version": 7, "author": "jana@example.com", "note": "opt_in"}
    task = {**PLAN["tasks"][0], "version_before": 6, "changed": changed}
    newer = {"version_before": 2, "changed": {"version": 3, "author": "jana@example.com", "note": ""}}
    show_plan({**PLAN, **newer, "tasks": [task], "usual_duration_seconds": 87.0}, as_json=False)
    printed = capsys.readouterr().out
    assert "6 → 7 (jana@example.com: opt_in)" in printed
    assert "version 2 → 3 (jana@example.com)\n" in printed
    assert "usually takes 1 min 27 s" in printed


def test_limit_of_a_project(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["projects", "limit", "demo", "3"]) == ExitCode.OK
    assert main(["projects", "limit", "demo", "none"]) == ExitCode.OK
    assert [(method, body) for method, _, body in server.asked] == [
        ("GET", None),
        ("PATCH", {"parallel_limit": 3}),
        ("GET", None),
        ("PATCH", {"parallel_limit": None}),
    ]
    assert server.seen == ['"five"'] * 2
    assert main(["projects", "list"]) == ExitCode.OK
    assert "no limit" in capsys.readouterr().out
    for wrong in ("0", "x", "-1"):
        with pytest.raises(BadInput):
            parse_limit(wrong)


def test_deliveries_tell_of_what_to_whom_and_why_not(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["deliveries", "--limit", "5"]) == ExitCode.OK
    assert server.asked == [("GET", "deliveries?limit=5", None)]
    shown = capsys.readouterr().out
    assert all(
        text in shown for text in ("schedule_missed", "daily", "a@example.com", "pending", "421 later")
    )


def test_phases_are_named_or_numbered() -> None:
    assert [phase_ref(text) for text in ("#1", "#12", "Load", "#x", "3")] == [0, 11, "Load", "#x", "3"]
    with pytest.raises(BadInput):
        phase_ref("#0")
    assert phase_lines([]) == []


def test_backfill_tells_what_is_new() -> None:
    assert (instant("2026-01-05"), instant("2026-01-05T06:00:00+02:00")) == (
        "2026-01-05T00:00:00Z",
        "2026-01-05T06:00:00+02:00",
    )
    answer = {"dry_run": True, "requested": 0, "fires": [{"is_new": True}, {"is_new": False}]}
    assert summary(answer) == "1 run would be started, 1 already requested"
    assert summary({**answer, "dry_run": False, "requested": 1}).startswith("1 run requested")


def test_job_tells_its_waits_and_what_is_usual() -> None:
    waits = {"total_seconds": 75.0, "configuration_busy_seconds": 70.0, "slot_or_limit_seconds": 5.0}
    lines = detail_lines(
        {
            "id": "j1",
            "waits": {**waits, "acceptance_seconds": 0.01},
            "usual_duration_seconds": 30.0,
            "retries": [{"id": "j2", "status": "success"}],
        }
    )
    assert lines == [
        ("id", "j1"),
        ("waited", "1 min 15 s: 1 min 10 s for the configuration, 5.0 s for a slot or the limit"),
        ("usually takes", "30.0 s"),
        ("retried as", "j2 (success)"),
    ]
    second = {"attempt": 2, "started_at": "2026-11-21T08:00:00Z", "finished_at": None}
    first = {
        **second,
        "attempt": 1,
        "finished_at": "2026-11-21T08:00:05Z",
        "outcome": "error",
        "message": "no",
    }
    waiting = {"reason": "configuration_busy", "detail": "the configuration is busy with job #3", "place": 2}
    assert detail_lines({"id": "j1", "waiting": waiting, "attempts": [first, second]})[1:] == [
        ("waits", "the configuration is busy with job #3 (place 2 in line)"),
        ("attempt 1", "error, 5.0 s: no"),
        ("attempt 2", ""),
    ]
    update = {"table": "in.c-crm.contacts", "seq": 7, "event_id": None, "heard_at": "2026-11-30T05:40:00Z"}
    told = {"updates_used": [update], "tables_written": ["a", "b"], "ran_as": {"kind": "token", "name": "ci"}}
    assert detail_lines({"id": "j1", **told})[1:] == [
        ("used update", "in.c-crm.contacts, 2026-11-30T05:40:00Z, update 7"),
        ("wrote", "a, b"),
        ("ran as", "token ci"),
    ]
    assert detail_lines({"id": "j1", "overlap": {"detail": "was merged into run #7"}})[-1][0] == "became"
