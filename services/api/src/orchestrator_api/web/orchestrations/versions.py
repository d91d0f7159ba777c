"""The versions of an orchestration: who saved them, when and why; compare two, restore one."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from orchestrator_api.access.permissions import Scope
from orchestrator_api.catalog import configurations, task_names
from orchestrator_api.catalog import versions as stored_versions
from orchestrator_api.catalog.configurations import orchestration_key
from orchestrator_api.catalog.differences import compare_phases
from orchestrator_api.catalog.rows import CurrentVersion
from orchestrator_api.catalog.version_models import RestoreIn
from orchestrator_api.http.paging import Part
from orchestrator_api.http.refusals import Forbidden
from orchestrator_api.orchestrations import previews
from orchestrator_api.orchestrations import versions as orchestration_versions
from orchestrator_api.web import answers, entering, forms, pages
from orchestrator_api.web.address_parts import orchestration_parts, version_number, whole_number
from orchestrator_api.web.configurations.sent import shown_json
from orchestrator_api.web.diffs import MANY_CHANGES, diff_of
from orchestrator_api.web.frame import Frame
from orchestrator_api.web.orchestrations.actions import SECTION
from orchestrator_api.web.pages import Fields
from orchestrator_api.web.tasks.board import flags_of
from orchestrator_api.web.urls import urls_of
from orchestrator_shared.definitions.orchestration import DraftDefinition
from orchestrator_shared.domain.errors import UserError

PAGE_SIZE = 50


async def versions(request: Request) -> Response:
    """The list; `from` and `to` lead to their comparison."""
    query, own = request.query_params, orchestration_parts(request)
    before, after = (whole_number(query.get(name)) for name in ("from", "to"))
    if before and after:
        return pages.go_to(urls_of(request)("compare_versions", before=before, after=after, **own))
    key = orchestration_key(own["orchestration"])
    async with entering.reading(request, Scope.READ, section=SECTION) as (session, frame):
        row = await configurations.current(session, key)
        part, found = await stored_versions.listing(session, key, Part(PAGE_SIZE, query.get("after")))
    page = part.of(found, "version")
    return pages.page(
        request,
        "orchestrations/versions",
        title=f"Versions of {row.name}",
        frame=frame,
        row=row,
        listed=page["items"],
        next=page["next"],
        is_first_page=not query.get("after"),
    )


async def compare(request: Request) -> Response:
    """Two versions beside each other; in the address the older one usually comes first."""
    before, after = (version_number(request.path_params[name]) for name in ("before", "after"))
    key = orchestration_key(request.path_params["orchestration"])
    async with entering.reading(request, Scope.READ, section=SECTION) as (session, frame):
        row = await configurations.current(session, key)
        found = await stored_versions.compare(session, key, before, after, compare_phases)
        offload = session.offload
    diff = await offload.run(diff_of, found.differences)
    return pages.page(
        request,
        "orchestrations/compare",
        title=f"{row.name}, versions {before} and {after}",
        frame=frame,
        row=row,
        compared=found,
        diff=diff,
        is_large=len(diff.changes) > MANY_CHANGES,
    )


async def version(request: Request) -> Response:
    """One version as it was saved: what the runs of this version did."""
    own, number = orchestration_parts(request), version_number(request.path_params["version"])
    key = orchestration_key(own["orchestration"])
    async with entering.reading(request, Scope.READ, section=SECTION) as (session, frame):
        row = await configurations.current(session, key)
        stored = await stored_versions.stored(session, key, number)
        masked = await session.offload.run(configurations.masked, stored)
        phases = await task_names.named(session, masked.parameters.get("phases", []))
        shown = await session.offload.run(DraftDefinition.model_validate, {"phases": phases})
        types = await previews.component_types(session, {task.component for task in shown.tasks()})
    return pages.page(
        request,
        "orchestrations/version",
        title=f"{row.name}, version {number}",
        frame=frame,
        row=row,
        each=stored,
        phases=shown.phases,
        types=types,
        flags_of=flags_of,
        json_text=shown_json,
    )


async def restore(request: Request) -> Response:
    """Saves the tasks of an old version as a new one, with a note why."""
    row: CurrentVersion | None = None
    own, version = orchestration_parts(request), version_number(request.path_params["version"])
    key = orchestration_key(own["orchestration"])
    if request.method != "POST":
        async with entering.reading(request, Scope.READ, section=SECTION) as (session, frame):
            await stored_versions.stored(session, key, version)
            row = await configurations.current(session, key)
        return _form(request, frame, row.name, version, row.version)
    fields = await entering.sent(request)
    try:
        async with entering.changing(request, fields, Scope.CONFIGURE, section=SECTION) as (session, frame):
            row = await configurations.current(session, key)
            given = forms.checked(RestoreIn, {"note": fields["note"].strip()})
            saved = await orchestration_versions.restore(session, key.id, version, given.note)
            back = f"Version {version} is back, as version {saved.version}."
            text = back if saved.changed else "Nothing changed."
            url = urls_of(request)("orchestration", **own)
            return answers.done(request, frame, fields, text, to=url)
    except UserError as error:
        if row is None or isinstance(error, Forbidden):
            raise
        more = {"values": fields, "errors": forms.refused(error, {"phases": forms.FORM})}
        return _form(request, frame, row.name, version, row.version, 422, **more)


def _form(
    request: Request,
    frame: Frame,
    name: str,
    version: int,
    current: int,
    status: int = 200,
    **more: Any,
) -> Response:
    action = urls_of(request)("restore_version", version=version, **orchestration_parts(request))
    shown = {
        "name": name,
        "version": version,
        "current": current,
        "action": action,
        "values": Fields(),
        **more,
    }
    return pages.dialog(
        request,
        "orchestrations/restore_version",
        status,
        title=f"Restore version {version} of {name}",
        frame=frame,
        back=urls_of(request)("versions", **orchestration_parts(request)),
        **shown,
    )
