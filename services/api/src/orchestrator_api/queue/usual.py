"""Usual lengths, and what they say about now: when a holder ends, when those in line start."""

from dataclasses import dataclass
from datetime import datetime, timedelta

LONGER = 1.2
"""A job runs longer than usual from a fifth over its usual length on."""


@dataclass(frozen=True, slots=True)
class Line:
    """A lane as far as it decides when its jobs start: all of them run the same configuration."""

    usual_seconds: float | None
    """None where too few jobs have succeeded to judge by."""
    is_held: bool
    holder_started_at: datetime | None
    """None until the holder starts."""
    is_ending: bool = False
    """Whether the holder is being stopped."""


def expected_end(line: Line, now: datetime) -> datetime | None:
    """When the holder would end if it took as long as usual; never in the past, as it has not ended."""
    if line.is_ending:
        return now
    if line.usual_seconds is None:
        return None
    return max(now, (line.holder_started_at or now) + timedelta(seconds=line.usual_seconds))


def expected_start(line: Line, place: int, now: datetime) -> datetime | None:
    """When the job at this place in line would start; None if that cannot be told."""
    free_at = expected_end(line, now) if line.is_held else now
    if free_at is None or place == 1:
        return free_at
    if line.usual_seconds is None:
        return None
    return free_at + timedelta(seconds=(place - 1) * line.usual_seconds)


def is_longer_than_usual(line: Line, now: datetime) -> bool:
    """Whether the holder has been running for more than a fifth over its usual length."""
    if line.usual_seconds is None or line.holder_started_at is None:
        return False
    return (now - line.holder_started_at).total_seconds() > LONGER * line.usual_seconds
