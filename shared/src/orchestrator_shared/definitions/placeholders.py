"""`{{ scheduled_for }}` and `{{ vars.name }}` in parameters: what is put in before a job runs."""

import re
from collections.abc import Mapping

PLACEHOLDER = re.compile(r"\{\{\s*([A-Za-z0-9_.]+)\s*\}\}")


def has_placeholder(value: object) -> bool:
    """Whether a value is a text that is known only when it runs; it stays a text then."""
    return isinstance(value, str) and PLACEHOLDER.search(value) is not None


def holds_placeholder(value: object) -> bool:
    """Whether any text in a value has one."""
    if isinstance(value, Mapping):
        return any(holds_placeholder(item) for item in value.values())
    if isinstance(value, list):
        return any(holds_placeholder(item) for item in value)
    return has_placeholder(value)
