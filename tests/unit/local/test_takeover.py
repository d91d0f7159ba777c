"""The story of a killed runner: told in order, and judged."""

from datetime import UTC, datetime, timedelta
from typing import Any

from orchestrator_local.demo.takeover import Takeover, checks, timeline

KILLED = datetime(2026, 11, 21, 10, 0, 0, tzinfo=UTC)


def phases(attempt: int, status: str) -> list[dict[str, Any]]:
    tasks = [
        {"id": name, "job": {"id": f"job-{name}", "status": status, "attempt": attempt}} for name in "ab"
    ]
    other = {"id": "c", "job": {"id": "job-c", "status": "success", "attempt": 2}}
    return [{"tasks": [*tasks, other, {"id": "d", "job": None}]}]


def story() -> Takeover:
    takeover = Takeover("runner", 42, KILLED, {"job-a": "a", "job-b": "b"})
    takeover.programs_gone_at = KILLED + timedelta(seconds=0.2)
    takeover.successor_pid, takeover.successor_at = 43, KILLED + timedelta(seconds=1)
    takeover.observe(phases(1, "processing"), {}, KILLED + timedelta(seconds=2))
    takeover.observe(phases(2, "waiting"), {}, KILLED + timedelta(seconds=5))
    takeover.observe(
        phases(2, "processing"), {"job-a": "runner-2", "job-b": "runner-2"}, KILLED + timedelta(seconds=7)
    )
    takeover.observe(phases(2, "success"), {}, KILLED + timedelta(seconds=9))
    takeover.status, takeover.ended_at, takeover.rows = "success", KILLED + timedelta(seconds=9), "336,776"
    return takeover


def test_the_story_is_told_in_order() -> None:
    told = [line.plain.strip() for line in timeline(story(), lease_seconds=6)]
    assert told == [
        "10:00:00  + 0.0 s  kill -9 of runner (pid 42) while it ran a, b",
        "10:00:00  + 0.2 s  the programs that it had started are gone too: its keeper ended them",
        "10:00:01  + 1.0 s  runner is back as a new replica (pid 43) and owns nothing",
        "10:00:07  + 7.0 s  its lease of 6 s has run out: runner-2 took over a, b (attempt 2)",
        "10:00:09  + 9.0 s  the run ended with success",
        "in.c-nyc.flights holds 336,776 rows: none lost, none twice",
    ]
    assert all(check.holds for check in checks(story()))


def test_each_expectation_can_fail() -> None:
    assert not any(check.holds for check in checks(Takeover()))
    lost = story()
    del lost.resumed["b"]
    lost.status, lost.rows = "error", "336,775"
    assert [check.holds for check in checks(lost)] == [True, True, False, False, False]
    assert timeline(Takeover(), lease_seconds=6)[0].plain == "No runner was killed."


def test_what_had_just_ended_is_not_taken_over() -> None:
    early = story()
    del early.resumed["b"]
    tasks = [{"id": "b", "job": {"id": "job-b", "status": "success", "attempt": 1}}]
    early.observe([{"tasks": tasks}], {}, KILLED + timedelta(seconds=1))
    assert all(check.holds for check in checks(early))
