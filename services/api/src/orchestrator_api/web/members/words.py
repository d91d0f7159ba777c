"""Roles in words, and as the one choice that a form has for them. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from orchestrator_api.access.permissions import Role
from orchestrator_api.people.rows import Member

RUNNER = "viewer-run"
"""A viewer who may run, as a choice of a form."""


@dataclass(frozen=True, slots=True)
class RoleWords:
    """How people call a role."""

    label: str
    may: str


ROLES: Mapping[str, RoleWords] = {
    Role.VIEWER.value: RoleWords("Viewer", "Sees everything but the audit log, tokens and members."),
    RUNNER: RoleWords("Viewer who may run", "Sees, runs, retries, terminates, and switches on and off."),
    Role.EDITOR.value: RoleWords(
        "Editor", "Runs and defines everything: orchestrations, configurations, variables."
    ),
    Role.ADMIN.value: RoleWords(
        "Admin", "Runs and defines everything, manages members, tokens and limits, and sees the audit log."
    ),
}


def choice_of(member: Member) -> str:
    """What a form has chosen for the member's role."""
    return RUNNER if member.role is Role.VIEWER and member.may_run else Role(member.role).value


def role_body(choice: str) -> dict[str, object]:
    """The API's body for the choice; what is no choice is left for the API to refuse."""
    if choice == RUNNER:
        return {"role": Role.VIEWER.value, "may_run": True}
    return {"role": choice, "may_run": False}
