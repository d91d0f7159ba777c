"""Points in time and durations as people write them in options."""

import re
from datetime import UTC, datetime, timedelta

from orchestrator_cli.failures import BadInput

AGO = re.compile(r"(\d{1,6})([mhdw])")
UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
DURATION = re.compile(r"(\d{1,9})([smhd])")
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def instant(option: str, given: str | None, now: datetime) -> str | None:
    """A timestamp as it is, or the time before now that `7d` stands for."""
    if given is None:
        return None
    if ago := AGO.fullmatch(given):
        try:
            return (now - timedelta(**{UNITS[ago[2]]: int(ago[1])})).strftime("%Y-%m-%dT%H:%M:%SZ")
        except OverflowError:
            raise BadInput(f"{option} {given} is before the calendar begins") from None
    try:
        at = datetime.fromisoformat(given)
    except ValueError:
        raise BadInput(
            f"{option} {given} is neither a time, such as 2026-11-21T08:00:00Z, nor 24h or 7d"
        ) from None
    if at.tzinfo is None:
        raise BadInput(f"{option} {given} has no time zone: write {given}Z for UTC")
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def seconds(option: str, given: str | None) -> int | None:
    """How many seconds `90s`, `5m`, `2h` or `1d` are."""
    if given is None:
        return None
    found = DURATION.fullmatch(given)
    if found is None:
        raise BadInput(f"{option} {given} is not a duration: write it as 90s, 5m, 2h or 1d")
    return int(found[1]) * SECONDS[found[2]]
