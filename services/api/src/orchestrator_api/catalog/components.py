"""Registers components."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from orchestrator_api.access.audit import About
from orchestrator_api.access.permissions import Actor
from orchestrator_api.catalog.component_store import ComponentStore
from orchestrator_api.catalog.models import ComponentIn
from orchestrator_api.catalog.parameters import check_schema
from orchestrator_api.catalog.rows import Component
from orchestrator_api.catalog.secrets import remaining_masks
from orchestrator_api.http.edits import Target
from orchestrator_api.http.refusals import refuse
from orchestrator_api.http.session import Session
from orchestrator_shared.database.rows import JsonObject
from orchestrator_shared.domain.errors import UserError
from orchestrator_shared.domain.ids import ORCHESTRATOR
from orchestrator_shared.domain.ordered import same
from orchestrator_shared.sealed_values import SECRET_KEY
from orchestrator_shared.secret_handles import restore_masked
from orchestrator_shared.security import mask_secrets

ADMINISTRATOR_FIELDS = ("command", "environment", "http", "docker", "kubernetes")
_CREDENTIALS = ("environment", "headers")
"""Objects of a document whose values may be credentials."""


async def listing(session: Session, after: str | None = None, limit: int | None = None) -> list[Component]:
    """The registered components, by id."""
    return await ComponentStore(session.connection).components(after=after, limit=limit)


async def find(session: Session, component: str) -> Component | None:
    """One component, as registered."""
    return await ComponentStore(session.connection).component(component=component)


async def target(session: Session, component: str) -> Target:
    """A component that may not be registered yet, locked to be changed."""
    await ComponentStore(session.connection).lock()
    stored = await find(session, component)
    return Target("this component", "component", component, stored.etag if stored else None)


async def save(session: Session, component: str, document: ComponentIn) -> bool:
    """Register or change a component; returns whether it is new.

    Saving the same document again changes nothing.
    """
    if component == ORCHESTRATOR:
        raise UserError("the component 'orchestrator' is built in: choose another id", field="component")
    if document.component not in (None, component):
        detail = f"the document says {document.component!r}, but the path says {component!r}: they must match"
        raise UserError(detail, field="component")
    refuse(await session.offload.run(check_schema, document.parameters))
    stored = await find(session, component)
    before = stored.definition if stored is not None else {}
    definition = restored(document.model_dump(mode="json", exclude={"name"}), before) | {
        "component": component,
        "name": document.name or component,
    }
    refuse(remaining_masks({**definition, "parameters": None}, ""))
    if stored is not None and same(stored.definition, definition):
        return False
    await ComponentStore(session.connection).save(
        component=component,
        name=definition["name"],
        kind=document.type,
        executor=document.executor,
        after_crash=document.after_crash,
        definition=definition,
    )
    # Not in the project whose documents it is applied with: its admins may not see how a component is run.
    action = "component.registered" if stored is None else "component.changed"
    await session.record_in(None, action, component, About(_audited(before), _audited(definition)))
    return stored is None


def _audited(definition: Mapping[str, Any]) -> JsonObject:
    """The definition with what may be credentials marked as secret: the audit log keeps what is replaced."""
    return {
        key: value if key == "parameters" else _marked(value) if key in _CREDENTIALS else _below(value)
        for key, value in definition.items()
    }


def _below(value: Any) -> Any:
    return _audited(value) if isinstance(value, Mapping) else value


def _marked(values: Any) -> Any:
    if not isinstance(values, Mapping):
        return values
    return {
        name if name.startswith(SECRET_KEY) or value is None else SECRET_KEY + name: value
        for name, value in values.items()
    }


def restored(definition: Mapping[str, object], stored: Mapping[str, object]) -> JsonObject:
    """The definition with each `***` replaced by its secret; a #key in the schema is only a name."""
    bare = {**stored, "parameters": None}
    whole: JsonObject = restore_masked({**definition, "parameters": None}, bare, {})
    return {**whole, "parameters": definition["parameters"]} if "parameters" in definition else whole


def shown_to(actor: Actor, component: Component) -> Component:
    """The component as this caller may see it.

    How it is run may name keys and addresses, so only administrators see that. A #key outside the schema
    holds a secret; inside the schema it only names one.
    """
    definition = dict(component.definition)
    schema = definition.pop("parameters", None)
    if not actor.administers:
        definition = {key: value for key, value in definition.items() if key not in ADMINISTRATOR_FIELDS}
    shown = mask_secrets(definition)
    return replace(component, definition=shown if schema is None else {**shown, "parameters": schema})
