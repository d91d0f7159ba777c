"""Issue 8.24: who has heard of a run's end from the nested runs that made it."""

from uuid import UUID

import pytest

from orchestrator_notifier.domain.run_tree import NestedRun, RunTree
from orchestrator_shared.domain.statuses import JobStatus

ROOT, MIDDLE, LEFT, RIGHT, AGAIN = (UUID(int=number) for number in range(1, 6))
ERROR, SUCCESS = JobStatus.ERROR, JobStatus.SUCCESS


def tree(status: JobStatus = ERROR, **components: JobStatus) -> RunTree:
    """root → middle → (left, right)."""
    names = {"root": ROOT, "middle": MIDDLE}
    runs = [
        NestedRun(ROOT, None, None, status),
        NestedRun(MIDDLE, ROOT, "orchestrator/middle", status),
        NestedRun(LEFT, MIDDLE, "left", status),
        NestedRun(RIGHT, MIDDLE, "right", status),
    ]
    return RunTree(runs, {names[name]: {ended} for name, ended in components.items()})


def test_subjects_are_paths_of_tasks() -> None:
    assert tree().subject(ROOT) == ""
    assert tree().subject(LEFT) == "orchestrator/middle left"


@pytest.mark.parametrize("event", ["error", "success"])
def test_a_parent_is_covered_if_every_cause_of_its_end_is(event: str) -> None:
    made = tree(JobStatus(event))
    both = {("orchestrator/middle left", event), ("orchestrator/middle right", event)}
    assert made.is_covered(ROOT, event, both)
    assert made.is_covered(MIDDLE, event, both)
    assert not made.is_covered(ROOT, event, {("orchestrator/middle left", event)})
    assert not made.is_covered(RIGHT, event, {("orchestrator/middle left", event)})
    assert not made.is_covered(ROOT, event, {(subject, "warning") for subject, _ in both})
    assert made.is_covered(ROOT, event, {("orchestrator/middle", event)})


def test_a_component_of_its_own_is_news() -> None:
    told = {("orchestrator/middle", "error")}
    assert not tree(root=ERROR).is_covered(ROOT, "error", told)
    assert tree(root=SUCCESS).is_covered(ROOT, "error", told)
    both = {("orchestrator/middle left", "error"), ("orchestrator/middle right", "error")}
    assert not tree(middle=ERROR).is_covered(ROOT, "error", both)


def test_a_recovery_covers_the_success() -> None:
    made = tree(SUCCESS)
    assert made.is_covered(ROOT, "success", {("orchestrator/middle", "recovered")})
    assert not made.is_covered(ROOT, "recovered", {("orchestrator/middle", "success")})


def test_only_the_newest_attempt_counts_and_all_are_one_subject() -> None:
    made = RunTree(
        [
            NestedRun(ROOT, None, None, ERROR),
            NestedRun(LEFT, ROOT, "left", ERROR),
            NestedRun(AGAIN, ROOT, "left", SUCCESS, retry_of=LEFT),
        ],
        {ROOT: {ERROR}},
    )
    assert made.subject(AGAIN) == made.subject(LEFT) == "left"
    assert not made.is_covered(ROOT, "error", {("left", "error")})
    assert made.is_covered(AGAIN, "error", {("left", "error")})
