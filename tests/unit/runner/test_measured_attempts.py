"""Every call of an executor is counted once, by how it ended, with the time until it started."""

import asyncio

import pytest
from prometheus_client import REGISTRY

from orchestrator_runner.executors.measured import measured, start_counting
from orchestrator_runner.executors.port import ExecutionLeft, ExecutionLost, ExecutionRefused, Outcome
from orchestrator_runner.metrics import OUTCOMES
from orchestrator_shared.domain.statuses import JobStatus


def counts(executor: str) -> dict[str, float]:
    name = "orchestrator_executor_attempts_total"
    found = {
        outcome: REGISTRY.get_sample_value(name, {"executor": executor, "outcome": outcome})
        for outcome in OUTCOMES
    }
    return {outcome: number for outcome, number in found.items() if number}


def number(kind: str, executor: str) -> float | None:
    return REGISTRY.get_sample_value(f"orchestrator_executor_{kind}_seconds_count", {"executor": executor})


def test_an_executor_is_reported_before_its_first_attempt() -> None:
    start_counting(["quiet"])
    assert counts("quiet") == {}
    assert number("start", "quiet") == number("attempt", "quiet") == 0


def test_what_was_returned_is_counted_with_its_start() -> None:
    with measured("first") as attempt:
        attempt.started()
        attempt.started()
        attempt.ended(Outcome(JobStatus.SUCCESS))
    with measured("first") as attempt:
        attempt.ended(Outcome(JobStatus.ERROR))
    assert counts("first") == {"success": 1, "error": 1}
    assert (number("start", "first"), number("attempt", "first")) == (1, 2)


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (ExecutionRefused("no lease"), "refused"),
        (ExecutionLost("gone"), "lost"),
        (ExecutionLeft(), "left"),
        (asyncio.CancelledError(), "lost"),
        (ValueError("ours"), "failed"),
    ],
)
def test_what_was_raised_is_counted_and_goes_on(error: BaseException, outcome: str) -> None:
    executor = f"raises {error!r}"
    with pytest.raises(type(error)), measured(executor):
        raise error
    assert counts(executor) == {outcome: 1}
