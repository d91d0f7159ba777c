"""What claimed jobs waited for is told by cause."""

from prometheus_client import REGISTRY
from tests.support.claimed_jobs import claimed_job

from orchestrator_runner.queue.step_input import count_claims


def seconds(cause: str) -> float:
    return REGISTRY.get_sample_value("orchestrator_runner_wait_seconds_sum", {"cause": cause}) or 0.0


def test_waits_for_a_slot_and_for_the_limit_of_a_project_are_told_apart() -> None:
    before = {cause: seconds(cause) for cause in ("configuration", "slot", "parallel_limit")}
    jobs = [
        claimed_job(1, project="free", seconds_waiting=10.0, seconds_ready=1.0),
        claimed_job(2, project="limited", seconds_waiting=20.0, seconds_ready=2.0),
    ]
    count_claims(jobs, limited=("limited", "other"))
    assert {cause: seconds(cause) - was for cause, was in before.items()} == {
        "configuration": 30.0,
        "slot": 1.0,
        "parallel_limit": 2.0,
    }
