"""JSON as it is read: its keys and texts told apart; pure."""

import re
from collections.abc import Sequence
from typing import Literal, NamedTuple

_PART = re.compile(r'"(?:[^"\\]|\\.)*"(?: *:)?|[^"]+')


class Part(NamedTuple):
    """A piece of the text."""

    kind: Literal["key", "text", "other"]
    text: str


def parts_of(text: str) -> Sequence[Part]:
    """All of a valid JSON text, in its order."""
    return [Part(_kind(found), found) for found in _PART.findall(text)]


def _kind(found: str) -> Literal["key", "text", "other"]:
    if not found.startswith('"'):
        return "other"
    return "key" if found.endswith(":") else "text"
