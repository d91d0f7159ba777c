"""How attempts, phases and runs end, what comes next, what becomes of a request at a busy configuration."""

from uuid import UUID

import pytest

from orchestrator_runner.queue.overlap import Merge, Queue, Skip, decide_overlap
from orchestrator_runner.runs.lifecycle import (
    MAX_FREE_ATTEMPTS,
    Attempts,
    Ending,
    EndRun,
    StartPhase,
    TaskState,
    after_failure,
    after_loss,
    next_step,
)
from orchestrator_runner.runs.plan import RunPlan, check_nesting, plan_run
from orchestrator_shared.domain.errors import UserError
from orchestrator_shared.domain.statuses import EndReason, ErrorKind, JobStatus, OverlapPolicy, TaskStatus

USER, INTERNAL = ErrorKind.USER, ErrorKind.INTERNAL


def attempts(made: int = 1, most: int = 3, *, free: int = 0, retry_on: str = "any") -> Attempts:
    return Attempts(made=made, free=free, most=most, delay_seconds=10, backoff=2, retry_on=retry_on)


@pytest.mark.parametrize(
    ("given", "kind", "again"),
    [
        (attempts(1), USER, True),
        (attempts(3), USER, False),
        (attempts(4, free=2), INTERNAL, True),
        (attempts(1, retry_on="internal"), USER, False),
        (attempts(1, retry_on="internal"), INTERNAL, True),
        (attempts(1, retry_on="user"), INTERNAL, False),
        (attempts(1, most=1), INTERNAL, False),
    ],
)
def test_another_attempt_after_a_failure(given: Attempts, kind: ErrorKind, again: bool) -> None:
    ending = after_failure(given, "broke", kind)
    assert (ending.status is JobStatus.WAITING) is again
    assert ending.error_kind is (None if again else kind)
    assert ending.message == "broke"


def test_delays_grow_with_the_failures_alone_and_end_at_a_week() -> None:
    delays = [attempts(made, most=99).next_delay_seconds() for made in (1, 2, 3, 4)]
    assert delays == [10, 20, 40, 80]
    assert attempts(3, free=2).next_delay_seconds() == 10
    assert attempts(99, most=100).next_delay_seconds() == 604_800


@pytest.mark.parametrize(
    ("given", "safe", "expected"),
    [
        (attempts(1, most=1), True, Ending(JobStatus.WAITING, "lost", free=True)),
        (attempts(1, most=1), False, Ending(JobStatus.ERROR, "lost", INTERNAL)),
        (attempts(1, most=2), False, Ending(JobStatus.WAITING, "lost", delay_seconds=10)),
        (attempts(1, most=2, retry_on="user"), False, Ending(JobStatus.ERROR, "lost", INTERNAL)),
        (
            attempts(1 + MAX_FREE_ATTEMPTS, most=1, free=MAX_FREE_ATTEMPTS),
            True,
            Ending(JobStatus.ERROR, "lost", INTERNAL),
        ),
    ],
)
def test_a_lost_attempt_is_repeated_only_where_that_is_allowed(
    given: Attempts, safe: bool, expected: Ending
) -> None:
    assert after_loss(given, safe_to_rerun=safe, reason="lost") == expected


def state(
    identifier: str, phase: int, status: str, *, may_fail: bool = False, active: bool = True
) -> TaskState:
    return TaskState(identifier, phase, active, TaskStatus(status), may_fail)


def test_the_next_phase_with_something_to_do_follows() -> None:
    skipped = state("off", 1, "skipped", active=False)
    assert next_step(
        [state("a", 0, "success"), skipped, state("c", 2, "pending")], stopping=False
    ) == StartPhase(2)


@pytest.mark.parametrize("failure", ["error", "cancelled", "terminated"])
def test_a_failure_ends_the_run_unless_the_task_may_fail(failure: str) -> None:
    later = state("later", 1, "pending")
    ended = next_step([state("a", 0, failure), state("b", 0, "success"), later], stopping=False)
    assert ended == EndRun(JobStatus.ERROR, "failed: a", USER, EndReason.TASKS_FAILED)
    assert next_step([state("a", 0, failure, may_fail=True), later], stopping=False) == StartPhase(1)
    last = next_step([state("a", 0, failure, may_fail=True), state("later", 1, "success")], stopping=False)
    assert last == EndRun(
        JobStatus.WARNING, "continued after failures: a", reason=EndReason.WENT_ON_AFTER_FAILURES
    )


