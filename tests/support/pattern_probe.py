"""A process that matches patterns against hostile texts; its CPU clock ends it where one takes too long."""

import json
import re
import signal
import sys
from collections.abc import Iterator, Sequence
from re import _compiler, _constants, _parser  # type: ignore[attr-defined]  # what a pattern consists of
from typing import Any

LENGTH = 50_000
CPU_SECONDS = 0.25
"""For one text. A linear pattern takes less than a hundredth of it, a quadratic one many times as long."""

CHARACTERS = [
    "a",
    "A",
    "1",
    "-",
    "_",
    ".",
    "/",
    "\\",
    "{",
    "*",
    " ",
    "\t",
    "\n",
    ":",
    "@",
    "'",
    '"',
    "$",
    "\x1b",
    "\xe9",
]
PAIRS = ["a-", "a.", "a ", "{{", "\\\\", "/*", "*/", "/**/", "''", "a:", "--\n", "://a:"]
_REPEATS = (_constants.MAX_REPEAT, _constants.MIN_REPEAT)


def hostile_texts(pattern: str, flags: int) -> Iterator[str]:
    """Long runs of what the pattern repeats, after what it wants before them, with and without a bad end."""
    tree = _parser.parse(pattern, flags)
    places = dict.fromkeys(_before_repeats(tree, "", flags))
    pumps = [c for c in CHARACTERS if any(_matches(node, c, flags) for node in _repeated(tree))]
    for before in dict.fromkeys(["", *places]):
        for pump in [*pumps, *PAIRS]:
            for end in ("", "\0!"):
                yield before + pump * (LENGTH // len(pump)) + end


def _inner(kind: Any, value: Any) -> list[Any]:
    """The sequences inside of a node."""
    if kind in _REPEATS or kind is _constants.POSSESSIVE_REPEAT:
        return [value[2]]
    if kind is _constants.SUBPATTERN:
        return [value[3]]
    if kind is _constants.BRANCH:
        return list(value[1])
    return []


def _repeated(sequence: Any) -> Iterator[Any]:
    for kind, value in sequence:
        if kind in _REPEATS and value[1] > 20:
            yield value[2]
        for inner in _inner(kind, value):
            yield from _repeated(inner)


def _before_repeats(sequence: Any, before: str, flags: int) -> Iterator[str]:
    for kind, value in sequence:
        if kind in _REPEATS:
            yield before
        for inner in _inner(kind, value):
            yield from _before_repeats(inner, before, flags)
        before += _sample(kind, value, flags)


def _sample(kind: Any, value: Any, flags: int) -> str:
    """A short text that a node matches."""
    if kind is _constants.LITERAL:
        return chr(value)
    if kind in (_constants.IN, _constants.NOT_LITERAL, _constants.ANY):
        return next((each for each in CHARACTERS if _matches([(kind, value)], each, flags)), "")
    inner = _inner(kind, value)
    once = "".join(_sample(each, of, flags) for each, of in inner[0]) if inner else ""
    return once * max(1, value[0]) if kind in _REPEATS else once


def _matches(nodes: Sequence[Any], text: str, flags: int) -> bool:
    tree = _parser.SubPattern(_parser.State(), list(nodes))
    try:
        return _compiler.compile(tree, flags).match(text) is not None
    except (IndexError, re.error):  # a group that is counted elsewhere
        return False


def match(pattern: str, flags: int, method: str) -> None:
    """Use the pattern as the product does, on every hostile text; SIGVTALRM ends what takes too long."""
    compiled = re.compile(pattern, flags)
    for text in hostile_texts(pattern, flags):
        signal.setitimer(signal.ITIMER_VIRTUAL, CPU_SECONDS)
        if method in ("sub", "subn"):
            compiled.sub("", text)
        elif method == "finditer":
            compiled.findall(text)
        else:
            getattr(compiled, method)(text)
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)


if __name__ == "__main__":
    for place, *question in json.load(sys.stdin):
        print(place, flush=True)
        match(*question)
    print("all", flush=True)
