"""Limits the work of checks against schemas: a few lines of both could cause billions of comparisons."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

MAX_STEPS = 1_000_000
"""The steps of one request, each about five microseconds: more than ten for each value a body may have."""


class StepBudgetExceeded(Exception):
    """The limit of steps is used up."""


@dataclass(slots=True)
class StepBudget:
    """The steps that are left."""

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
    """Charge for the work that follows, or raise TooManySteps."""
    budget = _BUDGET.get()
    if budget is not None:
        budget.remaining -= count
        if budget.remaining < 0:
            raise StepBudgetExceeded
