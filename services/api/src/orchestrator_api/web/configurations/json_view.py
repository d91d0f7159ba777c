"""JSON as it is read: its keys and texts told apart; pure."""

import re
from collections.abc import Sequence
from typing import Literal, NamedTuple

MOST_CHARACTERS = 200_000
_PART = re.compile(r'"(?:[^"\\]|\\.)*"(?: *:)?|[^"]+')


class Part(NamedTuple):
    """A piece of the text."""

    kind: Literal["key", "text", "other"]
    text: str


def parts_of(text: str) -> Sequence[Part]:
    """All of a valid JSON text, in its order; a very long one in one piece."""
    if len(text) > MOST_CHARACTERS:
        return [Part("other", text)]
    return [Part(_kind(found), found) for found in _PART.findall(text)]


def _kind(found: str) -> Literal["key", "text", "other"]:
    if not found.startswith('"'):
        return "other"
    return "key" if found.endswith(":") else "text"
