"""Counts attempts by what their executor reported, and how long they took to start and to end."""

import asyncio
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from orchestrator_runner import metrics
from orchestrator_runner.executors.port import ExecutionLeft, ExecutionLost, ExecutionRefused, Outcome
from orchestrator_shared.metrics import start_at_zero

_ENDS = {
    ExecutionRefused: "refused",
    ExecutionLost: "lost",
    ExecutionLeft: "left",
    asyncio.CancelledError: "lost",
}


def start_counting(executors: Iterable[str]) -> None:
    """Report these executors before their first attempts."""
    names = tuple(executors)
    start_at_zero(metrics.ATTEMPTS, names, metrics.OUTCOMES)
    start_at_zero(metrics.START_SECONDS, names)
    start_at_zero(metrics.ATTEMPT_SECONDS, names)


class MeasuredAttempt:
    """One call of an executor."""

    def __init__(self, executor: str) -> None:
        self._executor = executor
        self._began = time.perf_counter()
        self._outcome = "failed"
        self._has_started = False

    def started(self) -> None:
        """See `Execution.started`; only the first call counts."""
        if not self._has_started:
            self._has_started = True
            metrics.START_SECONDS.labels(self._executor).observe(time.perf_counter() - self._began)

    def ended(self, outcome: Outcome) -> Outcome:
        """The executor returned this."""
        self._outcome = outcome.status.value
        return outcome

    def count(self, error: BaseException | None = None) -> None:
        """The call is over."""
        how = self._outcome if error is None else _ENDS.get(type(error), "failed")
        metrics.ATTEMPTS.labels(self._executor, how).inc()
        metrics.ATTEMPT_SECONDS.labels(self._executor).observe(time.perf_counter() - self._began)


@contextmanager
def measured(executor: str) -> Iterator[MeasuredAttempt]:
    """Measure one call of an executor."""
    attempt = MeasuredAttempt(executor)
    try:
        yield attempt
    except BaseException as error:
        attempt.count(error)
        raise
    attempt.count()
