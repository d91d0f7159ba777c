"""Plans, applies and exports definitions: everything in one transaction, or nothing."""

from collections.abc import Callable, Coroutine, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import Any

from pydantic import ValidationError

from orchestrator_api.access.permissions import Scope
from orchestrator_api.catalog import components, configurations, variable_users
from orchestrator_api.catalog.models import ComponentIn
from orchestrator_api.catalog.phases import stored_tasks
from orchestrator_api.catalog.secrets import contains_secret, restored_phases
from orchestrator_api.definitions import seen, snapshot
from orchestrator_api.definitions.documents import read_documents
from orchestrator_api.definitions.planning import (
    Action,
    Change,
    Desired,
    Fields,
    Item,
    Kind,
    compare,
    document_path,
    needs,
    plan_id,
    unknown_tasks,
)
from orchestrator_api.definitions.snapshot import Snapshot
from orchestrator_api.http.refusals import FieldError, Forbidden, Invalid, PreconditionFailed, refuse
from orchestrator_api.http.session import Session
from orchestrator_api.notifications import service as notifications
from orchestrator_api.orchestrations import service as orchestrations
from orchestrator_api.orchestrations import validation
from orchestrator_api.projects import variables
from orchestrator_api.runs import rights
from orchestrator_api.schedules import service as schedules
from orchestrator_api.schedules.rows import ScheduleSpec
from orchestrator_api.schedules.times import accept_times
from orchestrator_api.tables import service as tables
from orchestrator_api.triggers import service as triggers
from orchestrator_api.triggers.rows import TriggerSpec
from orchestrator_shared.definitions.problems import explain
from orchestrator_shared.domain.cron import CronError
from orchestrator_shared.domain.errors import UserError
from orchestrator_shared.domain.ids import ORCHESTRATOR
from orchestrator_shared.domain.subscriptions import Subscription
from orchestrator_shared.secret_handles import handles_of, restore_masked
from orchestrator_shared.security import MASK, is_mask


@dataclass(frozen=True, slots=True)
class Applied:
    """What was changed, or would be changed."""

    changes: list[Change]
    errors: list[str]
    warnings: list[str]
    etags: Mapping[Item, str]
    """The states from which the changes start."""

    @property
    def plan_id(self) -> str:
        return plan_id(self.changes, self.etags)


async def apply(
    session: Session, raws: Sequence[object], *, prune: Set[Kind], seen_plan: str | None
) -> Applied:
    """Make the project match the documents. A plan does the same and rolls back."""
    desired = await session.offload.run(read_documents, raws, session.project)
    await configurations.lock_orchestrations(session)
    stored = await snapshot.read_for(session, desired.items)
    current = snapshot.in_the_clear(session, stored.items)
    wanted = {
        item: _with_secrets(session, item, fields, stored.items.get(item, {}))
        for item, fields in desired.items.items()
    }
    changes = compare(wanted, current, prune=prune)
    refusal = await seen.refusal_of(session, seen_plan, changes, stored.etags)
    refuse(await _carry_out(session, changes, wanted, desired, stored))
    if refusal is not None:
        raise refusal
    if counts := _counts(changes):
        await session.record("definitions.applied", session.project, prune=sorted(prune), **counts)
    phases = {name: fields["phases"] for (kind, name), fields in wanted.items() if kind is Kind.ORCHESTRATION}
    found = await validation.validate(session, phases)
    errors = [f"orchestration {name}: {each}" for name in phases for each in found[name].errors]
    warnings = [f"orchestration {name}: {each}" for name in phases for each in found[name].warnings]
    subscriptions = await notifications.listing(session, phases)
    notified = {each.orchestration for each in subscriptions if each.event == "error"}
    own = await session.offload.run(_warnings, wanted, notified)
    return Applied(changes, errors, own + warnings, stored.etags)


