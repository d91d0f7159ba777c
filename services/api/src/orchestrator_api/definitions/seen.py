"""Keeps an apply from overwriting changes: those since its plan, and those made while it runs."""

from collections.abc import Mapping, Sequence

from orchestrator_api.access import audit
from orchestrator_api.access.permissions import Scope
from orchestrator_api.catalog import components, configurations
from orchestrator_api.catalog.configurations import Key, orchestration_key
from orchestrator_api.definitions.planning import Action, Change, Item, Kind, plan_id
from orchestrator_api.http import edits
from orchestrator_api.http.conditional import ANY, Condition
from orchestrator_api.http.edits import Target
from orchestrator_api.http.refusals import PreconditionFailed, PreconditionRequired
from orchestrator_api.http.session import Session
from orchestrator_api.notifications import service as notifications
from orchestrator_api.projects import variables
from orchestrator_api.schedules import service as schedules
from orchestrator_api.tables import service as tables
from orchestrator_api.triggers import service as triggers
from orchestrator_shared.clock import stamp
from orchestrator_shared.domain.errors import UserError
from orchestrator_shared.domain.ids import ORCHESTRATOR

FIELD = "plan_id"
KINDS_IN_AUDIT: Mapping[Kind, str] = {
    **{kind: kind.value for kind in Kind},
    Kind.ORCHESTRATION: "configuration",
    Kind.BUCKET: "share",
}


async def refusal_of(
    session: Session, given: str | None, changes: Sequence[Change], etags: Mapping[Item, str]
) -> UserError | None:
    """Why these are not the changes that the caller has seen in a plan; `*` stands for any changes.

    Repeating an apply changes nothing, so it needs no new plan. Found before the apply writes audit records
    of its own, but raised only after it has checked every permission: what differs may be a guessed secret.
    """
    if given in (ANY, plan_id(changes, etags)) or {each.action for each in changes} <= {Action.UNCHANGED}:
        return None
    if given is not None:
        return await _outdated(session, changes)
    replaced = sum(change.action in (Action.UPDATE, Action.DELETE) for change in changes)
    if replaced:
        what = "one thing" if replaced == 1 else f"{replaced} things"
        return PreconditionRequired(
            f"you would change or delete {what}: send the plan_id of a plan that you have looked at, or * to "
            "overwrite whatever is there",
            field=FIELD,
        )
    return None


async def _outdated(session: Session, changes: Sequence[Change]) -> PreconditionFailed:
    subjects = sorted({_subject(change.kind, change.id) for change in changes})
    kinds = sorted({KINDS_IN_AUDIT[change.kind] for change in changes})
    found = await audit.newest_change(session.connection, session.project, kinds, subjects)
    last = (
        f"; the last one to change any of it was {found[1].by} at {stamp(found[1].at)} ({found[0]})"
        if found
        else ""
    )
    return PreconditionFailed(
        f"this is no longer what you have seen in the plan{last}: make a new plan, and look at it",
        field=FIELD,
        etag=None,
        change=found[1] if found else None,
    )


def _subject(kind: Kind, name: str) -> str:
    return f"{ORCHESTRATOR}/{name}" if kind is Kind.ORCHESTRATION else name


async def check_item(session: Session, change: Change, etag: str | None) -> None:
    """Lock what is about to change; refuse if someone has changed it since it was read."""
    target = await _target(session, change.kind, change.id)
    try:
        await edits.check_save(session, Condition.seen(etag), target)
    except PreconditionFailed as error:
        detail = f"{change.kind.value} {change.id}: {error.detail}"
        raise PreconditionFailed(detail, field=FIELD, etag=None, change=error.change) from None


async def _target(session: Session, kind: Kind, name: str) -> Target:
    first, _, second = name.partition("/")
    match kind:
        case Kind.COMPONENT:
            session.actor.require(Scope.ADMIN)
            return await components.target(session, name)
        case Kind.VARIABLE:
            return await variables.target(session, name)
        case Kind.BUCKET:
            return await tables.target(session, name)
        case Kind.CONFIGURATION:
            return await configurations.component_target(session, Key(first, second))
        case Kind.ORCHESTRATION:
            return await configurations.target(session, orchestration_key(name))
        case Kind.SCHEDULE:
            return await schedules.target(session, first, second)
        case Kind.TRIGGER:
            return await triggers.target(session, first, second)
        case Kind.NOTIFICATIONS:
            return await notifications.target(session, name)
