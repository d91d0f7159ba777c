"""Issue 8.24: who has heard of a run's end from the nested runs that made it."""

from uuid import UUID

import pytest

from orchestrator_notifier.domain.run_tree import Family, Member
from orchestrator_shared.domain.statuses import JobStatus

ROOT, MIDDLE, LEFT, RIGHT, AGAIN = (UUID(int=number) for number in range(1, 6))
ERROR, SUCCESS = JobStatus.ERROR, JobStatus.SUCCESS


def family(status: JobStatus = ERROR, **components: JobStatus) -> Family:
    """root → middle → (left, right)."""
    names = {"root": ROOT, "middle": MIDDLE}
    members = [
        Member(ROOT, None, None, status),
        Member(MIDDLE, ROOT, "orchestrator/middle", status),
        Member(LEFT, MIDDLE, "left", status),
        Member(RIGHT, MIDDLE, "right", status),
    ]
    return Family(members, {names[name]: {ended} for name, ended in components.items()})


def test_subjects_are_paths_of_tasks() -> None:
    assert family().subject(ROOT) == ""
    assert family().subject(LEFT) == "orchestrator/middle left"


@pytest.mark.parametrize("event", ["error", "success"])
def test_a_parent_is_heard_of_where_everything_that_made_its_end_is(event: str) -> None:
    made = family(JobStatus(event))
    both = {("orchestrator/middle left", event), ("orchestrator/middle right", event)}
    assert made.is_covered(ROOT, event, both)
    assert made.is_covered(MIDDLE, event, both)
    assert not made.is_covered(ROOT, event, {("orchestrator/middle left", event)})
    assert not made.is_covered(RIGHT, event, {("orchestrator/middle left", event)})
    assert not made.is_covered(ROOT, event, {(subject, "warning") for subject, _ in both})
    assert made.is_covered(ROOT, event, {("orchestrator/middle", event)})


def test_a_component_of_its_own_is_news() -> None:
    told = {("orchestrator/middle", "error")}
    assert not family(root=ERROR).is_covered(ROOT, "error", told)
    assert family(root=SUCCESS).is_covered(ROOT, "error", told)
    both = {("orchestrator/middle left", "error"), ("orchestrator/middle right", "error")}
    assert not family(middle=ERROR).is_covered(ROOT, "error", both)


def test_a_recovery_tells_of_the_success() -> None:
    made = family(SUCCESS)
    assert made.is_covered(ROOT, "success", {("orchestrator/middle", "recovered")})
    assert not made.is_covered(ROOT, "recovered", {("orchestrator/middle", "success")})


def test_only_the_newest_attempt_counts_and_all_are_one_subject() -> None:
    made = Family(
        [
            Member(ROOT, None, None, ERROR),
            Member(LEFT, ROOT, "left", ERROR),
            Member(AGAIN, ROOT, "left", SUCCESS, retry_of=LEFT),
        ],
        {ROOT: {ERROR}},
    )
    assert made.subject(AGAIN) == made.subject(LEFT) == "left"
    assert not made.is_covered(ROOT, "error", {("left", "error")})
    assert made.is_covered(AGAIN, "error", {("left", "error")})
