"""Spans of time as people write them: `30m`, `1d12h`, or a number of seconds."""

import re

from orchestrator_shared.domain.errors import UserError

_UNITS = {"w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1}
_DIGITS = {"w": 6, "d": 6, "h": 6, "m": 6, "s": 9}
_DURATION = re.compile(
    r" ?".join(rf"(?:(\d{{1,{digits}}}) ?{unit})?" for unit, digits in _DIGITS.items()), re.ASCII
)
MAX_SECONDS = 10 * 366 * 86_400


def parse_duration(value: object, *, field: str | None = None) -> int:
    """Seconds; `45m`, `45 m` and `1d 12h` are accepted; raises UserError naming `field`."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise UserError("expected a duration such as 30m, 24h, 1d12h, or whole seconds", field=field)
    seconds = value if isinstance(value, int) else _parse_text(value.strip(), field)
    if not 0 <= seconds <= MAX_SECONDS:
        raise UserError("a duration is between 0 and ten years", field=field)
    return seconds


def _parse_text(text: str, field: str | None) -> int:
    if text.isascii() and text.isdigit() and len(text) <= 12:
        return int(text)
    match = _DURATION.fullmatch(text)
    if not text or match is None:
        shown = text if len(text) <= 40 else text[:40] + "…"
        raise UserError(f"{shown!r} is not a duration: write for example 30m, 24h, 1d12h, 90s", field=field)
    return sum(int(count or 0) * size for count, size in zip(match.groups(), _UNITS.values(), strict=True))


def format_duration(seconds: int) -> str:
    """The same in the shortest such words: 5400 is `1h30m`."""
    parts = []
    for unit, size in list(_UNITS.items())[1:]:
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


def spoken_duration(seconds: float) -> str:
    """As people say it, in two units at most: `41 s`, `6 min 53 s`, `1 h 37 min`, `3 days`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3_600:
        minutes, rest = divmod(whole, 60)
        return f"{minutes} min {rest} s" if minutes < 10 and rest else f"{minutes} min"
    if whole < 2 * 86_400:
        hours, rest = divmod(whole // 60, 60)
        return f"{hours} h {rest} min" if rest else f"{hours} h"
    return f"{whole // 86_400} days"
