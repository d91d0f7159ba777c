"""`{{ scheduled_for }}` and `{{ vars.name }}` in parameters: what is put in before a job runs."""

import re

PLACEHOLDER = re.compile(r"\{\{\s*([A-Za-z0-9_.]+)\s*\}\}")


def has_placeholder(value: object) -> bool:
    """Whether a value is a text that is known only when it runs; it stays a text then."""
    return isinstance(value, str) and PLACEHOLDER.search(value) is not None
