"""Changes to definitions, formatted for people."""

from collections import Counter
from collections.abc import Sequence

from rich.text import Text

from orchestrator_cli.client import Json
from orchestrator_cli.output import plain

SIGNS = {
    "create": ("+", "green"),
    "update": ("~", "yellow"),
    "delete": ("-", "red"),
    "unchanged": ("=", "dim"),
}
PAST = {"create": "created", "update": "updated", "delete": "deleted"}


def change_lines(changes: Sequence[Json]) -> list[Text]:
    """One line per change; unchanged items are left out."""
    lines = []
    for change in changes:
        action = str(change["action"])
        if action == "unchanged":
            continue
        sign, style = SIGNS.get(action, ("?", ""))
        text = Text.assemble((f"{sign} ", style), plain(f"{change['kind']} {change['id']}"))
        fields = change.get("fields") or []
        if action == "update" and fields:
            text.append(f"  {plain(', '.join(str(field) for field in fields))}", style="dim")
        lines.append(text)
    return lines


def change_summary(changes: Sequence[Json]) -> str:
    counts = Counter(str(change["action"]) for change in changes)
    parts = [f"{counts[action]} {word}" for action, word in PAST.items() if counts[action]]
    return ", ".join(parts) or "no changes"
