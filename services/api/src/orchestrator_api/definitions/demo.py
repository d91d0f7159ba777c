"""The flights demo: what a project without anything of its own can begin with."""

from functools import cache
from importlib import resources
from typing import Any

from orchestrator_api.access.permissions import Scope
from orchestrator_api.catalog import listing
from orchestrator_api.catalog.rows import ConfigurationFilter
from orchestrator_api.definitions import service
from orchestrator_api.definitions.service import Applied
from orchestrator_api.http.paging import Part
from orchestrator_api.http.session import Session
from orchestrator_api.projects import variables
from orchestrator_shared.definitions.loader import load_text
from orchestrator_shared.domain.errors import Conflict, UserError
from orchestrator_shared.domain.ids import ORCHESTRATOR

MAIN = "flights"
"""The orchestration to run first."""
WAREHOUSE = "warehouse"
FILE = "flights_demo.yaml"


@cache
def documents() -> tuple[dict[str, Any], ...]:
    """Its definitions, as `orchestrator apply` would send them."""
    text = resources.files("orchestrator_api.definitions").joinpath(FILE).read_text(encoding="utf-8")
    return tuple(each.raw for each in load_text(text, file=FILE).require())


async def has_warehouse(session: Session) -> bool:
    """Whether the project names the database that its tables go to."""
    return any(each.name == WAREHOUSE for each in await variables.listing(session))


async def load(session: Session, warehouse: str) -> Applied:
    """Create it in an empty project; `warehouse` is the URL of a database, for a project that names none."""
    session.actor.require(Scope.CONFIGURE)
    if not await is_possible(session):
        raise Conflict("the demo is only for an empty project, and this one has definitions: create another")
    wanted: list[object] = list(documents())
    if not await has_warehouse(session):
        if not warehouse:
            raise UserError("enter the URL of a PostgreSQL database for the demo's tables", field=WAREHOUSE)
        wanted.append({"variables": {f"#{WAREHOUSE}": warehouse}})
    return await service.apply(session, wanted, prune=frozenset(), seen_plan=None)


async def is_possible(session: Session) -> bool:
    """Whether the project has neither orchestrations nor configurations."""
    for component in (ORCHESTRATOR, None):
        _, found = await listing.page(session, ConfigurationFilter(component), Part(1, None))
        if found:
            return False
    return True
