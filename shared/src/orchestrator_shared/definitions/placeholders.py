"""`{{ scheduled_for }}` and `{{ vars.name }}` in parameters: what is put in before a job runs."""

import re
from collections.abc import Iterator, Mapping

PLACEHOLDER = re.compile(r"\{\{\s*([A-Za-z0-9_.]+)\s*\}\}")

_VARIABLE = re.compile(r"\{\{\s*vars\.[a-z][a-z0-9_]{0,62}\s*\}\}")


def is_variable_reference(value: object) -> bool:
    """Whether a value is `{{ vars.name }}` and nothing else: no secret, even where one is expected."""
    return isinstance(value, str) and _VARIABLE.fullmatch(value) is not None


def has_placeholder(value: object) -> bool:
    """Whether a value is a string with placeholders, known only when it runs; it stays a string then."""
    return isinstance(value, str) and PLACEHOLDER.search(value) is not None


def holds_placeholder(value: object) -> bool:
    """Whether any string in a value has a placeholder."""
    return next(placeholders(value), None) is not None


def placeholders(value: object) -> Iterator[str]:
    """The names in all placeholders of a value."""
    if isinstance(value, Mapping):
        for item in value.values():
            yield from placeholders(item)
    elif isinstance(value, list):
        for item in value:
            yield from placeholders(item)
    elif isinstance(value, str):
        yield from PLACEHOLDER.findall(value)
