"""Limits the work of checks against schemas: a small schema and body can cause billions of comparisons."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

MAX_STEPS = 1_000_000
"""Steps of one request, about five microseconds each; more than ten for each value that fits into a body."""


class StepBudgetExceeded(Exception):
    """The request has used up its steps."""


@dataclass(slots=True)
class StepBudget:
    """How many steps a request may still use."""

    remaining: int = MAX_STEPS


_BUDGET: ContextVar[StepBudget | None] = ContextVar("steps", default=None)


@contextmanager
def charged_to(budget: StepBudget) -> Iterator[None]:
    """Charge all checks in this block to `budget`."""
    token = _BUDGET.set(budget)
    try:
        yield
    finally:
        _BUDGET.reset(token)


def spend(count: int = 1) -> None:
    """Charge for the work that follows; raises StepBudgetExceeded when nothing is left."""
    budget = _BUDGET.get()
    if budget is not None:
        budget.remaining -= count
        if budget.remaining < 0:
            raise StepBudgetExceeded
