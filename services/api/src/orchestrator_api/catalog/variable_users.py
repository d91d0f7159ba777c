"""Who uses a variable: whoever changes it changes what they run with."""

from collections.abc import Mapping
from typing import Any

from orchestrator_api.http.session import Session
from orchestrator_shared.definitions.placeholders import placeholders
from orchestrator_shared.domain.errors import UserError


async def check_variable(session: Session, name: str) -> None:
    """Refuse to change a variable that components use which the token may not configure."""
    if session.actor.configures_everything:
        return
    for row in await session.sql.many("variable_users", session.project, name):
        if not session.actor.may_run(row["component"]) and _uses(session, row["parameters"], f"vars.{name}"):
            session.actor.require_configure(row["component"], field="name")


def _uses(session: Session, parameters: Mapping[str, Any], name: str) -> bool:
    try:
        plain = session.encryption.decrypt_secrets(parameters, session.project)
    except UserError:
        return False  # its key is gone: it cannot run
    return name in placeholders(plain)
