"""What the form of a variable asks for. Pure."""

import re
from typing import Any

from orchestrator_api.projects.rows import Variable
from orchestrator_api.web.pages import Fields
from orchestrator_shared.domain.errors import UserError
from orchestrator_shared.security import MASK

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")


def name_of(fields: Fields) -> str:
    """The name of a new variable; raises UserError."""
    name = fields["name"].strip()
    if not _NAME.fullmatch(name):
        raise UserError(
            "use at most 63 lower-case letters, digits and underscores, beginning with a letter", field="name"
        )
    return name


def body_of(fields: Fields, stored: Variable | None) -> dict[str, Any]:
    """The API's body: a secret that is left empty keeps its value, which no page ever shows."""
    value, is_secret = fields["value"].replace("\r\n", "\n"), bool(fields["secret"])
    if value == "" and is_secret:
        if stored is None or not stored.secret:
            raise UserError("enter the secret", field="value")
        value = MASK
    if value == "" and stored is not None and stored.secret:
        raise UserError("enter a value that everyone may read: the stored secret stays hidden", field="value")
    return {"value": value, "secret": is_secret}
