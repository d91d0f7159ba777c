"""Records of the audit log in words. Pure."""

import json
from collections.abc import Mapping
from typing import Any

from orchestrator_api.access.audit_rows import AuditRecord
from orchestrator_shared.domain.ids import ORCHESTRATOR

ACTIONS: Mapping[str, str] = {
    "run.requested": "Run requested",
    "job.termination-requested": "Termination requested",
    "schedule.backfilled": "Schedule backfilled",
    "configuration.created": "Configuration created",
    "configuration.changed": "Configuration changed",
    "configuration.deleted": "Configuration moved to the trash",
    "configuration.restored": "Configuration restored",
    "configuration.purged": "Configuration deleted for good",
    "schedule.created": "Schedule created",
    "schedule.changed": "Schedule changed",
    "schedule.deleted": "Schedule deleted",
    "schedule.restored": "Schedule restored",
    "trigger.created": "Trigger created",
    "trigger.changed": "Trigger changed",
    "trigger.deleted": "Trigger deleted",
    "trigger.reset": "Counts of a trigger dropped",
    "notifications.changed": "Notifications changed",
    "notifications.tested": "Test e-mail sent",
    "definitions.applied": "Definitions applied",
    "variable.created": "Variable created",
    "variable.changed": "Variable changed",
    "variable.deleted": "Variable deleted",
    "share.created": "Bucket shared",
    "share.deleted": "Share revoked",
    "member.added": "Member added",
    "member.changed": "Role changed",
    "member.removed": "Member removed",
    "token.created": "Token created",
    "token.changed": "Token changed",
    "token.refreshed": "Token refreshed",
    "token.revoked": "Token revoked",
    "token.refused": "Token refused",
    "call.refused": "Refused",
    "project.created": "Project created",
    "project.changed": "Project changed",
}
"""What happens in a project, as filters offer it."""
INSTANCE_ACTIONS: Mapping[str, str] = {
    "session.opened": "Signed in",
    "sign_in.refused": "Sign-in refused",
    "session.ended": "Signed out",
    "sessions.ended": "Signed out everywhere",
    "password.set": "Password set by a link",
    "password.changed": "Password changed",
    "password.reset_requested": "Link for a new password requested",
    "preferences.changed": "Preferences changed",
    "administrator.created": "First administrator made",
    "person.created": "Account created",
    "person.invited": "Person invited",
    "person.changed": "Account changed",
    "person.disabled": "Account disabled",
    "person.enabled": "Account enabled",
    "person.linked": "Account linked to the identity provider",
    "person.unlinked": "Account unlinked from the identity provider",
    "component.registered": "Component registered",
    "component.changed": "Component changed",
    "project.created": "Project created",
    "token.created": "Token created",
    "token.revoked": "Token revoked",
    "token.refused": "Token refused",
    "call.refused": "Refused",
}
"""What happens outside of projects."""
ICONS: Mapping[str | None, str] = {"person": "user", "token": "key", "job": "player-play", "system": "server"}


def what(record: AuditRecord) -> str:
    """What was done: `Orchestration changed`."""
    if record.action.startswith("configuration.") and record.subject.startswith(f"{ORCHESTRATOR}/"):
        return said(record.action).replace("Configuration", "Orchestration")
    return said(record.action)


def said(action: str) -> str:
    """An action in words; one that is new here by its name."""
    known = ACTIONS.get(action) or INSTANCE_ACTIONS.get(action)
    if known is not None:
        return known
    kind, _, verb = action.partition(".")
    words = f"{kind} {verb}".replace("-", " ").replace("_", " ").strip()
    return words[:1].upper() + words[1:]


def orchestration_of(record: AuditRecord) -> str | None:
    """The orchestration that the record is about, to link to it."""
    kind, _, name = record.subject.partition("/")
    if record.action.startswith("configuration.") or record.action == "run.requested":
        return name if kind == ORCHESTRATOR and name else None
    if record.action.startswith(("schedule.", "trigger.")):
        return kind or None
    return None


def value(shown: Any) -> str:
    """A value of a change as one reads it: a text as it is, all else as JSON."""
    return shown if isinstance(shown, str) else json.dumps(shown, ensure_ascii=False)


def icon_of(record: AuditRecord) -> str:
    """Of who did it."""
    return ICONS.get(record.actor_kind, "help-circle")
