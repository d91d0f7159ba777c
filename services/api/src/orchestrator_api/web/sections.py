"""What stands in the side of every page: each section once it has a page."""

from dataclasses import dataclass

from orchestrator_api.access.permissions import Scope

DATA, PROJECT, INSTANCE = "Data", "Project", "Installation"
KEYS = {"orchestrations": "o", "jobs": "j", "tables": "t"}
GROUPS = ("", DATA, PROJECT, INSTANCE)
"""In their order."""


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

    @property
    def key(self) -> str:
        """The letter that leads to it behind a `g`."""
        return KEYS.get(self.page, "")

    @property
    def is_of_instance(self) -> bool:
        """Whether it belongs to no project."""
        return self.group == INSTANCE


SECTIONS = (
    Section("orchestrations", "Orchestrations", "sitemap", is_on_phone=True),
    Section("jobs", "Jobs", "list-details", is_on_phone=True),
    Section("configurations", "Configurations", "adjustments", DATA),
    Section("tables", "Tables and buckets", "table", DATA),
    Section("tokens", "Tokens", "key", PROJECT, Scope.ADMINISTER),
    Section("members", "Members", "users", PROJECT, Scope.ADMINISTER),
    Section("variables", "Variables", "braces", PROJECT),
    Section("deliveries", "Deliveries", "mail", PROJECT),
    Section("audit", "Audit", "history", PROJECT, Scope.ADMINISTER),
    Section("trash", "Trash", "trash", PROJECT),
    Section("project_settings", "Settings", "settings", PROJECT),
    Section("components", "Components", "puzzle", INSTANCE, Scope.ADMIN),
    Section("all_projects", "Projects", "folder-code", INSTANCE, Scope.ADMIN),
    Section("people", "People", "users-group", INSTANCE, Scope.ADMIN),
    Section("dead_letters", "Dead letters", "alert-octagon", INSTANCE, Scope.ADMIN),
    Section("instance_audit", "Audit", "history", INSTANCE, Scope.ADMIN),
)
"""By group. To add a page: its address in `addresses.py`, and its section here."""
