"""Versions of a configuration: listed, compared, and restored as a new one."""

from starlette.requests import Request
from starlette.responses import Response

from orchestrator_api.access.permissions import Scope
from orchestrator_api.catalog import configurations, versions
from orchestrator_api.http.paging import Part
from orchestrator_api.web import answers, entering, pages
from orchestrator_api.web.address_parts import version_number
from orchestrator_api.web.answers import Undo
from orchestrator_api.web.configurations.head import head_of, key_of, topic_of, url_of
from orchestrator_api.web.configurations.listing import SECTION
from orchestrator_api.web.diffs import MANY_CHANGES, diff_of

PAGE_SIZE = 50


async def configuration_versions(request: Request) -> Response:
    """The list; `before` and `after_version` lead to the comparison of the two."""
    key, query = key_of(request), request.query_params
    if query.get("before") and query.get("with"):
        return pages.go_to(
            url_of(request, "compare_configuration", before=query["before"], after=query["with"])
        )
    part = Part(PAGE_SIZE, query.get("after"))
    async with entering.reading(request, Scope.READ, section=SECTION) as (session, frame):
        head = await head_of(session, key)
        part, found = await versions.listing(session, key, part)
    page = part.of(found, "version")
    return pages.page(
        request,
        "configurations/versions",
        title=head.row.name,
        frame=frame,
        head=head,
        tab="configuration_versions",
        topic=topic_of(key),
        versions=page["items"],
        next=page["next"],
    )


async def compare_configuration(request: Request) -> Response:
    """What changed from one version to another."""
    key = key_of(request)
    before, after = (version_number(request.path_params[name]) for name in ("before", "after"))
    async with entering.reading(request, Scope.READ, section=SECTION) as (session, frame):
        head = await head_of(session, key)
        compared = await versions.compare(session, key, before, after)
        offload = session.offload
    found = await offload.run(diff_of, compared.differences)
    return pages.page(
        request,
        "configurations/compare",
        title=head.row.name,
        frame=frame,
        head=head,
        tab="configuration_versions",
        topic="",
        compared=compared,
        found=found,
        is_large=len(found.changes) > MANY_CHANGES,
    )


async def restore_configuration_version(request: Request) -> Response:
    """Save an old version as a new one, at once; the toast takes it back the same way."""
    fields, key = await entering.sent(request), key_of(request)
    wanted = version_number(request.path_params["version"])
    async with entering.changing(request, fields, Scope.CONFIGURE, section=SECTION) as (session, frame):
        before = (await configurations.current(session, key)).version
        saved = await versions.restore(session, key, wanted, "")
    if not saved.changed:
        text = f"Version {wanted} is what version {before} says already."
        return answers.done(request, frame, fields, text)
    undo = Undo(url_of(request, "restore_configuration_version", version=before))
    text = f"Version {wanted} is restored as version {saved.version}."
    return answers.done(request, frame, fields, text, topic_of(key), undo=undo)
