"""How much work judging by a schema may be: with a few lines of both, it could be billions of comparisons."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

MAX_STEPS = 1_000_000
"""Of one request, each about five microseconds: more than ten for each value that a body may have."""


class TooManySteps(Exception):
    """Nothing is left to spend."""


@dataclass(slots=True)
class Steps:
    """What is left."""

    left: int = MAX_STEPS


_SPENT: ContextVar[Steps | None] = ContextVar("steps", default=None)


@contextmanager
def within(steps: Steps) -> Iterator[None]:
    """Whatever is judged in here is paid from `steps`."""
    token = _SPENT.set(steps)
    try:
        yield
    finally:
        _SPENT.reset(token)


def spend(count: int = 1) -> None:
    """Pay for the work that comes next, or raise TooManySteps."""
    steps = _SPENT.get()
    if steps is not None:
        steps.left -= count
        if steps.left < 0:
            raise TooManySteps
