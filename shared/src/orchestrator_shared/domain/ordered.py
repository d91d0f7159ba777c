"""Compares JSON values including the order of keys, since reordering keys is a change, too."""

from collections.abc import Mapping
from typing import Any


def same(one: Any, other: Any) -> bool:
    """Equal, also in the order of the keys of every object; `true` is not `1`."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return list(one) == list(other) and all(same(value, other[key]) for key, value in one.items())
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)
