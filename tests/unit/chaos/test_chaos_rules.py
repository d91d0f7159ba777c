"""The account of a chaos run sees every broken promise: a small history, one thing wrong in it at a time."""

import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from tests.support.chaos_catalog import Configuration
from tests.support.chaos_check import broken_promises, takeovers
from tests.support.chaos_evidence import Evidence
from tests.support.chaos_faults import Death
from tests.support.chaos_ledger import Execution
from tests.support.chaos_load import Asked

from orchestrator_shared.contracts.commands import RunRequested
from orchestrator_shared.domain.statuses import Origin, OverlapPolicy

WHEN = datetime(2026, 3, 1, tzinfo=UTC)
SCHEDULE = UUID(int=99)
RUN, CHILD, LATER, NEXT_RUN, SKIPPED, FIRST, SECOND, RETRY = (UUID(int=number) for number in range(1, 9))
FIRST_REPLICA, OTHER_REPLICA = UUID(int=50), UUID(int=51)


def at(seconds: float) -> datetime:
    return WHEN + timedelta(seconds=seconds)


def job(identifier: UUID, name: str, start: float, end: float, **fields: Any) -> dict[str, Any]:
    kind = "run" if name.startswith("run") else "component"
    return {
        "id": identifier,
        "seq": 1,
        "lane_id": hash(name),
        "kind": kind,
        "project": "demo",
        "component": "orchestrator" if kind == "run" else "steady",
        "configuration": name,
        "status": "success",
        "message": "attempt 1 wrote 1 lines",
        "attempt": 1,
        "free_attempts": 0,
        "max_attempts": 1,
        "parent_id": None,
        "phase": None,
        "origin": "manual",
        "schedule_id": None,
        "retry_of": None,
        "scheduled_for": WHEN,
        "accepted_at": at(start - 1),
        "started_at": at(start),
        "finished_at": at(end),
        **fields,
    }


def task(name: str, phase: int, child: UUID, **fields: Any) -> dict[str, Any]:
    return {
        "task_id": name,
        "phase": phase,
        "job_id": child,
        "status": "success",
        "active": True,
        "continue_on_failure": False,
        **fields,
    }


def ran(row: Any, first: float, last: float, attempt: int = 1) -> Execution:
    wall = WHEN.timestamp()
    return Execution(
        project=row["project"],
        configuration=f"steady/{row['configuration']}",
        job_id=row["id"],
        run_id=row["id"],
        attempt=attempt,
        pid=int(row["id"]),
        first=first,
        last=last,
        wall_first=wall + first,
        wall_last=wall + last,
        ended=True,
    )


def request(identifier: UUID, name: str, **fields: Any) -> RunRequested:
    values = {
        "job_id": identifier,
        "project": "demo",
        "component": "orchestrator" if name.startswith("run") else "steady",
        "configuration": name,
        "origin": Origin.MANUAL,
        "requested_at": WHEN,
        "scheduled_for": WHEN,
        **fields,
    }
    return RunRequested.model_validate(values)


def history() -> Evidence:
    """A run of two phases, a fire that ran after it and one that was skipped, two jobs of a configuration,
    and a retry of the first."""
    jobs: Any = [
        job(RUN, "run-1", 10, 20),
        job(CHILD, "a", 11, 13, parent_id=RUN, phase=0),
        job(LATER, "b", 14, 19, parent_id=RUN, phase=1),
        job(NEXT_RUN, "run-1", 31, 32, seq=2, schedule_id=SCHEDULE, origin="schedule"),
        job(FIRST, "slow", 10, 15),
        job(SECOND, "slow", 16, 20, seq=2, accepted_at=at(11)),
        job(RETRY, "slow", 30, 40, seq=3, origin="retry", retry_of=FIRST),
    ]
    tasks: Any = {RUN: [task("a", 0, CHILD), task("b", 1, LATER)]}
    record: Any = {
        "job_id": SKIPPED,
        "decision": "skipped",
        "into_job_id": RUN,
        "at": at(15),
        "scheduled_for": WHEN,
    }
    found = Evidence(asked(), [], [], slots=2, limits={"demo": 2}, tasks=tasks, records={SKIPPED: record})
    found.jobs = {row["id"]: row for row in jobs}
    execute(found)
    return found


