"""The two sides of one editor: a form by the component's schema, and the same parameters as JSON; pure.

One side is edited at a time, the other shows the same. Turning from one to the other, adding a row and
removing one are forms of their own, so they work without scripts and lose nothing that was typed.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, Literal

from orchestrator_api.http.refusals import FieldError
from orchestrator_api.web.configurations.fields import Field, Form, form_of
from orchestrator_api.web.configurations.json_places import line_of, lines_of, parsed
from orchestrator_api.web.configurations.schemas import properties_of, resolved
from orchestrator_api.web.configurations.sent import Document, Filled, filled, sent_of, shown_json
from orchestrator_api.web.pages import Fields
from orchestrator_shared.sealed_values import SECRET_KEY, is_secret
from orchestrator_shared.security import MASK

Side = Literal["form", "json"]
PARAMETERS = "parameters"
JSON_ID = "json"
_MISSING = re.compile(r"'([^']*)'")
_ADD, _DROP = "add:", "drop:"


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, and the field to mend it in."""

    text: str
    anchor: str
    line: int = 0
    """In the JSON; 0 in the form."""


@dataclass(frozen=True, slots=True)
class Editor:
    """What both sides show."""

    side: Side
    text: str
    form: Form
    has_form: bool
    parameters: Document
    problems: Sequence[Problem] = ()
    errors: Fields = field(default_factory=Fields)
    """By the id of the field."""

    @property
    def is_json(self) -> bool:
        return self.side == "json"


@dataclass(frozen=True, slots=True)
class Read:
    """What a form says: the parameters, and what of it could not be read."""

    side: Side
    text: str
    parameters: Document
    errors: Sequence[FieldError]
    typed: Mapping[str, str]


def has_form(schema: object) -> bool:
    """Whether the schema names any property."""
    root = schema if isinstance(schema, Mapping) else {}
    return bool(properties_of(resolved(root, root)))


def begun(schema: object, parameters: Mapping[str, Any], side: str = "form") -> Editor:
    """The editor of these masked parameters."""
    shows_form = has_form(schema)
    text, form = shown_json(parameters), form_of(schema, parameters)
    chosen: Side = "form" if shows_form and side != "json" else "json"
    return Editor(chosen, text, form, shows_form, dict(parameters))


def read(fields: Mapping[str, str], stored: Mapping[str, Any]) -> Read:
    """What was sent; `stored` are the masked parameters in the database."""
    side: Side = "json" if fields.get("side") == "json" else "form"
    text = fields.get("json", "").replace("\r\n", "\n")
    base, errors = parsed(text)
    if errors or side == "json":
        return Read(side, text, base, errors, fields)
    found = filled(fields, base, stored)
    _turned(found, fields.get("turn", ""))
    return Read(side, shown_json(_masked(found.parameters, fields)), found.parameters, found.errors, fields)


def shown(schema: object, sent: Read, problems: Sequence[FieldError], turn: str = "") -> Editor:
    """The editor with what was sent, what is wrong with it, and the side that was asked for."""
    is_readable = not sent.errors
    side: Side = "json" if turn == "json" and is_readable else sent.side
    side = "form" if turn == "form" and is_readable and has_form(schema) else side
    text = sent.text if side == sent.side else shown_json(sent.parameters)
    form = form_of(schema, sent.parameters, sent.typed if sent.side == "form" else None)
    said = [*sent.errors, *problems]
    found = _in_json(said, text) if side == "json" else _in_form(said, form)
    errors = Fields()
    for each in found:
        errors[each.anchor] = f"{errors[each.anchor]}; {each.text}" if errors[each.anchor] else each.text
    return Editor(side, text, form, has_form(schema), sent.parameters, found, errors)


def _turned(found: Filled, turn: str) -> None:
    """Add a row to a list, or remove one."""
    pointer = turn.removeprefix(_ADD).removeprefix(_DROP)
    path = next((each.path for each in sent_of({f"p:list:{pointer}": ""})), ())
    if turn.startswith(_ADD) and (parent := _list_at(found.parameters, path)) is not None:
        parent.append("")
    elif turn.startswith(_DROP) and path and path[-1].isdecimal():
        place = int(path[-1])
        del (_list_at(found.parameters, path[:-1]) or [])[place : place + 1]


def _list_at(values: Document, path: tuple[str, ...]) -> list[Any] | None:
    """The list at this place, made if there is nothing."""
    for part in path[:-1]:
        below = values.setdefault(part, {})
        if not isinstance(below, dict):
            return None
        values = below
    found = values.setdefault(path[-1], []) if path else None
    return found if isinstance(found, list) else None


def _masked(parameters: Document, fields: Mapping[str, str]) -> Document:
    """Secrets typed into the form are not shown beside it."""
    hidden = deepcopy(parameters)
    for each in sent_of(fields):
        name = each.path[-1]
        if each.text and name.startswith(SECRET_KEY) and is_secret(name, each.text):
            values: Any = hidden
            for part in each.path[:-1]:
                values = values.get(part) if isinstance(values, dict) else None
            if isinstance(values, dict) and name in values:
                values[name] = MASK
    return hidden


def _in_json(errors: Sequence[FieldError], text: str) -> list[Problem]:
    lines = lines_of(text) if not parsed(text)[1] else {}
    return [Problem(_sentence(each), JSON_ID, line_of(each.field, lines) if lines else 0) for each in errors]


def _sentence(each: FieldError) -> str:
    path = each.field.removeprefix(PARAMETERS).strip(".")
    return f"{path}: {each.detail}" if path else each.detail


def _in_form(errors: Sequence[FieldError], form: Form) -> list[Problem]:
    fields = {each.path: each for each in _all(form.fields)}
    return [problem for each in errors for problem in _at_fields(each, fields)]


def _at_fields(error: FieldError, fields: Mapping[str, Field]) -> Iterator[Problem]:
    path = error.field.removeprefix(PARAMETERS).strip(".")
    if error.detail.startswith("missing "):
        missing = [".".join(filter(None, (path, name))) for name in _MISSING.findall(error.detail)]
        if missing and all(each in fields for each in missing):
            yield from (Problem(f"{fields[each].label} is missing", fields[each].id) for each in missing)
            return
    parts = path.split(".")
    for count in range(len(parts), 0, -1):
        found = fields.get(".".join(parts[:count]))
        if found is not None and found.kind != "group":
            yield Problem(f"{found.label}: {error.detail}", found.id)
            return
    yield Problem(_sentence(error), JSON_ID)


def _all(fields: Sequence[Field]) -> Iterator[Field]:
    for each in fields:
        yield each
        yield from _all(each.fields)
