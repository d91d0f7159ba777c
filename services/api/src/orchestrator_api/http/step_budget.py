"""Limits the work of checks against schemas: a few lines of both could cause billions of comparisons."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

MAX_STEPS = 1_000_000
"""The steps of one request, each about five microseconds: more than ten for each value a body may have."""


class TooManySteps(Exception):
    """The limit of steps is used up."""


@dataclass(slots=True)
class Steps:
    """The steps that are left."""

    left: int = MAX_STEPS


_SPENT: ContextVar[Steps | None] = ContextVar("steps", default=None)


@contextmanager
def within(steps: Steps) -> Iterator[None]:
    """Charge all checks in this block to `steps`."""
    token = _SPENT.set(steps)
    try:
        yield
    finally:
        _SPENT.reset(token)


def spend(count: int = 1) -> None:
    """Charge for the work that follows, or raise TooManySteps."""
    steps = _SPENT.get()
    if steps is not None:
        steps.left -= count
        if steps.left < 0:
            raise TooManySteps
