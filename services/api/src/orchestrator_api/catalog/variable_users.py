"""Finds who uses a variable: changing a variable changes what its users run with."""

from orchestrator_api.catalog.store import ConfigurationStore
from orchestrator_api.http.session import Session
from orchestrator_shared.database.rows import JsonObject
from orchestrator_shared.definitions.placeholders import placeholders


async def check_variable(session: Session, name: str) -> None:
    """Refuse to change a variable that is used by components which the token may not configure."""
    if session.actor.configures_everything:
        return
    store = ConfigurationStore(session.connection)
    for user in await store.variable_users(project=session.project, name=name):
        if not session.actor.may_run(user.component) and _uses(session, user.parameters, f"vars.{name}"):
            session.actor.require_configure(user.component, field="name")


def _uses(session: Session, parameters: JsonObject, name: str) -> bool:
    return name in placeholders(session.encryption.read_secrets(parameters, session.project))
