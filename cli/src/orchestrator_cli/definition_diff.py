"""What an apply would change, as a unified diff of documents; secrets are masked on both sides."""

import difflib
from collections.abc import Iterator, Sequence
from typing import Any

from rich.text import Text

from orchestrator_cli.client import Json
from orchestrator_cli.output import plain
from orchestrator_shared.definitions.export import to_document
from orchestrator_shared.definitions.loader import Document
from orchestrator_shared.definitions.placeholders import is_variable_reference
from orchestrator_shared.definitions.yaml_text import to_yaml

MASK = "***"
NEW_SECRET = "*** (another one)"  # noqa: S105  # shown in place of a secret that changes
KINDS = ("orchestration", "configuration", "bucket", "component")
PARTS_OF_ORCHESTRATION = frozenset({"orchestration", "schedule", "trigger", "notifications"})
STYLES = {"+": "green", "-": "red", "@": "cyan"}
Name = tuple[str, str]
"""Kind and id of a document."""
VARIABLES: Name = ("variables", "")
Place = tuple[str, str]
"""A key of a document, and one below it."""


def diff_lines(
    changes: Sequence[Json], wanted: Sequence[Document], current: Sequence[Json]
) -> Iterator[Text]:
    """A unified diff of each document that changes."""
    written = [to_document(each.definition) for each in wanted]
    before = {name_of(document): document for document in current}
    after = {name_of(document): document for document in written}
    changed: dict[Name, list[Json]] = {}
    for change in changes:
        if change["action"] != "unchanged":
            changed.setdefault(_document_of(change), []).append(change)
    for name, parts in changed.items():
        if name == VARIABLES:
            old, new = _variables(parts, current), _variables(parts, written)
        else:
            old, new = before.get(name), after.get(name)
        yield from _unified(name, old, new, parts)


def name_of(document: Json) -> Name:
    for kind in KINDS:
        if kind in document:
            return kind, str(document[kind])
    return VARIABLES


def _document_of(change: Json) -> Name:
    kind, name = str(change["kind"]), str(change["id"])
    if kind in PARTS_OF_ORCHESTRATION:
        return "orchestration", name.partition("/")[0]
    return VARIABLES if kind == "variable" else (kind, name)


def _variables(changes: Sequence[Json], documents: Sequence[Json]) -> Json | None:
    """Only those that change: files need not have the others."""
    names = {str(change["id"]) for change in changes}
    found = {
        name: value
        for document in documents
        for name, value in (document.get("variables") or {}).items()
        if name.removeprefix("#") in names
    }
    return {"variables": found} if found else None


def _unified(name: Name, old: Json | None, new: Json | None, changes: Sequence[Json]) -> Iterator[Text]:
    title = " ".join(part for part in name if part)
    fields = sorted({field for change in changes for field in change.get("fields") or []})
    before, after = _comparable(old), _with_notes(_comparable(new), _changed_secrets(changes))
    is_unknown = name[0] == "component" and bool(fields)  # registered, but not in an export
    if before == after or is_unknown:
        yield Text(plain(f"{title}: {', '.join(fields)}"), style="bold")
        return
    lines = difflib.unified_diff(
        _lines(before), _lines(after), f"project: {title}", f"files: {title}", lineterm=""
    )
    for line in lines:
        is_title = line.startswith(("--- project:", "+++ files:"))
        yield Text(plain(line), style="bold" if is_title else STYLES.get(line[:1], ""))


def _changed_secrets(changes: Sequence[Json]) -> set[Place]:
    """The places of secrets that are replaced by others, which look the same."""
    updates = [change for change in changes if change["action"] == "update"]
    variables = {("variables", f"#{change['id']}") for change in updates if change["kind"] == "variable"}
    fields = {field.partition(".") for change in updates for field in change.get("fields") or []}
    return variables | {(first, second) for first, _, second in fields if second.startswith("#")}


def _with_notes(document: Any, places: set[Place]) -> Any:
    for first, second in places:
        shown = document.get(first, {}) if document else {}
        if second in shown and not is_variable_reference(shown[second]):
            shown[second] = NEW_SECRET
    return document


def _lines(document: Json | None) -> list[str]:
    return to_yaml([document]).splitlines()[1:] if document else []


def _comparable(document: Json | None) -> Any:
    """Masked, and without differences that mean nothing."""
    shown = masked(document)
    for trigger in (shown or {}).get("triggers", {}).values():
        trigger["tables"] = sorted(trigger["tables"])
    return shown


def masked(value: Any, *, is_secret: bool = False) -> Any:
    """The value with everything below a key that begins with `#` masked, except references to variables."""
    if isinstance(value, dict):
        return {
            key: item
            if is_variable_reference(item) and not is_secret
            else masked(item, is_secret=is_secret or str(key).startswith("#"))
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [masked(item, is_secret=is_secret) for item in value]
    return MASK if is_secret else value
