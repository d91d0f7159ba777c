"""What differs between two versions: changes by path, with secrets masked. Pure."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal

from orchestrator_api.catalog.phases import Json
from orchestrator_shared.domain.ordered import same
from orchestrator_shared.sealed_values import SECRET_KEY, is_secret
from orchestrator_shared.security import MASK, mask_secrets, secret_handle

MAX_CHANGES = 1_000
Kind = Literal["added", "removed", "changed", "reordered"]
Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Difference:
    """One change; `before` and `after` are masked."""

    path: str
    kind: Kind
    before: Any = None
    after: Any = None
    secret: bool = False
    """Two different secrets: both are shown as the mask."""


@dataclass(frozen=True, slots=True)
class Differences:
    """The first changes, and whether there are more."""

    changes: list[Difference]
    truncated: bool


def compare_parameters(before: Json, after: Json) -> Differences:
    """Compare the stored parameters of a component's configuration."""
    return _first(_compare(before, after, "parameters"))


def compare_phases(before: Json, after: Json) -> Differences:
    """Compare two stored definitions of an orchestration: its tasks by id, wherever they stand."""
    return _first(_compare_definitions(_Layout.of(before), _Layout.of(after)))


def _first(found: Iterator[Difference]) -> Differences:
    changes = list(islice(found, MAX_CHANGES + 1))
    return Differences(changes[:MAX_CHANGES], len(changes) > MAX_CHANGES)


@dataclass(frozen=True, slots=True)
class _Layout:
    phases: list[str]
    tasks: dict[str, dict[str, Any]]
    """By id; each with the phase that it is in. Tasks of a phase run in parallel, so they have no order."""

    @classmethod
    def of(cls, definition: Json) -> "_Layout":
        phases = definition.get("phases", [])
        count = Counter(phase["name"] for phase in phases)
        names = [
            phase["name"] if count[phase["name"]] == 1 else f"{phase['name']} (#{number})"
            for number, phase in enumerate(phases, start=1)
        ]
        tasks = {
            task["id"]: {"phase": name, **{key: value for key, value in task.items() if key != "id"}}
            for name, phase in zip(names, phases, strict=True)
            for task in phase["tasks"]
        }
        return cls(names, tasks)


def _compare_definitions(before: _Layout, after: _Layout) -> Iterator[Difference]:
    if before.phases != after.phases:
        yield Difference("phases", "changed", before.phases, after.phases)
    for name in {**before.tasks, **after.tasks}:
        yield from _compare_items(before.tasks, after.tasks, name, f"tasks.{name}")


def _compare(before: Any, after: Any, path: str) -> Iterator[Difference]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        yield from _compare_objects(before, after, path)
    elif isinstance(before, list) and isinstance(after, list):
        yield from _compare_lists(before, after, path)
    elif not same(before, after):
        yield Difference(path, "changed", mask_secrets(before), mask_secrets(after))


def _compare_objects(before: Document, after: Document, path: str) -> Iterator[Difference]:
    for key in {**before, **after}:
        yield from _compare_items(before, after, key, f"{path}.{key}")
    kept = [key for key in before if key in after], [key for key in after if key in before]
    if kept[0] != kept[1]:
        yield Difference(path, "reordered", *kept)


def _compare_items(before: Document, after: Document, key: str, path: str) -> Iterator[Difference]:
    if key not in before:
        yield Difference(path, "added", after=mask_secrets({key: after[key]})[key])
    elif key not in after:
        yield Difference(path, "removed", before=mask_secrets({key: before[key]})[key])
    elif key.startswith(SECRET_KEY):
        yield from _compare_secrets(before[key], after[key], path)
    else:
        yield from _compare(before[key], after[key], path)


def _compare_secrets(before: Any, after: Any, path: str) -> Iterator[Difference]:
    """By their handles, which come from the nonce: a secret that was entered again counts as changed."""
    if _told_apart_by(before) != _told_apart_by(after):
        first, second = (_shown(secret) for secret in (before, after))
        yield Difference(path, "changed", first, second, secret=MASK in (first, second))


def _told_apart_by(secret: Any) -> Any:
    return secret_handle(secret) if is_secret(SECRET_KEY, secret) else secret


def _shown(secret: Any) -> Any:
    return MASK if is_secret(SECRET_KEY, secret) else secret


def _compare_lists(before: Sequence[Any], after: Sequence[Any], path: str) -> Iterator[Difference]:
    """What both begin and end with is left out; the rest is compared element by element."""
    shorter = min(len(before), len(after))
    start = next((i for i in range(shorter) if not same(before[i], after[i])), shorter)
    shorter -= start
    end = next((i for i in range(shorter) if not same(before[-1 - i], after[-1 - i])), shorter)
    removed, added = before[start : len(before) - end], after[start : len(after) - end]
    paired = min(len(removed), len(added))
    for index in range(paired):
        yield from _compare(removed[index], added[index], f"{path}.{start + index}")
    for index in range(paired, len(removed)):
        yield Difference(f"{path}.{start + index}", "removed", before=mask_secrets(removed[index]))
    for index in range(paired, len(added)):
        yield Difference(f"{path}.{start + index}", "added", after=mask_secrets(added[index]))
