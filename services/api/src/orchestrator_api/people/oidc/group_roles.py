"""Groups of the provider become roles in projects; what an admin gave by hand stays as it is."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from orchestrator_api.access.permissions import Membership, Role

INSTANCE_ADMIN = "instance-admin"
ROLES = {
    "viewer": Membership(Role.VIEWER),
    "viewer+run": Membership(Role.VIEWER, may_run=True),
    "editor": Membership(Role.EDITOR),
    "admin": Membership(Role.ADMIN),
}
"""From least to most: the most counts for a person in several groups."""
_EXAMPLE = '{"data-team": {"demo": "editor"}, "platform": "instance-admin"}'
_RANKS = {membership: rank for rank, membership in enumerate(ROLES.values())}

GroupRoles = Mapping[str, Mapping[str, Membership] | Literal["instance-admin"]]
"""By group: roles by project, or the right to administer the installation."""


@dataclass(frozen=True, slots=True)
class Grants:
    """What a person's groups give them."""

    memberships: Mapping[str, Membership]
    is_administrator: bool


@dataclass(frozen=True, slots=True)
class HeldRole:
    """A role that a person has in a project, and where it comes from."""

    project: str
    role: Role
    may_run: bool
    is_from_provider: bool

    @property
    def membership(self) -> Membership:
        return Membership(self.role, self.may_run)


@dataclass(frozen=True, slots=True)
class RoleChange:
    """A role to give, or, without a membership, to take away."""

    project: str
    before: Membership | None
    after: Membership | None


def parse_group_roles(value: object) -> object:
    """Read the setting; raises ValueError with an example."""
    if not isinstance(value, str):
        return value
    try:
        given = json.loads(value)
    except ValueError:
        raise ValueError(f"expected JSON such as {_EXAMPLE}") from None
    if not isinstance(given, dict):
        raise ValueError(f"expected a JSON object such as {_EXAMPLE}")
    return {group: _roles_of(group, what) for group, what in given.items()}


def _roles_of(group: str, what: object) -> object:
    if what == INSTANCE_ADMIN:
        return INSTANCE_ADMIN
    if isinstance(what, dict) and what and all(map(_is_role, what.values())):
        return {project: ROLES[role] for project, role in what.items()}
    expected = ", ".join(ROLES)
    raise ValueError(
        f"group {group[:100]!r}: expected a role for each project ({expected}), or {INSTANCE_ADMIN!r}"
    )


def _is_role(value: object) -> bool:
    return isinstance(value, str) and value in ROLES


def granted(group_roles: GroupRoles, groups: Iterable[str]) -> Grants:
    """What these groups give; groups without an entry give nothing."""
    memberships: dict[str, Membership] = {}
    is_administrator = False
    for group in groups:
        what = group_roles.get(group, {})
        if isinstance(what, str):
            is_administrator = True
            continue
        for project, membership in what.items():
            held = memberships.get(project, membership)
            memberships[project] = max(membership, held, key=_RANKS.__getitem__)
    return Grants(memberships, is_administrator)


def changes(held: Sequence[HeldRole], wanted: Mapping[str, Membership]) -> list[RoleChange]:
    """How the roles from the provider become the wanted ones, by project."""
    by_hand = {each.project for each in held if not each.is_from_provider}
    before = {each.project: each.membership for each in held if each.is_from_provider}
    projects = sorted((before.keys() | wanted.keys()) - by_hand)
    every = (RoleChange(project, before.get(project), wanted.get(project)) for project in projects)
    return [each for each in every if each.before != each.after]
