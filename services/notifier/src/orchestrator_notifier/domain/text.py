"""Makes untrusted text safe for a mail: no control characters, no tricks, bounded in length."""

import re
import unicodedata
from datetime import UTC, datetime

_ESCAPE = re.compile(r"\x1b(?:\[[0-9;:?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
_DROPPED = frozenset({"Cc", "Cf", "Cs"})
"""Controls, invisible formatting (which can reverse the direction of a line) and lone surrogates."""


def one_line(text: str, limit: int) -> str:
    """Without line breaks and control characters, cut to the limit."""
    return _cut(" ".join(_visible(_ESCAPE.sub("", text)).split()), limit)


def lines(text: str, *, limit: int, width: int) -> list[str]:
    """The last lines, each made visible and cut to a width; empty ones at the ends are dropped."""
    made = [_cut(_visible(line).rstrip(), width) for line in _ESCAPE.sub("", text).splitlines()]
    while made and not made[-1]:
        made.pop()
    while made and not made[0]:
        made.pop(0)
    return made[-limit:]


def paragraph(text: str, limit: int) -> str:
    """Lines are kept, everything else is as in `one_line`."""
    return _cut("\n".join(lines(text, limit=limit, width=limit)), limit)


def _visible(line: str) -> str:
    spaced = line.expandtabs(4)
    return "".join(
        " " if character in "\r\n\v\f\x85\u2028\u2029" else character
        for character in spaced
        if unicodedata.category(character) not in _DROPPED or character in "\r\n\v\f\x85"
    )


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def instant(at: datetime) -> str:
    """An instant for people, in UTC."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def span(begin: datetime | None, end: datetime | None) -> str | None:
    """A duration in at most two units: `1 h 5 min`, `42 s`."""
    if begin is None or end is None:
        return None
    seconds = max((end - begin).total_seconds(), 0)
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    for size, unit, below, small in ((86_400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= size:
            count, rest = divmod(whole, size)
            return f"{count} {unit} {rest // below} {small}" if rest // below else f"{count} {unit}"
    return f"{whole} s"
