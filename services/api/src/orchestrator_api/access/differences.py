"""What changed in a JSON document: before and after by path, with secrets masked, in bounded size. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orchestrator_shared.database.rows import JsonObject
from orchestrator_shared.domain.ordered import same
from orchestrator_shared.sealed_values import SECRET_KEY
from orchestrator_shared.security import MASK

MAX_CHANGES = 100
MAX_TEXT = 500
MAX_PATH = 300
MAX_CHARACTERS = 16_000
"""Of all values of one record together."""
CUT = "…"
Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Differences:
    """The first changes, and how many more there are."""

    changes: list[JsonObject]
    omitted: int = 0


@dataclass(frozen=True, slots=True)
class _Change:
    path: str
    kind: str
    sides: Mapping[str, Any]
    secret: bool = False


def differences(before: Document | None, after: Document | None) -> Differences:
    """Compare two documents, given in the clear; None is one that does not exist."""
    room = _Room(MAX_CHARACTERS)
    shown: list[JsonObject] = []
    count = 0
    for change in _objects(before or {}, after or {}, ""):
        count += 1
        if len(shown) < MAX_CHANGES and room.left > 0:
            shown.append(_shown_change(change, room))
    return Differences(shown, count - len(shown))


def _items(before: Document, after: Document, key: str, path: str) -> Iterator[_Change]:
    secret = key.startswith(SECRET_KEY)
    if key not in before:
        yield _Change(path, "added", {"after": after[key]}, secret)
    elif key not in after:
        yield _Change(path, "removed", {"before": before[key]}, secret)
    elif not secret:
        yield from _values(before[key], after[key], path)
    elif not same(before[key], after[key]):
        yield _Change(path, "changed", {"before": before[key], "after": after[key]}, secret)


def _values(before: Any, after: Any, path: str) -> Iterator[_Change]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        yield from _objects(before, after, path)
    elif isinstance(before, list | tuple) and isinstance(after, list | tuple):
        yield from _lists(before, after, path)
    elif not same(before, after):
        yield _Change(path, "changed", {"before": before, "after": after})


def _objects(before: Document, after: Document, path: str) -> Iterator[_Change]:
    for key in {**before, **after}:
        yield from _items(before, after, key, _below(path, key))
    kept = [key for key in before if key in after], [key for key in after if key in before]
    if kept[0] != kept[1]:
        yield _Change(path, "reordered", {"before": kept[0], "after": kept[1]})


def _lists(before: Sequence[Any], after: Sequence[Any], path: str) -> Iterator[_Change]:
    """Elements with ids or names are compared by those, others by position after what both begin with."""
    for name in ("id", "name"):
        named = _by(name, before), _by(name, after)
        if named[0] is not None and named[1] is not None:
            yield from _objects(named[0], named[1], path)
            return
    shorter = min(len(before), len(after))
    start = next((i for i in range(shorter) if not same(before[i], after[i])), shorter)
    shorter -= start
    end = next((i for i in range(shorter) if not same(before[-1 - i], after[-1 - i])), shorter)
    old, new = before[start : len(before) - end], after[start : len(after) - end]
    paired = min(len(old), len(new))
    for index in range(paired):
        yield from _values(old[index], new[index], _below(path, str(start + index)))
    for index in range(paired, len(old)):
        yield _Change(_below(path, str(start + index)), "removed", {"before": old[index]})
    for index in range(paired, len(new)):
        yield _Change(_below(path, str(start + index)), "added", {"after": new[index]})


def _by(name: str, elements: Sequence[Any]) -> Document | None:
    """The elements by this field, if it tells all of them apart; a secret's key is no name."""
    found: dict[str, Any] = {}
    for each in elements:
        key = each.get(name) if isinstance(each, Mapping) else None
        if not isinstance(key, str) or key in found or key.startswith(SECRET_KEY):
            return None
        found[key] = each
    return found


def _below(path: str, key: str) -> str:
    whole = f"{path}.{key}" if path else key
    return whole if len(whole) <= MAX_PATH else whole[: MAX_PATH - 1] + CUT


@dataclass(slots=True)
class _Room:
    """How many characters may still be shown."""

    left: int

    def take(self, count: int) -> None:
        self.left -= count


def _shown_change(change: _Change, room: _Room) -> JsonObject:
    room.take(len(change.path) + 40)
    shown: JsonObject = {"path": change.path, "kind": change.kind}
    for side, value in change.sides.items():
        is_secret = change.secret and value is not None
        shown[side] = MASK if is_secret else _shown(value, room)
    return {**shown, "secret": True} if change.secret else shown


def _shown(value: Any, room: _Room) -> Any:
    """A masked copy, cut where there is no more room."""
    if isinstance(value, Mapping):
        return _shown_object(value, room)
    if isinstance(value, list | tuple):
        return _shown_list(value, room)
    if isinstance(value, bool | int | float) or value is None:
        room.take(len(str(value)))
        return value
    text = str(value)
    room.take(min(len(text), MAX_TEXT))
    return text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]}{CUT} ({len(text)} characters)"


def _shown_object(value: Document, room: _Room) -> JsonObject:
    shown: JsonObject = {}
    for key, item in value.items():
        if room.left <= 0:
            return {**shown, CUT: f"{len(value) - len(shown)} more"}
        room.take(min(len(key), MAX_TEXT))
        name = key if len(key) <= MAX_TEXT else key[:MAX_TEXT] + CUT
        is_secret = key.startswith(SECRET_KEY) and item is not None
        shown[name] = MASK if is_secret else _shown(item, room)
    return shown


def _shown_list(value: Sequence[Any], room: _Room) -> list[Any]:
    shown: list[Any] = []
    for item in value:
        if room.left <= 0:
            return [*shown, f"{CUT} {len(value) - len(shown)} more"]
        shown.append(_shown(item, room))
    return shown