def execute(found: Evidence) -> None:
    """The ledger, the attempts and the logs of all jobs of components."""
    for row in found.jobs.values():
        if row["kind"] != "component":
            continue
        first, last = ((row[name] - WHEN).total_seconds() for name in ("started_at", "finished_at"))
        execution: Any = ran(row, first + 0.1, last - 0.1)
        attempt: Any = {
            "attempt": 1,
            "replica_id": FIRST_REPLICA if row["id"] in (CHILD, LATER) else OTHER_REPLICA,
            "started_at": row["started_at"],
            "finished_at": row["finished_at"],
            "outcome": "success",
            "message": row["message"],
        }
        found.executions = [*found.executions, execution]
        found.by_job[row["id"]].append(execution)
        found.attempts[row["id"], 1] = attempt
        change_log(row["id"], (1, "attempt 1 line 1\n"), (2, "attempt 1 wrote 1 lines\n"))(found)


def asked() -> Asked:
    """For everything that is there."""
    fire = {"origin": Origin.SCHEDULE, "schedule_id": SCHEDULE, "overlap": OverlapPolicy.SKIP}
    requests = {
        RUN: request(RUN, "run-1"),
        NEXT_RUN: request(NEXT_RUN, "run-1", **fire),
        SKIPPED: request(SKIPPED, "run-1", **fire),
        FIRST: request(FIRST, "slow"),
        SECOND: request(SECOND, "slow"),
    }
    return Asked(
        requests,
        by_api={RETRY: Configuration("demo", "steady", "slow")},
        selections={RUN: ["a", "b"]},
        retries={RETRY: FIRST},
        backfills=[[FIRST, SECOND]],
    )


def change(identifier: UUID, **fields: Any) -> Callable[[Evidence], None]:
    """Of a job."""
    return lambda found: found.jobs[identifier].update(fields)  # type: ignore[attr-defined]


def change_attempt(identifier: UUID, **fields: Any) -> Callable[[Evidence], None]:
    return lambda found: found.attempts[identifier, 1].update(fields)  # type: ignore[attr-defined]


def move(identifier: UUID, first: float, last: float) -> Callable[[Evidence], None]:
    """A job's execution, in the ledger alone."""

    def wrong(found: Evidence) -> None:
        found.executions = [
            ran(found.jobs[identifier], first, last) if each.job_id == identifier else each
            for each in found.executions
        ]
        found.by_job[identifier] = [each for each in found.executions if each.job_id == identifier]

    return wrong


def again(identifier: UUID, first: float, last: float, attempt: int) -> Callable[[Evidence], None]:
    """One more execution of a job."""

    def wrong(found: Evidence) -> None:
        more = ran(found.jobs[identifier], first, last, attempt)
        found.executions = [*found.executions, dataclasses.replace(more, pid=77)]
        found.by_job[identifier].append(found.executions[-1])

    return wrong


def change_log(identifier: UUID, *lines: tuple[int, str]) -> Callable[[Evidence], None]:
    rows = [{"seq": seq, "stream": "stdout", "text": text} for seq, text in lines]
    return lambda found: found.logs.update({(identifier, 1): rows})  # type: ignore[dict-item]


def change_task(index: int, **fields: Any) -> Callable[[Evidence], None]:
    return lambda found: found.tasks[RUN][index].update(fields)  # type: ignore[attr-defined]


def change_record(**fields: Any) -> Callable[[Evidence], None]:
    return lambda found: found.records[SKIPPED].update(fields)  # type: ignore[attr-defined]


