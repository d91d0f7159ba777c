"""The components of the installation, which all projects share: which there are, and what each takes."""

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from orchestrator_api.access.permissions import Scope
from orchestrator_api.catalog import components
from orchestrator_api.catalog.rows import Component
from orchestrator_api.web import entering, pages
from orchestrator_api.web.configurations.fields import form_of
from orchestrator_api.web.configurations.filters import TYPES
from orchestrator_api.web.configurations.json_view import parts_of
from orchestrator_api.web.configurations.sent import shown_json
from orchestrator_shared.domain.errors import NotFound
from orchestrator_shared.domain.ids import ORCHESTRATOR

SECTION = "components"
ABOUT = ("component", "name", "type", "description", "parameters")
"""Of a definition, what stands elsewhere on the page: the rest says how it is run."""
KINDS_OF_RUN = {"http": "HTTP requests", "docker": "A container", "kubernetes": "Kubernetes Jobs"}


async def components_page(request: Request) -> Response:
    """All of them, by type."""
    async with entering.reading(request, Scope.READ, section=SECTION) as (session, frame):
        found = [
            components.shown_to(session.actor, each)
            for each in await components.listing(session)
            if each.id != ORCHESTRATOR
        ]
    return pages.page(
        request,
        "components/list",
        title="Components",
        frame=frame,
        groups=_by_type(found),
        run_by={each.id: run_by(each) for each in found},
    )


async def component(request: Request) -> Response:
    """One: the form of its parameters, their schema, and, for administrators, how it is run."""
    name = request.path_params["component"]
    async with entering.reading(request, Scope.READ, section=SECTION) as (session, frame):
        found = await components.find(session, name)
        if found is None or found.id == ORCHESTRATOR:
            raise NotFound(f"there is no component {name!r}", field="component")
        shown = components.shown_to(session.actor, found)
    schema = shown.definition.get("parameters") or {}
    return pages.page(
        request,
        "components/component",
        title=shown.name,
        frame=frame,
        each=shown,
        form=form_of(schema, {}),
        schema=parts_of(shown_json(schema)) if schema else (),
        how=parts_of(shown_json(_how(shown.definition))),
        run_by=run_by(shown),
        kind_of_run=KINDS_OF_RUN.get(shown.executor, "A program"),
    )


def run_by(each: Component) -> str:
    """How it is run, in a few words; where the viewer may not know, only by what."""
    command, http = each.definition.get("command"), each.definition.get("http")
    start = http.get("start") if isinstance(http, Mapping) else None
    if isinstance(command, list) and command:
        return " ".join(map(str, command))
    if isinstance(start, Mapping) and "url" in start:
        return str(start["url"])
    section = each.definition.get(each.executor)
    if isinstance(section, Mapping) and "image" in section:
        return str(section["image"])
    return KINDS_OF_RUN.get(each.executor, "A program")


def _by_type(found: Sequence[Component]) -> list[tuple[str, str, list[Component]]]:
    grouped = [(kind, label, [each for each in found if each.type == kind]) for kind, label in TYPES.items()]
    return [each for each in grouped if each[2]]


def _how(definition: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in definition.items() if key not in ABOUT}
