"""Checks parameters that someone is still editing; nothing is saved."""

from orchestrator_api.catalog import components, configurations
from orchestrator_api.catalog.configurations import Key
from orchestrator_api.http.refusals import FieldError, Invalid
from orchestrator_api.http.session import Session
from orchestrator_shared.database.rows import JsonObject
from orchestrator_shared.domain.errors import UserError


async def problems_of(session: Session, key: Key, parameters: JsonObject) -> list[FieldError]:
    """What saving these parameters would refuse."""
    component = await components.find(session, key.component)
    if component is None:
        return [FieldError("component", f"there is no component {key.component!r}: register it first")]
    try:
        stored = await configurations.find(session, key)
        restored = configurations.restore_secrets(session, key, parameters, stored)
    except Invalid as error:
        return list(error.errors)
    except UserError as error:
        return [FieldError(error.field or "parameters", error.detail)]
    return await configurations.wrong_parameters(session, key, restored, component)
