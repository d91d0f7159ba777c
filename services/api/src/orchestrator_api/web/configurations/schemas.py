"""Reads a component's JSON Schema for a form: with bounded effort, whatever it says; pure.

A schema is an administrator's text and may be deep, huge or refer to itself: each look at it ends after a
few steps, and what is not understood is edited as JSON.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from orchestrator_shared.sealed_values import SECRET_KEY

MAX_HOPS = 8
"""References that are followed in a row."""
MAX_CHOICES = 200
MAX_WORDS = 400
Schema = Mapping[str, Any]
Kind = Literal["text", "lines", "integer", "number", "flag", "choice", "secret", "list", "group", "json"]
_TYPES: Mapping[str, Kind] = {"string": "text", "integer": "integer", "number": "number", "boolean": "flag"}
_SCALARS = ("text", "lines", "integer", "number")


@dataclass(frozen=True, slots=True)
class Shape:
    """How one value is edited."""

    kind: Kind
    schema: Schema
    item: Kind = "text"
    """Of a list."""


def properties_of(schema: Schema) -> dict[str, Any]:
    """The properties of an object, by name."""
    found = schema.get("properties")
    return {str(name): part for name, part in found.items()} if isinstance(found, Mapping) else {}


def required_of(schema: Schema) -> frozenset[str]:
    found = schema.get("required")
    return frozenset(name for name in _items(found) if isinstance(name, str))


def resolved(schema: object, root: Schema) -> Schema:
    """The schema behind references within the document, with what stands beside them."""
    here: Schema = schema if isinstance(schema, Mapping) else {}
    for _ in range(MAX_HOPS):
        if isinstance(here.get("$ref"), str):
            below = _at(root, here["$ref"])
        elif len(_items(here.get("allOf"))) == 1 and "properties" not in here:
            below = here["allOf"][0]
        else:
            return here
        beside = {key: part for key, part in here.items() if key not in ("$ref", "allOf")}
        here = {**below, **beside} if isinstance(below, Mapping) else {}
    return {}


def _at(root: Schema, reference: str) -> object:
    """What a reference within the document names; None for any other."""
    found: object = root
    parts = reference.removeprefix("#").split("/")[1:] if reference.startswith("#") else ["", ""]
    for part in parts[: MAX_HOPS * 2]:
        key = part.replace("~1", "/").replace("~0", "~")
        found = found.get(key) if isinstance(found, Mapping) else None
    return found


def shape_of(name: str, schema: object, value: object, root: Schema) -> Shape:
    """How the property is edited while it has this value; None counts as none."""
    here = _branch(resolved(schema, root), value, root)
    kind = _kind(here, value)
    if name.startswith(SECRET_KEY):
        is_text = kind in ("text", "lines") and (value is None or isinstance(value, str))
        return Shape("secret" if is_text else "json", here)
    if kind == "list":
        item = _kind(resolved(here.get("items"), root), None)
        is_simple = item in _SCALARS and _are_items(value, item)
        return Shape("list", here, _of_items(item, value)) if is_simple else Shape("json", here)
    return Shape(kind if value is None or _fits(kind, value) else "json", here)


def _branch(here: Schema, value: object, root: Schema) -> Schema:
    """Of alternatives the one that the value has, or else the first that a form can show."""
    found = _items(here.get("oneOf")) or _items(here.get("anyOf"))
    if not found or "type" in here or "properties" in here:
        return here
    branches = [resolved(each, root) for each in found[:MAX_HOPS]]
    shown = [each for each in branches if each.get("type") != "null"]
    fitting = [each for each in shown if value is not None and _fits(_kind(each, value), value)]
    beside = {key: part for key, part in here.items() if key not in ("oneOf", "anyOf")}
    return {**next(iter(fitting or shown), {}), **beside}


def _kind(here: Schema, value: object) -> Kind:
    if choices_of(here):
        return "choice"
    name = here.get("type")
    if isinstance(name, list):
        name = next(iter(each for each in name if each != "null"), None) if len(name) <= 2 else None
    if name == "array":
        return "list"
    if name == "object" or (name is None and "properties" in here):
        return "group" if properties_of(here) else "json"
    kind = _TYPES.get(name, "json") if isinstance(name, str) else "json"
    has_lines = "contentMediaType" in here or (isinstance(value, str) and "\n" in value)
    return "lines" if kind == "text" and has_lines else kind


def choices_of(here: Schema) -> list[Any]:
    """What one may choose between, if there are few enough."""
    if "const" in here:
        return [here["const"]]
    found = _items(here.get("enum"))
    return list(found) if len(found) <= MAX_CHOICES else []


def _fits(kind: Kind, value: object) -> bool:
    match kind:
        case "text" | "lines":
            return isinstance(value, str)
        case "integer" | "number":
            # A placeholder, or what someone has typed: a text that is a number would become one.
            return is_number(value) or (isinstance(value, str) and as_number(value) is None)
        case "flag":
            return isinstance(value, bool)
        case "group":
            return isinstance(value, Mapping)
        case "list":
            return isinstance(value, list)
        case _:
            return kind == "choice"


def is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def as_number(text: str) -> int | float | None:
    """The number that a text says; None for any other."""
    for read in (int, float):
        try:
            return read(text) if len(text) < 100 and "_" not in text else None
        except ValueError:
            continue
    return None


def _are_items(value: object, item: Kind) -> bool:
    return value is None or (isinstance(value, list) and all(_fits(item, each) for each in value))


def _of_items(item: Kind, value: object) -> Kind:
    texts = value if isinstance(value, list) else []
    return "lines" if item == "text" and any("\n" in each for each in texts) else item


def words_of(here: Schema) -> str:
    """What the schema says about a value."""
    found = here.get("description")
    text = " ".join(found.split()) if isinstance(found, str) else ""
    return text if len(text) <= MAX_WORDS else f"{text[:MAX_WORDS]}…"


def label_of(name: str, here: Schema) -> str:
    """`Output tables` for output_tables, unless the schema has a title."""
    title = here.get("title")
    has_title = isinstance(title, str) and title.strip()
    text = str(title) if has_title else name.removeprefix(SECRET_KEY).replace("_", " ")
    return f"{text[:1].upper()}{text[1:MAX_CHOICES]}"


def alternatives_of(schema: Schema) -> Iterator[Sequence[str]]:
    """Properties of which one is to be given, as `oneOf` of nothing but `required` says it."""
    for part in (schema, *_items(schema.get("allOf"))[:MAX_HOPS]):
        found = _items(part.get("oneOf")) or _items(part.get("anyOf")) if isinstance(part, Mapping) else []
        if 1 < len(found) <= MAX_HOPS and all(_only_requires(each) for each in found):
            yield [" and ".join(each["required"]) for each in found]


def _only_requires(branch: object) -> bool:
    return isinstance(branch, Mapping) and set(branch) == {"required"} and bool(required_of(branch))


def _items(found: object) -> list[Any]:
    return found if isinstance(found, list) else []
