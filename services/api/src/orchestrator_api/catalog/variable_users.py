"""Finds who uses a variable: changing a variable changes what its users run with."""

from collections.abc import Sequence

from orchestrator_api.catalog.rows import VariableUser
from orchestrator_api.catalog.store import ConfigurationStore
from orchestrator_api.http.session import Session
from orchestrator_shared.database.rows import JsonObject
from orchestrator_shared.definitions.placeholders import placeholders
from orchestrator_shared.domain.errors import UserError

MAX_BYTES = 64 * 1024 * 1024
"""Of parameters that are searched for people; parameters with secrets are decrypted for it."""


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


async def usages(session: Session, name: str) -> list[VariableUser]:
    """The configurations and tasks that use the variable, in current versions and those that tasks pin."""
    store = ConfigurationStore(session.connection)
    users = await store.variable_users(project=session.project, name=name, max_bytes=MAX_BYTES)
    if users and len(users) < users[0].users:
        raise UserError(
            f"more than {MAX_BYTES // 1024**2} MiB of parameters may use a variable: too many to search",
            field="name",
        )

    def find(among: Sequence[VariableUser]) -> list[VariableUser]:
        return [user for user in among if _uses(session, user.parameters, f"vars.{name}")]

    return await session.offload.run(find, users)
