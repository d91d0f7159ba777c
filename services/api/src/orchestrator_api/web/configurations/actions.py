"""What can be done with a configuration besides editing it: begin a new one, copy, trash, restore, run."""

from typing import Any
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import Response

from orchestrator_api.access import dedup_keys
from orchestrator_api.access.permissions import Scope
from orchestrator_api.catalog import components, configurations, copies
from orchestrator_api.catalog.configurations import Key
from orchestrator_api.http.refusals import FieldError, Invalid, refuse
from orchestrator_api.orchestrations import trash
from orchestrator_api.runs import service as runs
from orchestrator_api.runs.models import ConfigurationRunIn
from orchestrator_api.web import answers, entering, forms, once, pages
from orchestrator_api.web.again import Filled, carried_out
from orchestrator_api.web.answers import Undo
from orchestrator_api.web.configurations.filters import TYPES
from orchestrator_api.web.configurations.head import component_of, head_of, key_of, topic_of, url_of
from orchestrator_api.web.configurations.json_places import parsed
from orchestrator_api.web.configurations.listing import SECTION
from orchestrator_api.web.configurations.names import Identified, Named, id_of
from orchestrator_api.web.pages import Fields
from orchestrator_api.web.urls import urls_of


async def new_configuration(request: Request) -> Response:
    """Choose a component and a name; the editor comes next."""
    begin = {"component": request.query_params.get("component", "")}
    filled = await carried_out(request, _begin, begin=begin)
    if isinstance(filled, Response):
        return filled
    async with entering.showing(request, filled.values, Scope.CONFIGURE, section=SECTION) as (session, frame):
        found = await components.listing(session)
    return pages.dialog(
        request,
        "configurations/new",
        filled.status,
        title="New configuration",
        frame=frame,
        back=urls_of(request)("configurations", project=request.path_params["project"]),
        groups=[(label, [each for each in found if each.type == kind]) for kind, label in TYPES.items()],
        values=filled.values,
        errors=filled.errors,
    )


async def _begin(request: Request, fields: Fields) -> Response:
    """To the editor, if there is nothing like it yet."""
    wanted = {"component": "choose a component", "name": "give it a name"}
    refuse([FieldError(name, text) for name, text in forms.missing(fields, wanted).items()])
    name, component = _id(fields), fields["component"]
    async with entering.changing(request, fields, Scope.CONFIGURE, section=SECTION) as (session, frame):
        await component_of(session, component)
        await copies.refuse_taken(session, Key(component, name))
    query, project = {"name": fields["name"], "id": name}, request.path_params["project"]
    to = urls_of(request)("create_configuration", project=project, component=component, query=query)
    return answers.done(request, frame, fields, "", to=to)


def _id(fields: Fields) -> str:
    """The id that was given, or one like the name; raises Invalid for what is none."""
    return forms.checked(Identified, {"id": fields["id"] or id_of(fields["name"])}).id


async def copy_configuration(request: Request) -> Response:
    """Copy it under another id; its secrets come along without being shown."""
    filled = await carried_out(request, _copy)
    if isinstance(filled, Response):
        return filled
    async with entering.showing(request, filled.values, Scope.CONFIGURE, section=SECTION) as (session, frame):
        row = await configurations.load(session, key_of(request))
    if request.method == "GET":
        filled = Filled(Fields(name=copies.name_of_copy(row, None), id=id_of(f"{row.id}-copy")))
    return pages.dialog(
        request,
        "configurations/copy",
        filled.status,
        title=f"Copy {row.name}",
        frame=frame,
        back=url_of(request),
        action=url_of(request, "copy_configuration"),
        row=row,
        values=filled.values,
        errors=filled.errors,
    )


async def _copy(request: Request, fields: Fields) -> Response:
    name = forms.checked(Named, {"name": fields["name"] or None}).name
    async with entering.changing(request, fields, Scope.CONFIGURE, section=SECTION) as (session, frame):
        copied = await copies.copy(session, key_of(request), _id(fields), name)
        return answers.done(request, frame, fields, "", to=url_of(request, configuration=copied.id))


async def trash_configuration(request: Request) -> Response:
    """Move it to the trash, at once; the toast takes it back."""
    fields, key = await entering.sent(request), key_of(request)
    async with entering.changing(request, fields, Scope.CONFIGURE, section=SECTION) as (session, frame):
        await configurations.target(session, key, deleting=True)
        row = await configurations.current(session, key)
        await configurations.delete(session, key)
    undo = Undo(url_of(request, "restore_configuration"))
    return answers.done(request, frame, fields, f"{row.name} is in the trash.", topic_of(key), undo=undo)


async def restore_configuration(request: Request) -> Response:
    """Take it out of the trash."""
    fields, key = await entering.sent(request), key_of(request)
    async with entering.changing(request, fields, Scope.CONFIGURE, section=SECTION) as (session, frame):
        restored = await trash.restore(session, key)
    text = f"{restored.name} is back from the trash."
    return answers.done(request, frame, fields, text, topic_of(key))


async def run_configuration(request: Request) -> Response:
    """Run it by itself, now; parameters may be given for this job only."""
    begin = {"notify": "true", "key": uuid4().hex}
    filled = await carried_out(request, _run, begin=begin, is_large=True)
    if isinstance(filled, Response):
        return filled
    async with entering.showing(request, filled.values, Scope.READ, section=SECTION) as (session, frame):
        head = await head_of(session, key_of(request))
    return pages.dialog(
        request,
        "configurations/run",
        filled.status,
        title=f"Run {head.row.name}",
        frame=frame,
        back=url_of(request),
        action=url_of(request, "run_configuration"),
        head=head,
        values=filled.values,
        errors=filled.errors,
    )


async def _run(request: Request, fields: Fields) -> Response:
    key = key_of(request)
    parameters, wrong = parsed(fields["parameters"]) if fields["parameters"].strip() else ({}, [])
    if wrong:
        raise Invalid([FieldError("parameters", wrong[0].detail)])
    is_notified = fields["notify"] == "true"
    async with entering.changing(request, fields, Scope.RUN, section=SECTION) as (session, frame):
        session.actor.require_run(key.component, key.id)
        body = forms.checked(ConfigurationRunIn, {"parameters": parameters, "notify": is_notified})
        given: dict[str, Any] = body.model_dump()
        dedup_key = dedup_keys.accept(session, once.request_key(fields, given), f"run {key}", given)
        job = await runs.start(session, key, runs.RunRequest(**given, dedup_key=dedup_key))
        to = urls_of(request)("job", project=session.project, job=job)
        return answers.done(request, frame, fields, "", to=to)
