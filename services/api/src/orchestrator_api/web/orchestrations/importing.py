"""Definitions as text: shown as a plan of what they would change, then applied exactly so."""

from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from orchestrator_api.access.permissions import Scope
from orchestrator_api.definitions import service as definitions
from orchestrator_api.definitions.service import Applied
from orchestrator_api.http.conditional import ANY
from orchestrator_api.http.refusals import Forbidden, Invalid, PreconditionFailed
from orchestrator_api.web import answers, entering, pages
from orchestrator_api.web.frame import Frame
from orchestrator_api.web.orchestrations.actions import SECTION
from orchestrator_api.web.pages import Fields
from orchestrator_api.web.urls import urls_of
from orchestrator_shared.definitions.loader import Document, load_text
from orchestrator_shared.domain.errors import UserError

FILE = "definitions"


class _Seen(Exception):
    """Takes a plan out of the transaction, which is rolled back."""

    def __init__(self, applied: Applied) -> None:
        self.applied = applied


@dataclass(frozen=True, slots=True)
class Reading:
    """What a text says, or what is wrong with it."""

    documents: list[dict[str, Any]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


async def import_definitions(request: Request) -> Response:
    """First shows what the text would change, then carries out just that."""
    if request.method != "POST":
        async with entering.reading(request, Scope.READ, section=SECTION) as (_, frame):
            return _form(request, frame)
    fields = await entering.sent(request, is_large=True)
    async with entering.changing(request, fields, Scope.CONFIGURE, section=SECTION) as (session, frame):
        offload = session.offload
    found = await offload.run(read, fields["yaml"])  # without a connection, which others need meanwhile
    if found.problems:
        return _form(request, frame, 422, values=fields, problems=found.problems)
    try:
        if fields["plan"]:
            return await _applied(request, frame, fields, found)
        plan = await _planned(request, fields, found)
    except Forbidden:
        raise
    except PreconditionFailed:
        plan = await _planned(request, fields, found)
        return _form(request, frame, 409, values=fields, plan=plan, is_outdated=True)
    except UserError as error:
        return _form(request, frame, 422, values=fields, problems=_sentences(error))
    return _form(request, frame, values=fields, plan=plan)


def read(text: str) -> Reading:
    """The documents of the text. Pure."""
    loaded = load_text(text, file=FILE)
    if loaded.problems:
        return Reading(problems=[str(each).removeprefix(f"{FILE}:") for each in loaded.problems])
    if not loaded.documents:
        return Reading(problems=["there is no definition in this text"])
    return Reading([_raw(each) for each in loaded.documents])


def _raw(document: Document) -> dict[str, Any]:
    return document.raw


async def _planned(request: Request, fields: Fields, found: Reading) -> Applied:
    try:
        async with entering.showing(request, fields, Scope.CONFIGURE) as (session, _):
            raise _Seen(await definitions.apply(session, found.documents, prune=frozenset(), seen_plan=ANY))
    except _Seen as seen:
        return seen.applied


async def _applied(request: Request, frame: Frame, fields: Fields, found: Reading) -> Response:
    async with entering.changing(request, fields, Scope.CONFIGURE) as (session, _):
        applied = await definitions.apply(
            session, found.documents, prune=frozenset(), seen_plan=fields["plan"]
        )
        changed = sum(each.action.value != "unchanged" for each in applied.changes)
        text = "Nothing had to change." if not changed else "The definitions were applied."
        url = urls_of(request)("orchestrations", project=session.project)
        return answers.done(request, frame, fields, text, "orchestrations", to=url)


def _sentences(error: UserError) -> list[str]:
    if isinstance(error, Invalid):
        return [f"{each.field}: {each.detail}" for each in error.errors]
    return [error.detail]


def _form(request: Request, frame: Frame, status: int = 200, **more: Any) -> Response:
    shown = {"values": Fields(), "problems": (), "plan": None, "is_outdated": False, **more}
    back = urls_of(request)("orchestrations", project=request.path_params["project"])
    return pages.dialog(
        request, "orchestrations/import", status, title="Import YAML", frame=frame, back=back, **shown
    )
