"""What pydantic finds wrong, in words for people, alike in settings, messages, definitions and bodies.

The rejected value is never repeated: it may be a secret.
"""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from orchestrator_shared.domain.durations import format_duration

if TYPE_CHECKING:
    from pydantic import ValidationError


class Vocabulary(NamedTuple):
    """How a reader calls things: `must be an object` or `expected keys with values`."""

    must_be: str
    mapping: str
    unknown: str


JSON = Vocabulary("must be", "an object", "unknown field")
YAML = Vocabulary("expected", "keys with values", "unknown key")

_INSTANT = "an instant with its time zone, as in 2026-11-21T08:15:00Z"
_NOUNS = {
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "float_type": "a number",
    "float_parsing": "a number",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "list_type": "a list",
    "tuple_type": "a list",
    "string_type": "a string",
}
_MAPPINGS = ("dict_type", "model_type", "model_attributes_type")
_BOUNDS = {
    "greater_than": ("more than", "gt"),
    "less_than": ("less than", "lt"),
    "greater_than_equal": ("at least", "ge"),
    "less_than_equal": ("at most", "le"),
    "too_short": ("at least", "min_length"),
    "too_long": ("at most", "max_length"),
    "string_too_short": ("at least", "min_length"),
    "string_too_long": ("at most", "max_length"),
}
_DURATIONS = ("every", "timeout", "attempt_delay", "catch_up", "cool_down")


def explain(error: "ValidationError", *, prefix: str = "", words: Vocabulary = JSON, most: int = 5) -> str:
    """One line: each wrong field and why, at most so many."""
    found = error.errors(include_url=False, include_input=False)
    return "; ".join(f"{path_of(item, prefix)}: {describe(item, words)}" for item in found[:most])


def path_of(item: Mapping[str, Any], prefix: str = "") -> str:
    """`data.tables.0`; `body` for the whole."""
    return ".".join([prefix, *map(str, item["loc"])]).strip(".") or "body"


def describe(item: Mapping[str, Any], words: Vocabulary = JSON) -> str:
    """What is wrong with one field; `item` is an entry of `ValidationError.errors()`."""
    kind, context = str(item["type"]), item.get("ctx", {})
    if kind == "missing":
        return "is missing"
    if kind == "extra_forbidden":
        return words.unknown
    if kind == "timezone_aware":
        return "lacks the time zone: write it as in 2026-11-21T08:15:00Z"
    if kind == "string_pattern_mismatch":
        return _pattern(str(context["pattern"]))
    if kind in _BOUNDS:
        return _bound(kind, context, is_duration=_is_duration(item["loc"]))
    noun = _noun(kind, words)
    return f"{words.must_be} {noun}" if noun else _plain(str(item["msg"]), words)


def _noun(kind: str, words: Vocabulary) -> str | None:
    if kind in _MAPPINGS:
        return words.mapping
    if kind.startswith(("datetime_", "date_from")):
        return _INSTANT
    if kind.startswith("uuid_"):
        return "a UUID, as in 019a3c5e-0000-7000-8000-000000000000"
    return _NOUNS.get(kind)


def _plain(text: str, words: Vocabulary) -> str:
    """What pydantic says, and what our own validators say."""
    text = text.removeprefix("Value error, ").replace("a valid dictionary", words.mapping)
    return text.replace("Input should be", words.must_be)


def _bound(kind: str, context: Mapping[str, Any], *, is_duration: bool) -> str:
    words, key = _BOUNDS[kind]
    bound = context[key]
    if not key.endswith("_length"):
        return f"must be {words} {_shown_duration(bound) if is_duration else bound}"
    one, many = ("character", "characters") if kind.startswith("string") else ("entry", "entries")
    return f"must have {words} {bound} {one if bound == 1 else many}"


def _is_duration(path: tuple[str | int, ...]) -> bool:
    last = str(path[-1]) if path else ""
    return last in _DURATIONS or last.endswith("_seconds")


def _shown_duration(bound: float) -> str:
    """`1m (60 seconds)`: with its unit, however the field counts."""
    if bound != int(bound):
        return f"{bound} seconds"
    seconds = int(bound)
    unit = "second" if seconds == 1 else "seconds"
    return f"{seconds} {unit}" if seconds < 60 else f"{format_duration(seconds)} ({seconds} {unit})"


_IDENTIFIER = re.compile(r"\^\(?(?:\\\*\|)?\[(?P<first>a-z(?:0-9)?_?)\].*?\[a-z0-9(?P<signs>[._/-]*)\]")
_SIGNS = {".": "`.`", "_": "`_`", "-": "`-`", "/": "`/`"}


def _pattern(pattern: str) -> str:
    if "@" in pattern:
        return "must be an address, as in data-team@example.com"
    if "://" in pattern:
        return "must be a URL, as in https://host/path"
    name = _IDENTIFIER.match(pattern)
    if name is None:
        return f"must match {pattern}"
    signs = [words for sign, words in _SIGNS.items() if sign in name["signs"]]
    *most, last = ["lower-case letters", "digits", *signs]
    begin = "a letter or digit" if "0-9" in name["first"] else "a letter"
    ends = "; begin and end with" if pattern.rstrip("$)?").endswith("[a-z0-9]") else "; begin with"
    return f"use {', '.join(most)} and {last}{ends} {begin}"
