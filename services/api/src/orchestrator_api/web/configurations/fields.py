"""A component's JSON Schema and its parameters as the fields of a form; pure.

The name of a field says how its text is read: `p:integer:/limits/rows`. So `sent.py` reads a form without
the schema, as it was when the form was shown.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from orchestrator_api.web.configurations.schemas import (
    Kind,
    Schema,
    Shape,
    alternatives_of,
    choices_of,
    label_of,
    properties_of,
    required_of,
    resolved,
    shape_of,
    words_of,
)
from orchestrator_shared.definitions.placeholders import is_variable_reference
from orchestrator_shared.security import is_mask

_NONE: Any = object()
_NULL = {"value": "null"}
MAX_FIELDS = 200
MAX_DEPTH = 4
MAX_ROWS = 100
"""Of a list; a longer one is edited as JSON."""
MOST_NAMED = 12
PREFIX, NEW = "p", "-"
Typed = Mapping[str, str]
Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Option:
    """One value to choose."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class Row:
    """One element of a list."""

    name: str
    value: str
    place: str
    """For the button that removes it; empty for the row to add one."""


@dataclass(frozen=True, slots=True)
class Field:
    """One property, or the properties of an object."""

    id: str
    name: str
    kind: Kind
    key: str
    path: str
    """As errors name it."""
    label: str
    hint: str
    is_required: bool
    value: str = ""
    placeholder: str = ""
    is_on: bool = False
    is_set: bool = False
    """A secret that is stored."""
    options: Sequence[Option] = ()
    item: Kind = "text"
    rows: Sequence[Row] = ()
    pointer: str = ""
    fields: Sequence["Field"] = ()


@dataclass(slots=True)
class Form:
    """The fields, and what the form does not show."""

    fields: Sequence[Field] = ()
    others: list[str] = field(default_factory=list)
    """What is set and has no field."""
    is_cut: bool = False
    """There are more properties than fields."""
    alternatives: Sequence[Sequence[str]] = ()

    @property
    def named_others(self) -> list[str]:
        return self.others[:MOST_NAMED]


def pointer_of(path: Path) -> str:
    """A JSON pointer (RFC 6901)."""
    return "".join(f"/{part.replace('~', '~0').replace('/', '~1')}" for part in path)


def name_of(kind: str, path: Path) -> str:
    return f"{PREFIX}:{kind}:{pointer_of(path)}"


def form_of(schema: object, parameters: Mapping[str, Any], typed: Typed | None = None) -> Form:
    """The form of these masked parameters; `typed` is what stands in fields that could not be read."""
    root: Schema = schema if isinstance(schema, Mapping) else {}
    made = _Maker(root, typed or {})
    here = resolved(root, root)
    made.form.fields = list(made.below(here, parameters, ()))
    made.form.alternatives = list(alternatives_of(here))
    return made.form


class _Maker:
    """Makes the fields of one form, and counts them."""

    def __init__(self, root: Schema, typed: Typed) -> None:
        self.root, self.typed = root, typed
        self.form = Form()
        self.left = MAX_FIELDS

    def below(self, schema: Schema, values: Mapping[str, Any], path: Path) -> Iterator[Field]:
        """The fields of an object's properties."""
        required, known = required_of(schema), properties_of(schema)
        labels = Counter(
            label_of(name, resolved(part, self.root)) for name, part in islice(known.items(), MAX_FIELDS)
        )
        for name, part in known.items():
            if self.left <= 0:
                self.form.is_cut = True
                break
            self.left -= 1
            value = values.get(name, _NONE)
            made = self.one(name, part, value, (*path, name), is_required=name in required)
            yield replace(made, label=name) if labels[made.label] > 1 else made
        self.form.others += [".".join((*path, key)) for key in values if key not in known]

    def one(self, name: str, schema: object, value: Any, path: Path, *, is_required: bool) -> Field:
        is_null, value = value is None, None if value is _NONE else value
        shape = shape_of(name, schema, value, self.root)
        is_long = shape.kind == "list" and len(value or ()) > MAX_ROWS
        if is_null or is_long or (shape.kind == "group" and len(path) >= MAX_DEPTH):
            shape = Shape("json", shape.schema)
        about = {
            "id": f"f{MAX_FIELDS - self.left}",
            "kind": shape.kind,
            "key": name,
            "path": ".".join(path),
            "pointer": pointer_of(path),
            "label": label_of(name, shape.schema),
            "hint": words_of(shape.schema),
            "is_required": is_required,
            **(_NULL if is_null else self._filled(shape, value, path)),
        }
        own = name_of(_reading(shape, about), path)
        if own in self.typed and "value" in about:
            about["value"] = self.typed[own]
        return Field(name=own, **about)

    def _filled(self, shape: Shape, value: Any, path: Path) -> dict[str, Any]:
        default = shape.schema.get("default")
        hint = {"placeholder": str(default)[:80]} if isinstance(default, str | int | float) else {}
        match shape.kind:
            case "group":
                return {"fields": list(self.below(shape.schema, value or {}, path))}
            case "list":
                return {"item": shape.item, "rows": list(self._rows(shape.item, value or [], path))}
            case "flag":
                return {"is_on": value if isinstance(value, bool) else default is True}
            case "choice":
                return {
                    "value": "" if value is None else _json(value),
                    "options": _options(shape.schema, value),
                }
            case "secret":
                is_set = is_mask(value)
                return {"value": "" if is_set or value is None else str(value), "is_set": is_set}
            case "json":
                return {"value": "" if value is None else _pretty(value)}
            case _:
                return {"value": "" if value is None else str(value), **hint}

    def _rows(self, item: Kind, values: Sequence[Any], path: Path) -> Iterator[Row]:
        kind = f"list-{item}"
        for place, value in enumerate(values):
            name = name_of(kind, (*path, str(place)))
            yield Row(name, str(value), pointer_of((*path, str(place))))
        yield Row(name_of(kind, (*path, NEW)), "", "")


def _reading(shape: Shape, about: Mapping[str, Any]) -> str:
    """How `sent.py` reads it: a box that begins checked is only stored once it is not."""
    if shape.kind == "flag" and shape.schema.get("default") is True:
        return "flag-on"
    if shape.kind == "secret" and is_variable_reference(about["value"]):
        return "text"
    return shape.kind


def _options(schema: Schema, value: Any) -> list[Option]:
    found = choices_of(schema)
    others = [value] if value is not None and value not in found else []
    return [Option(_json(each), each if isinstance(each, str) else _json(each)) for each in (*found, *others)]


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _pretty(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)
