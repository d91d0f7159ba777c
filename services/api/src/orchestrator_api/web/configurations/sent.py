"""A form's fields put into the parameters they came from; pure."""

import json
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from orchestrator_api.http import bodies
from orchestrator_api.http.refusals import FieldError
from orchestrator_api.web.configurations.fields import NEW, PREFIX, Path
from orchestrator_api.web.configurations.schemas import as_number
from orchestrator_shared.security import MASK

_ABSENT = object()
_UNREADABLE = object()
Document = dict[str, Any]


class Sent(NamedTuple):
    """One field."""

    name: str
    kind: str
    path: Path
    text: str


@dataclass(slots=True)
class Filled:
    """The parameters, and which fields could not be read; those keep their value."""

    parameters: Document
    errors: list[FieldError] = field(default_factory=list)


def sent_of(fields: Mapping[str, str]) -> Iterator[Sent]:
    """The fields that are parameters."""
    for name, text in fields.items():
        prefix, _, rest = name.partition(":")
        kind, _, pointer = rest.partition(":")
        if prefix == PREFIX and pointer.startswith("/"):
            parts = (part.replace("~1", "/").replace("~0", "~") for part in pointer[1:].split("/"))
            yield Sent(name, kind, tuple(parts), text.replace("\r\n", "\n"))


def filled(fields: Mapping[str, str], base: Mapping[str, Any], stored: Mapping[str, Any]) -> Filled:
    """The parameters `base` with what the form says of them; `stored` tells which secrets are kept."""
    made = Filled(deepcopy(dict(base)))
    rows: dict[Path, list[Any]] = {}
    for each in sent_of(fields):
        if each.kind == "list":
            rows.setdefault(each.path, [])
        elif each.kind.startswith("list-"):
            _add(rows.setdefault(each.path[:-1], []), each)
        else:
            value = _value(each, _get(base, each.path), _get(stored, each.path), made.errors)
            if value is not _UNREADABLE:
                _put(made.parameters, each.path, value)
    for path, values in rows.items():
        _put(made.parameters, path, values if values or _get(base, path) is not _ABSENT else _ABSENT)
    return made


def _add(values: list[Any], each: Sent) -> None:
    if each.text or each.path[-1] != NEW:
        values.append(_scalar(each.kind.removeprefix("list-"), each.text))


def _value(each: Sent, before: Any, stored: Any, errors: list[FieldError]) -> Any:
    match each.kind:
        case "flag" | "flag-on":
            is_on, default = each.text == "on", each.kind == "flag-on"
            return _ABSENT if before is _ABSENT and is_on == default else is_on
        case "secret":
            return each.text or (MASK if stored is not _ABSENT else _ABSENT)
        case "json":
            return _parsed(each, errors) if each.text.strip() else _ABSENT
        case "choice":
            return _parsed(each, errors) if each.text else _ABSENT
        case _:
            # An empty text that was stored stays one; otherwise an empty field says nothing.
            return _scalar(each.kind, each.text) if each.text or before == "" else _ABSENT


def _scalar(kind: str, text: str) -> Any:
    """A number where one is wanted; anything else stays the text it is, for the check to refuse."""
    number = as_number(text.strip()) if kind in ("integer", "number") else None
    return text if number is None else number


def _parsed(each: Sent, errors: list[FieldError]) -> Any:
    try:
        return bodies.parse(each.text.encode())
    except bodies.Refused as refused:
        errors.append(FieldError(".".join(("parameters", *each.path)), refused.detail))
        return _UNREADABLE


def _get(values: object, path: Path) -> Any:
    for part in path:
        if not isinstance(values, Mapping) or part not in values:
            return _ABSENT
        values = values[part]
    return values


def _put(values: Document, path: Path, value: Any) -> None:
    *parents, last = path
    for part in parents:
        below = values.get(part)
        if not isinstance(below, dict):
            if value is _ABSENT:
                return
            below = values[part] = {}
        values = below
    if value is _ABSENT:
        values.pop(last, None)
    else:
        values[last] = value


def shown_json(parameters: Mapping[str, Any]) -> str:
    """As it stands in the editor."""
    return json.dumps(parameters, ensure_ascii=False, indent=2)
