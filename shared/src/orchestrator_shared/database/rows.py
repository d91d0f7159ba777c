"""Rows as frozen dataclasses: a field is a column."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from enum import Enum
from types import UnionType
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, Union, get_args, get_origin, get_type_hints

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T")
JsonObject = dict[str, Any]
"""A json or jsonb column that holds an object."""


class Row(Protocol):
    """A record of the driver."""

    def items(self) -> Iterable[tuple[str, Any]]:
        """Columns by name."""


def row_as(kind: type[T], row: Row) -> T:
    """A row as a dataclass whose fields are its columns: enums by their value, arrays as tuples."""
    values = dict(row.items())
    if kind not in _KNOWN:
        _KNOWN[kind] = _conversions(kind)
    for name, convert in _KNOWN[kind].items():
        if values.get(name) is not None:
            values[name] = convert(values[name])
    return kind(**values)


def columns_of(row: "DataclassInstance") -> dict[str, Any]:
    """The other way round: the arguments of a statement, or of a wider dataclass."""
    return {each.name: getattr(row, each.name) for each in fields(row)}


_KNOWN: dict[type, Mapping[str, Callable[[Any], object]]] = {}


def _conversions(kind: type) -> Mapping[str, Callable[[Any], object]]:
    hints = get_type_hints(kind)
    found = {each.name: _conversion(hints[each.name]) for each in fields(kind)}
    return {name: convert for name, convert in found.items() if convert is not None}


def _conversion(hint: Any) -> Callable[[Any], object] | None:
    for each in get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,):
        if isinstance(each, type) and issubclass(each, Enum):
            return each
        if each is tuple or get_origin(each) is tuple:
            return tuple
    return None