async def _carry_out(
    session: Session,
    changes: Sequence[Change],
    wanted: Mapping[Item, Fields],
    desired: Desired,
    stored: Snapshot,
) -> list[FieldError]:
    """Apply every change; returns all problems except those that only follow from another one."""
    deleted = {(change.kind, change.id) for change in changes if change.action is Action.DELETE}
    errors = unknown_tasks(desired, (stored.items.keys() - deleted) | wanted.keys())
    failed = {item for item in wanted if any(_is_at(error, desired.places[item]) for error in errors)}
    for change in changes:
        item = (change.kind, change.id)
        if change.action is Action.UNCHANGED:
            await _check_secret_rights(session, item, desired.items[item])
            continue
        if item in failed:
            continue
        if needs(item, wanted.get(item, {})) & failed:
            failed.add(item)
        elif wrong := await _try(session, change, desired, stored):
            errors += wrong
            failed.add(item)
    return errors


async def _check_secret_rights(session: Session, item: Item, fields: Fields) -> None:
    """Require the right to save a clear-text secret even if it equals the stored one.

    Otherwise a plan would confirm a guess to a token that may not save it.
    """
    kind, name = item
    if kind is Kind.COMPONENT:
        session.actor.require(Scope.ADMIN)
    if not contains_secret(fields) and not (kind is Kind.VARIABLE and fields["secret"]):
        return
    if kind is Kind.VARIABLE and not is_mask(fields["value"]):
        await variable_users.check_variable(session, name)
    elif kind is Kind.CONFIGURATION:
        session.actor.require_configure(name.partition("/")[0], field="component")
    elif kind is Kind.ORCHESTRATION:
        session.actor.require_configure(ORCHESTRATOR)
        await rights.check_saved_tasks(session, stored_tasks(fields))


def _is_at(error: FieldError, place: str) -> bool:
    return error.field.startswith(f"{place}.phases")


def _with_secrets(session: Session, item: Item, fields: Fields, stored: Fields) -> Fields:
    """Replace masks by their secrets for the comparison; saving does this by itself."""

    def reveal(secret: Any) -> Any:
        return session.encryption.read_secrets({"#": secret}, session.project)["#"]

    kind, _ = item
    if kind is Kind.VARIABLE:
        is_kept = fields["secret"] and fields["value"] == MASK and stored.get("secret", False)
        return {**fields, "value": reveal(stored["value"])} if is_kept else fields
    if kind is Kind.ORCHESTRATION:
        phases = restored_phases(fields["phases"], stored.get("phases", []), reveal)
        return {**fields, "phases": phases}
    if kind is Kind.CONFIGURATION:
        before = stored.get("parameters", {})
        parameters = restore_masked(fields["parameters"], before, handles_of(before), reveal)
        return {**fields, "parameters": parameters}
    return components.restored(fields, stored) if kind is Kind.COMPONENT else fields


async def _try(session: Session, change: Change, desired: Desired, stored: Snapshot) -> list[FieldError]:
    """Carry out one change; problems are reported by document and path."""
    item = (change.kind, change.id)
    place = desired.places.get(item, f"{change.kind.value} {change.id}")
    try:
        if not _belongs_to_a_new_one(item, stored):
            await seen.check_item(session, change, stored.etags.get(item))
        if change.action is Action.DELETE:
            await _delete(session, change)
        else:
            await _SAVERS[change.kind](session, change.id, desired.items[item])
    except Invalid as error:
        return [replace(each, field=document_path(place, each.field, item)) for each in error.errors]
    except UserError as error:
        # neither a missing permission nor a concurrent change is a mistake in the documents
        if isinstance(error, Forbidden | PreconditionFailed) or (
            type(error) not in (UserError, CronError) and change.action is not Action.DELETE
        ):
            raise
        return [FieldError.of(error, document_path(place, error.field, item))]
    except ValidationError as error:
        return [
            FieldError(document_path(place, ".".join(map(str, wrong.path)), item), wrong.message)
            for wrong in explain(error, ComponentIn)
        ]
    return []


def _belongs_to_a_new_one(item: Item, stored: Snapshot) -> bool:
    """Who is notified of an orchestration that this apply has created or restored."""
    kind, name = item
    return kind is Kind.NOTIFICATIONS and (Kind.ORCHESTRATION, name) not in stored.items