def test_a_good_history_breaks_nothing() -> None:
    assert broken_promises(history()) == []


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (move(SECOND, 14.5, 19.9), "overlaps"),
        (move(SECOND, 9.5, 9.9), "overtook"),
        (move(CHILD, 11, 13.5), "after its end was recorded"),
        (move(CHILD, 10.5, 12), "alive before it was claimed"),
        (move(LATER, 12, 18), "began before phase 0 was over"),
        (again(CHILD, 13.1, 13.2, 1), "started twice"),
        (again(CHILD, 13.1, 13.2, 2), "an attempt that was never made"),
        (lambda found: found.limits.update(demo=1), "whose limit is 1"),
        (lambda found: setattr(found, "slots", 0), "with 0 slots"),
        (change(NEXT_RUN, started_at=at(19), accepted_at=at(18)), "before"),
        (change(CHILD, message="attempt 2 wrote 1 lines"), "the result is another attempt's"),
        (change(CHILD, status="cancelled"), "cancelled, but it ran"),
        (change(CHILD, status="terminated"), "stopped, but nobody asked"),
        (change(CHILD, finished_at=None), "has not ended"),
        (change(CHILD, status="error", message="oops"), "failed for another reason than its runner"),
        (change(CHILD, attempt=2), "more attempts than allowed"),
        (change(CHILD, free_attempts=1), "recorded as lost"),
        (change_attempt(CHILD, outcome="error"), "its last attempt is recorded as error"),
        (change_log(CHILD, (1, "attempt 1 line 1\n"), (3, "attempt 1 wrote 1 lines\n")), "has the numbers"),
        (change_log(CHILD, (1, "attempt 1 line 1\n")), "its log says"),
        (change_log(CHILD, (1, "attempt 1 wrote 1 lines\nattempt 1 line 1\n")), "its log says"),
        (change_task(0, status="error"), "its job is not"),
        (change_task(1, job_id=None, status="pending"), "without a job"),
        (change_task(1, job_id=None, status="not_executed"), "did not reach all tasks"),
        (change(RUN, status="warning"), "should be success"),
        (change(RUN, finished_at=at(18)), "ended before its task"),
        (change_record(decision="merged"), "but its policy is"),
        (change_record(at=at(25)), "was not there then"),
        (change_record(into_job_id=UUID(int=98)), "into nothing"),
        (change(NEXT_RUN, accepted_at=at(15)), "although the orchestration was busy"),
        (change(RETRY, retry_of=None), "is linked to"),
        (change(RETRY, scheduled_for=at(1)), "not for"),
        (change(RETRY, accepted_at=at(14)), "was accepted before"),
        (change(SECOND, seq=0), "a backfill is not in order"),
        (lambda found: found.asked.selections.update({RUN: ["a"]}), "were chosen"),
        (lambda found: found.asked.stopped.update({RETRY: WHEN.timestamp() - 40}), "was to be stopped"),
        (lambda found: found.records.clear(), "a request was lost"),
        (lambda found: found.asked.requests.pop(SECOND), "nobody asked for"),
        (lambda found: found.untidy.update(open_attempts=1), "left behind: 1 open_attempts"),
        (lambda found: setattr(found, "revived", [{"job_id": RUN}]), "finished is not final"),
    ],
)
def test_what_is_wrong_is_told(wrong: Callable[[Evidence], object], told: str) -> None:
    found = history()
    wrong(found)
    assert any(told in sentence for sentence in broken_promises(found)), broken_promises(found)


def test_two_runs_of_a_schedule_do_not_wait_at_once() -> None:
    found = history()
    policy = {"overlap": OverlapPolicy.ONE_WAITING, "origin": Origin.SCHEDULE, "schedule_id": SCHEDULE}
    for run in (RUN, NEXT_RUN):
        found.asked.requests[run] = request(run, "run-1", **policy)
        change(run, origin="schedule", schedule_id=SCHEDULE, accepted_at=at(9))(found)
    assert any("one of its schedule waited" in sentence for sentence in broken_promises(found))


def test_the_time_of_a_takeover_counts_from_the_death() -> None:
    found = history()
    replica = {"id": OTHER_REPLICA, "name": "runner-1", "started_at": at(0), "lost_at": at(14)}
    found.replicas = {OTHER_REPLICA: replica}  # type: ignore[dict-item]
    found.attempts.pop((SECOND, 1))
    found.attempts.pop((RETRY, 1))
    found.deaths = [Death("runner-1", at(12.5).timestamp())]
    assert takeovers(found) == {"killed": "1, median 2.5 s, most 2.5 s"}
