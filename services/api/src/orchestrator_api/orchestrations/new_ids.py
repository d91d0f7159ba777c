"""Ids for orchestrations that are created by name."""

import re
import unicodedata

from orchestrator_api.catalog import configurations
from orchestrator_api.catalog.configurations import orchestration_key
from orchestrator_api.http.session import Session
from orchestrator_shared.domain.errors import Conflict

MAX_ID = 64
MOST_TRIED = 100
_OTHERS = re.compile(r"[^a-z0-9._-]+")
UNNAMED = "orchestration"


def id_like(name: str) -> str:
    """An id that a name suggests: `nacteni-dat` for `Načtení dat`."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return _OTHERS.sub("-", plain)[:MAX_ID].strip("-._") or UNNAMED


async def free_id(session: Session, wanted: str) -> str:
    """This id or, if it is in use, also by something in the trash, one with a number."""
    for number in range(1, MOST_TRIED + 1):
        suffix = "" if number == 1 else f"-{number}"
        tried = f"{wanted[: MAX_ID - len(suffix)]}{suffix}"
        found = await configurations.find(session, orchestration_key(tried))
        if found is None or found.is_purged:
            return tried
    raise Conflict(f"{wanted} and {MOST_TRIED - 1} ids like it are in use: give an id", field="id")