async def _save_component(session: Session, name: str, fields: Fields) -> None:
    session.actor.require(Scope.ADMIN)
    await components.save(session, name, ComponentIn.model_validate(fields))


async def _save_variable(session: Session, name: str, fields: Fields) -> None:
    await variables.save(session, name, fields["value"], fields["secret"])


async def _save_bucket(session: Session, name: str, fields: Fields) -> None:
    session.actor.require(Scope.ADMINISTER)
    await tables.share_with(session, name, fields["shared_with"])


async def _save_configuration(session: Session, name: str, fields: Fields) -> None:
    component, _, configuration = name.partition("/")
    spec = configurations.ConfigurationSpec(
        fields["name"], fields["description"], True, fields["parameters"], "definitions applied"
    )
    key = configurations.Key(component, configuration)
    await configurations.save_component_configuration(session, key, spec)


async def _save_orchestration(session: Session, name: str, fields: Fields) -> None:
    spec = orchestrations.OrchestrationSpec(
        fields["name"],
        fields["description"],
        fields["enabled"],
        fields["phases"],
        "definitions applied",
        fields["labels"],
    )
    await orchestrations.save(session, name, spec)


async def _save_schedule(session: Session, name: str, fields: Fields) -> None:
    orchestration, _, schedule = name.partition("/")
    await schedules.save(session, orchestration, schedule, ScheduleSpec(**fields))


async def _save_trigger(session: Session, name: str, fields: Fields) -> None:
    orchestration, _, trigger = name.partition("/")
    await triggers.save(session, orchestration, trigger, TriggerSpec(**fields))


async def _save_notifications(session: Session, name: str, fields: Fields) -> None:
    await notifications.replace(session, name, [Subscription(*each) for each in fields["subscriptions"]])


_SAVERS: Mapping[Kind, Callable[[Session, str, Fields], Coroutine[Any, Any, None]]] = {
    Kind.COMPONENT: _save_component,
    Kind.VARIABLE: _save_variable,
    Kind.BUCKET: _save_bucket,
    Kind.CONFIGURATION: _save_configuration,
    Kind.ORCHESTRATION: _save_orchestration,
    Kind.SCHEDULE: _save_schedule,
    Kind.TRIGGER: _save_trigger,
    Kind.NOTIFICATIONS: _save_notifications,
}


async def _delete(session: Session, change: Change) -> None:
    first, _, second = change.id.partition("/")
    match change.kind:
        case Kind.SCHEDULE:
            await schedules.delete(session, first, second)
        case Kind.TRIGGER:
            await triggers.delete(session, first, second)
        case Kind.NOTIFICATIONS:
            await notifications.replace(session, change.id, [])
        case Kind.ORCHESTRATION:
            await orchestrations.delete(session, change.id)
        case Kind.CONFIGURATION:
            await configurations.delete(session, configurations.Key(first, second))
        case Kind.VARIABLE:
            await variables.delete(session, change.id)
        case Kind.BUCKET:
            await _save_bucket(session, change.id, {"shared_with": []})
        case _:
            raise AssertionError(f"{change.kind} is never deleted")


def _counts(changes: Sequence[Change]) -> dict[str, int]:
    actions = [change.action for change in changes if change.action is not Action.UNCHANGED]
    return {action.value: actions.count(action) for action in Action if action in actions}


def _warnings(wanted: Mapping[Item, Fields], notified: Set[str]) -> list[str]:
    """Collect the warnings after all changes; someone subscribed to the errors of those in `notified`."""
    found = []
    for (kind, name), fields in wanted.items():
        if kind is Kind.SCHEDULE:
            times = accept_times(fields["cron"], fields["every_seconds"], fields["timezone"])
            found += [f"schedule {name}: {times.warning}"] if times.warning else []
    automatic = {name.partition("/")[0] for kind, name in wanted if kind in (Kind.SCHEDULE, Kind.TRIGGER)}
    for name in sorted(automatic - notified):
        found.append(f"orchestration {name}: no one is notified when it fails; add `notify`")
    return found
