"""How each status is called and drawn; the shapes are in `glyphs.svg`."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StatusLook:
    """For badges, bars and the title of the tab."""

    label: str
    title: str
    """The sign in the title of the tab."""
    glyph: str
    tone: str
    """The name of its colours."""


def _look(name: str, label: str, title: str = "○", *, glyph: str = "", tone: str = "") -> StatusLook:
    return StatusLook(label, title, glyph or f"st-{name}", tone or name)


STATUSES: Mapping[str, StatusLook] = {
    "created": _look("created", "Created", "○"),
    "waiting": _look("waiting", "Waiting", "⧗"),
    "ready": _look("waiting", "Waiting", "⧗"),
    "processing": _look("processing", "Processing", "◐"),
    "success": _look("success", "Success", "✔"),
    "warning": _look("warning", "Warning", "▲"),
    "error": _look("error", "Error", "✖"),
    "terminating": _look("terminating", "Terminating", "◫"),
    "cancelled": _look("cancelled", "Cancelled", "⊘"),
    "terminated": _look("terminated", "Terminated", "■"),
    "pending": _look("created", "Not yet", tone="pending"),
    "inactive": _look("skipped", "Inactive", glyph="player-skip-forward"),
    "deselected": _look("skipped", "Not selected", glyph="player-skip-forward"),
    "not_executed": _look("not_executed", "Not executed"),
    "merged": _look("merged", "Merged", glyph="arrow-merge-both"),
    "skipped": _look("skipped", "Skipped", glyph="player-skip-forward"),
    "missed": _look("skipped", "Missed", glyph="player-skip-forward"),
    "withdrawn": _look("merged", "Withdrawn", glyph="arrow-merge-both"),
}
AT_WORK = frozenset({"created", "waiting", "ready", "processing", "terminating"})
FAILED = frozenset({"error", "terminated"})
