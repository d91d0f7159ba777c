"""What was probably meant where a cron expression does not have five words, or has words of other kinds."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

EVERY = "every: "
"""Begins a way out that is no cron expression."""
SPECIAL = {
    "?": "`?` is not used here",
    "#": "`#` (the n-th weekday of a month) is not supported",
    "~": "`~` (a random value) is not supported",
    "@": "words such as @daily are not supported",
}
_NICKNAMES = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
_FIELDS = 5
_ZONE = re.compile(r"(?:CRON_TZ|TZ)=", re.IGNORECASE)
_BLANKS = re.compile(r"(?<=[\w*])[ \t]+([-/,])[ \t]+(?=[\w*])|(?<=[\w*][-,/])[ \t]+(?=[\w*])", re.ASCII)
_TIME = re.compile(r"[\d*?][\d*?,/-]*|[A-Za-z]{3}(?:-[A-Za-z]{3})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Misreading:
    """Why the words are not five fields, where, and what to write instead if that is clear."""

    reason: str
    position: int
    way_out: str | None = None


def misread(text: str, words: Sequence[re.Match[str]]) -> Misreading | None:
    """None if there are five words, which are then read one by one."""
    if words and words[0][0].startswith("@"):
        return _nickname(words)
    if words and _ZONE.match(words[0][0]):
        position = words[0].start() + 1
        reason = f"the time zone goes into `timezone`, not into the expression (character {position})"
        return Misreading(reason, position, text[words[0].end() :].strip())
    comment = next((word for word in words if word[0].startswith("#")), None)
    if comment is not None:
        reason = f"an expression has no comments (character {comment.start() + 1})"
        return Misreading(reason, comment.start() + 1, text[: comment.start()].strip())
    if len(words) == _FIELDS:
        return None
    return _parted(text) or _miscounted(text, words)


def _nickname(words: Sequence[re.Match[str]]) -> Misreading:
    position = words[0].start() + 1
    reason = f"{SPECIAL['@']}; an expression has five fields (character {position})"
    return Misreading(reason, position, _NICKNAMES.get(words[0][0].lower()))


def _parted(text: str) -> Misreading | None:
    """`1 - 5` instead of `1-5`."""
    found = _BLANKS.search(text)
    if found is None:
        return None
    joined = _BLANKS.sub(lambda match: match[1] or "", text)
    if len(joined.split()) != _FIELDS:
        return None
    reason = f"there is a blank inside a field (character {found.start() + 1})"
    return Misreading(reason, found.start() + 1, joined.strip())


def _miscounted(text: str, words: Sequence[re.Match[str]]) -> Misreading:
    names = "minute, hour, day of month, month, day of week"
    reason = f"expected five fields ({names}), found {len(words)}"
    if len(words) < _FIELDS:
        position = len(text) + 1
        return Misreading(f"{reason} (character {position})", position)
    extra = words[_FIELDS]
    place = extra.start() + 1
    texts = [word[0] for word in words]
    if len(words) > _FIELDS + 2 or not all(_TIME.fullmatch(each) for each in texts[_FIELDS:]):
        first = " ".join(texts[:_FIELDS])
        return Misreading(f"{reason}; {extra[0]!r} (character {place}) is not part of it", place, first)
    instead = " ".join(texts[1 : _FIELDS + 1]).replace("?", "*")
    reason += f" (character {place}); seconds and years are not supported"
    return Misreading(reason, place, instead)
