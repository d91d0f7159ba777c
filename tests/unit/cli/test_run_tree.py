"""A run as a tree and as lines of changes."""

import io
from datetime import UTC, datetime
from typing import Any

from rich.console import Console

from orchestrator_cli.progress.tree import plain_lines, run_tree, status_of

NOW = datetime(2026, 11, 21, 10, 0, 5, tzinfo=UTC)
JOB: dict[str, Any] = {
    "component": "orchestrator", "configuration": "flights", "number": 7, "status": "processing",
    "started_at": "2026-11-21T10:00:00Z",
}  # fmt: skip


def phases(first: str = "processing", attempt: int = 1) -> list[dict[str, Any]]:
    job = {"id": "1", "status": first, "attempt": attempt, "started_at": "2026-11-21T10:00:01Z"}
    if first == "error":
        job |= {"finished_at": "2026-11-21T10:00:04Z", "message": "ragged row\nsecond line"}
    waiting = {
        "id": "2",
        "status": "waiting",
        "waiting": {"reason": "configuration_busy", "detail": "busy with flights #6"},
    }
    return [
        {"name": "Extract", "started_at": "2026-11-21T10:00:01Z", "tasks": [
            {"id": "csv/a", "status": "started", "job": job},
            {"id": "csv/b", "status": "started", "job": waiting},
            {"id": "csv/c", "status": "skipped", "job": None},
        ]},
        {"name": "Write", "tasks": [{"id": "w", "status": "pending", "job": None}]},
    ]  # fmt: skip


def test_the_tree_shows_phases_tasks_times_and_reasons() -> None:
    screen = Console(width=100, file=io.StringIO(), record=True)
    screen.print(run_tree(JOB, phases(), now=NOW))
    text = screen.export_text()
    assert "flights #7  processing  5.0 s" in text
    assert "csv/a  processing  4.0 s" in text
    assert "csv/b  waiting  busy with flights #6" in text
    assert "csv/c  skipped" in text
    assert "w  pending" in text


def test_lines_tell_every_change_once() -> None:
    seen: dict[str, str] = {}
    assert plain_lines(seen, JOB, phases()) == [
        "Extract / csv/a: processing",
        "Extract / csv/b: waiting  busy with flights #6",
        "Extract / csv/c: skipped",
        "flights #7: processing",
    ]
    assert plain_lines(seen, JOB, phases()) == []
    assert plain_lines(seen, JOB, phases(attempt=2)) == ["Extract / csv/a: processing  (attempt 2)"]
    assert plain_lines(seen, JOB, phases("error")) == ["Extract / csv/a: error  after 3.0 s  ragged row"]


def test_a_task_is_shown_as_its_job_while_it_has_one() -> None:
    assert status_of({"status": "started", "job": {"status": "waiting"}}) == "waiting"
    assert status_of({"status": "not_executed", "job": None}) == "not_executed"
    assert status_of({"status": "success", "job": {"status": "success"}}) == "success"