def test_a_nested_warning_is_a_warning_and_stops_nothing() -> None:
    assert next_step([state("n", 0, "warning"), state("b", 1, "pending")], stopping=False) == StartPhase(1)
    assert next_step([state("n", 0, "warning"), state("b", 1, "success")], stopping=False) == EndRun(
        JobStatus.WARNING, "continued after failures: n", reason=EndReason.WENT_ON_AFTER_FAILURES
    )


def test_inactive_tasks_do_not_influence_the_result() -> None:
    skipped = state("off", 0, "skipped", active=False)
    assert next_step([skipped, state("a", 0, "success")], stopping=False) == EndRun(JobStatus.SUCCESS, "")
    assert next_step([skipped], stopping=False) == EndRun(
        JobStatus.SUCCESS, "no task is active: nothing was run", reason=EndReason.NOTHING_TO_RUN
    )


def test_a_stopped_run_starts_nothing_more() -> None:
    tasks = [state("a", 0, "success"), state("b", 1, "pending")]
    assert next_step(tasks, stopping=True) == EndRun(
        JobStatus.TERMINATED, "terminated on request", reason=EndReason.STOPPED
    )


WAITING, UNFINISHED = UUID(int=1), UUID(int=2)


@pytest.mark.parametrize(
    ("policy", "waiting", "unfinished", "expected"),
    [
        (OverlapPolicy.ONE_WAITING, None, UNFINISHED, Queue()),
        (OverlapPolicy.ONE_WAITING, WAITING, UNFINISHED, Merge(WAITING)),
        (OverlapPolicy.QUEUE, WAITING, UNFINISHED, Queue()),
        (OverlapPolicy.SKIP, None, UNFINISHED, Skip(UNFINISHED)),
        (OverlapPolicy.SKIP, None, None, Queue()),
    ],
)
def test_overlap(
    policy: OverlapPolicy, waiting: UUID | None, unfinished: UUID | None, expected: Queue | Merge | Skip
) -> None:
    assert decide_overlap(policy, waiting=waiting, unfinished=unfinished) == expected


def planned(*selection: str, **more: object) -> RunPlan:
    tasks = [
        {"id": name, "component": "load", "configuration": name, "enabled": name != "off"}
        for name in ("a", "off")
    ]
    phases = [{"name": "Empty", "tasks": []}, {"name": "One", "tasks": tasks}]
    return plan_run({"phases": phases}, selection or None, **more)  # type: ignore[arg-type]


def test_active_flags_decide_and_a_selection_takes_their_place() -> None:
    assert [(task.id, task.active) for task in planned().tasks] == [("a", True), ("off", False)]
    assert [(task.id, task.active) for task in planned("off").tasks] == [("a", False), ("off", True)]
    assert planned().phases == ("One",), "empty phases are dropped"


def test_a_run_is_full_when_every_active_task_is_selected() -> None:
    assert [planned(*chosen).full for chosen in ((), ("a",), ("a", "off"), ("off",))] == [
        True,
        True,
        True,
        False,
    ]


def test_what_cannot_be_planned_is_named() -> None:
    with pytest.raises(UserError, match="no task 'ghost'"):
        planned("ghost")
    with pytest.raises(UserError, match="has no tasks"):
        plan_run({"phases": []}, None)


def test_a_cycle_is_refused_at_the_start_and_named() -> None:
    nested = {"id": "n", "component": "orchestrator", "configuration": "outer"}
    plan = plan_run({"phases": [{"name": "One", "tasks": [nested]}]}, None)
    with pytest.raises(UserError, match="outer → inner → outer"):
        check_nesting("inner", ["outer"], plan.tasks)
    check_nesting("inner", ["other"], plan.tasks)
    above = [f"level{number}" for number in range(50)]
    check_nesting("inner", above[:49], plan.tasks)
    with pytest.raises(UserError, match="nested more than 50 deep"):
        check_nesting("inner", above, plan.tasks)
    asleep = plan_run({"phases": [{"name": "One", "tasks": [{**nested, "enabled": False}]}]}, None)
    check_nesting("inner", ["outer"], asleep.tasks)
