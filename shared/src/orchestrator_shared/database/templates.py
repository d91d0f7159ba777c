"""SQL in which names in double braces stand for identifiers and texts that cannot be parameters."""

import re
from collections.abc import Mapping

_PLACEHOLDER = re.compile(r"\{\{\s*(\w+)\s*\}\}")


def quote_identifier(name: str) -> str:
    """A quoted identifier, whatever characters it has."""
    if "\0" in name or not name:
        raise ValueError("an identifier must not be empty or contain NUL")
    return '"' + name.replace('"', '""') + '"'


def quote_literal(text: str) -> str:
    """A quoted string literal, whatever the server's settings."""
    if "\0" in text:
        raise ValueError("a string must not contain NUL")
    quoted = "'" + text.replace("'", "''") + "'"
    return " E" + quoted.replace("\\", "\\\\") if "\\" in text else quoted


def render(template: str, values: Mapping[str, str]) -> str:
    """Put values, already quoted, in place of `{{name}}`; an unknown name raises KeyError."""
    return _PLACEHOLDER.sub(lambda match: values[match[1]], template)
