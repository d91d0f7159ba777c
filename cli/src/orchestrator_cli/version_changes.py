"""Differences between two versions, formatted for people."""

import json
from collections.abc import Iterator

from rich.text import Text

from orchestrator_cli.client import Json
from orchestrator_cli.output import plain

SIGNS = {
    "added": ("+", "green"),
    "removed": ("-", "red"),
    "changed": ("~", "yellow"),
    "reordered": ("~", "yellow"),
}
MOST = 100


def difference_lines(comparison: Json) -> Iterator[Text]:
    """One line per change; secrets arrive masked."""
    for change in comparison["changes"]:
        sign, style = SIGNS.get(str(change["kind"]), ("?", ""))
        yield Text.assemble((f"{sign} ", style), plain(f"{change['path']}: {_values(change)}"))
    if comparison.get("truncated"):
        yield Text("… and more changes", style="dim")


def _values(change: Json) -> str:
    before, after = _short(change.get("before")), _short(change.get("after"))
    if change.get("secret"):
        return "another secret" if change.get("before") and change.get("after") else f"{before} → {after}"
    match change["kind"]:
        case "added":
            return after
        case "removed":
            return before
        case "reordered":
            return f"other order of keys: {after}"
        case _:
            return f"{before} → {after}"


def _short(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= MOST else f"{text[: MOST - 1]}…"
