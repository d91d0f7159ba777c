"""The versions of an orchestration: who saved them, when and why; compare two, restore one."""

import re
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from orchestrator_api.access.permissions import Scope
from orchestrator_api.catalog import configurations
from orchestrator_api.catalog import versions as stored_versions
from orchestrator_api.catalog.configurations import orchestration_key
from orchestrator_api.catalog.differences import compare_phases
from orchestrator_api.catalog.rows import Configuration
from orchestrator_api.catalog.version_models import RestoreIn
from orchestrator_api.http.paging import Part
from orchestrator_api.http.refusals import Forbidden
from orchestrator_api.orchestrations import versions as orchestration_versions
from orchestrator_api.web import answers, entering, forms, pages
from orchestrator_api.web.address_parts import orchestration_parts
from orchestrator_api.web.diffs import MANY_CHANGES, diff_of
from orchestrator_api.web.frame import Frame
from orchestrator_api.web.orchestrations.actions import SECTION
from orchestrator_api.web.pages import Fields
from orchestrator_api.web.urls import urls_of
from orchestrator_shared.domain.errors import NotFound, UserError

PAGE_SIZE = 50
_NUMBER = r"[1-9][0-9]{0,8}"
_PAIR = re.compile(rf"({_NUMBER})\.\.\.({_NUMBER})")


async def versions(request: Request) -> Response:
    """The list; `from` and `to` lead to their comparison."""
    query, own = request.query_params, orchestration_parts(request)
    pair = f"{query.get('from', '')}...{query.get('to', '')}"
    if _PAIR.fullmatch(pair):
        return pages.go_to(urls_of(request)("compare_versions", versions=pair, **own))
    key = orchestration_key(own["orchestration"])
    async with entering.reading(request, Scope.READ, section=SECTION) as (session, frame):
        row = await configurations.load(session, key)
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
    own, text = orchestration_parts(request), request.path_params["versions"]
    pair = _PAIR.fullmatch(text)
    if pair is None:
        raise NotFound(f"there are no versions {text!r}: the address ends as in 8...9", field="versions")
    before, after = int(pair[1]), int(pair[2])
    key = orchestration_key(own["orchestration"])
    async with entering.reading(request, Scope.READ, section=SECTION) as (session, frame):
        row = await configurations.load(session, key)
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


async def restore(request: Request) -> Response:
    """Saves the tasks of an old version as a new one, with a note why."""
    row: Configuration | None = None
    own, version = orchestration_parts(request), _number(request.path_params["version"])
    key = orchestration_key(own["orchestration"])
    if request.method != "POST":
        async with entering.reading(request, Scope.READ, section=SECTION) as (session, frame):
            await stored_versions.stored(session, key, version)
            row = await configurations.load(session, key)
        return _form(request, frame, row.name, version, row.version)
    fields = await entering.sent(request)
    try:
        async with entering.changing(request, fields, Scope.CONFIGURE, section=SECTION) as (session, frame):
            row = await configurations.load(session, key)
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


def _number(text: str) -> int:
    if not re.fullmatch(_NUMBER, text):
        raise NotFound(f"there is no version {text!r}", field="version")
    return int(text)
