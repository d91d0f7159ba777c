"""Where the values of a JSON text stand: the line of each path, for what is wrong with it; pure."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence

from orchestrator_api.http import bodies
from orchestrator_api.http.refusals import FieldError

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}:,]|[^\s\[\]{}:,"]+|\n')
MAX_DEPTH = bodies.MAX_DEPTH


def parsed(text: str) -> tuple[dict[str, object], list[FieldError]]:
    """The object of a text, or what is wrong with it."""
    try:
        value = bodies.parse(text.encode("utf-8", "surrogatepass"))
    except bodies.Refused as refused:
        return {}, [FieldError("", refused.detail)]
    if not isinstance(value, dict):
        return {}, [FieldError("", 'must be a JSON object: {"name": "value"}')]
    return value, []


def lines_of(text: str) -> Mapping[str, int]:
    """The line on which each value of a valid JSON text begins, by its dotted path."""
    return dict(reversed(list(_places(text))))


def _places(text: str) -> Iterator[tuple[str, int]]:
    path: list[str] = []
    """The key or index of each open object and list."""
    is_list: list[bool] = []
    line, is_key = 1, False
    for mark in _TOKEN.findall(text):
        if mark == "\n":
            line += 1
        elif mark in ("{", "["):
            yield ".".join(path), line
            is_list.append(mark == "[")
            path.append("0")
            is_key = mark == "{"
        elif mark in ("}", "]"):
            del path[-1:], is_list[-1:]
            is_key = False
        elif mark == ",":
            if is_list and is_list[-1]:
                path[-1] = str(int(path[-1]) + 1)
            is_key = bool(is_list) and not is_list[-1]
        elif mark == ":":
            is_key = False
        elif is_key:
            path[-1] = json.loads(mark)
        else:
            yield ".".join(path), line


def line_of(field: str, lines: Mapping[str, int], prefix: str = "parameters") -> int:
    """The line of what an error names, or of what it is in."""
    parts = field.removeprefix(prefix).strip(".").split(".")
    for count in range(len(parts), -1, -1):
        found = lines.get(".".join(parts[:count]))
        if found is not None:
            return found
    return 1


def with_lines(errors: Sequence[FieldError], text: str) -> list[tuple[int, FieldError]]:
    """Each error with its line."""
    lines = lines_of(text)
    return [(line_of(each.field, lines), each) for each in errors]
