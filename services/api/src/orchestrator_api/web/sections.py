"""What stands in the side of every page: each section once it has a page."""

from dataclasses import dataclass

from orchestrator_api.access.permissions import Scope


@dataclass(frozen=True, slots=True)
class Section:
    """One entry."""

    page: str
    """The name of its address."""
    label: str
    icon: str
    group: str = ""
    scope: Scope = Scope.READ
    is_on_phone: bool = False
    """Whether it is in the bar at the bottom of a phone, too."""


SECTIONS = (
    Section("orchestrations", "Orchestrations", "sitemap", is_on_phone=True),
    Section("trash", "Trash", "trash", group="Project"),
)
"""In their order. To add a page: its address in `addresses.py`, and its section here."""
