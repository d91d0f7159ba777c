"""Spans of time as people write them (`30m`, `1d12h`, or a number of seconds) and say them (`41 min`)."""

import re
from itertools import pairwise

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


_SPOKEN = (("day", 86_400), ("h", 3_600), ("min", 60), ("s", 1))


def spoken_duration(seconds: float) -> str:
    """At most two units, as people say it: `0.4 s`, `41 s`, `6 min 53 s`, `1 h 37 min`, `3 days`."""
    if seconds < 9.95:
        return f"{max(round(seconds, 1), 0):g} s"
    whole = round(seconds)
    for (unit, size), (smaller, smaller_size) in pairwise(_SPOKEN):
        if whole >= size:
            count, rest = divmod(whole, size)
            tail = f" {rest // smaller_size} {smaller}" if rest >= smaller_size else ""
            return f"{count} {unit}{'s' if unit == 'day' and count > 1 else ''}{tail}"
    return f"{whole} s"


def about_duration(seconds: float) -> str:
    """As above, and from ten minutes on without seconds: `41 min`."""
    return spoken_duration(round(seconds / 60) * 60 if seconds >= 600 else seconds)
