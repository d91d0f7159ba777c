"""Opens the session of whoever looks at a page or sends one of its forms: the same checks as in the API."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import replace

from starlette.requests import Request

from orchestrator_api.access.browser_sessions import is_form_token
from orchestrator_api.access.permissions import Scope
from orchestrator_api.access.token_guard import Presented
from orchestrator_api.http.dependencies import Caller
from orchestrator_api.http.refusals import Forbidden, Unauthenticated
from orchestrator_api.http.session import Session, Sessions
from orchestrator_api.people import preferences
from orchestrator_api.web import forms, once
from orchestrator_api.web.csrf import FIELD
from orchestrator_api.web.frame import Frame, frame_of
from orchestrator_api.web.pages import Fields
from orchestrator_shared.domain.errors import UserError

_LONG = 10
"""Digits of a length that is no use reading."""
SIGNED_OUT = "you are not signed in, or your session has ended"


class ForeignForm(Forbidden):
    """A form that no page of ours sent in this session."""


class NotEntered(Exception):
    """Why whoever sent a form may not come in; no UserError, because no handler shows them the form again."""

    def __init__(self, reason: UserError) -> None:
        super().__init__(reason.detail)
        self.reason = reason


class AlreadyDone(Exception):
    """A form that was sent before, with the same fields, and was carried out then."""

    def __init__(self, frame: Frame, sent: Fields, done: once.Done) -> None:
        super().__init__(done.text)
        self.frame = frame
        self.sent = sent
        self.done = done


@asynccontextmanager
async def reading(
    request: Request, *scopes: Scope, section: str = ""
) -> AsyncIterator[tuple[Session, Frame]]:
    """For a page that is shown; in the project of its address, if it has one. Raises Unauthenticated."""
    presented = _presented(request)
    assert presented.session is not None
    async with _sessions(request).open(presented, scopes, request.path_params.get("project")) as session:
        yield session, await _known(request, session, presented.session, section)


async def sent(request: Request, *, is_large: bool = False) -> Fields:
    """The fields of a form that a page of ours has sent in this session; raises ForeignForm."""
    presented = _presented(request)
    fields = await (_large(request, presented) if is_large else forms.read(request))
    is_ours = is_form_token(presented.session or "", fields[FIELD])
    if not (is_ours and _sessions(request).guard.is_same_origin(request)):
        raise ForeignForm("this form was opened long ago, or in another session")
    return fields


async def _large(request: Request, presented: Presented) -> Fields:
    """A form that may have a megabyte: then only of those who may come in, and read beside the event loop."""
    limits = forms.LARGE
    length = request.headers.get("content-length", "")
    if length.isdecimal() and len(length) < _LONG and int(length) <= forms.USUAL.max_bytes:
        return await forms.read(request, limits)
    sessions = _sessions(request)
    actor = await sessions.admit(replace(presented, forgery=None), (), request.path_params.get("project"))
    body = await forms.body_of(request, limits)
    return await sessions.offload.for_caller(actor.token_id).run(forms.parsed, body, limits)


@asynccontextmanager
async def changing(
    request: Request, _sent: Fields, *scopes: Scope, section: str = ""
) -> AsyncIterator[tuple[Session, Frame]]:
    """For what a form asks for, whose fields `sent` has checked; raises NotEntered.

    A form with a key whose handler answers with `answers.done` inside is carried out once; sent again, it
    raises AlreadyDone.
    """
    async with _entered(request, *scopes, section=section) as (session, frame):
        sheet = once.sheet_of(request, session, _sent)
        if sheet is None:
            yield session, frame
            return
        earlier = await once.earlier(session, sheet)
        if earlier is not None:
            raise AlreadyDone(frame, _sent, earlier)
        yield session, frame
        await once.remember(request, session, sheet)


@asynccontextmanager
async def _entered(
    request: Request, *scopes: Scope, section: str = ""
) -> AsyncIterator[tuple[Session, Frame]]:
    presented = replace(_presented(request), forgery=None)
    assert presented.session is not None
    async with AsyncExitStack() as stack:
        opening = _sessions(request).open(presented, scopes, request.path_params.get("project"))
        try:
            session = await stack.enter_async_context(opening)
            frame = await _known(request, session, presented.session, section)
        except UserError as error:
            raise NotEntered(error) from error
        yield session, frame


def caller(request: Request) -> Caller:
    """Who sent a form that `sent` has checked, for a service with several transactions."""
    return Caller(_sessions(request), replace(_presented(request), forgery=None))


async def _known(request: Request, session: Session, secret: str, section: str) -> Frame:
    """The frame; from now on, pages look as the person wants them to."""
    request.state.preferences = await preferences.load(session)
    return await frame_of(session, secret, section)


def showing(
    request: Request, sent_fields: Fields, *scopes: Scope, section: str = ""
) -> AbstractAsyncContextManager[tuple[Session, Frame]]:
    """For a form that is shown, or shown again because what `sent` has checked was refused."""
    if request.method == "POST":
        return _entered(request, *scopes, section=section)
    return reading(request, *scopes, section=section)


def _presented(request: Request) -> Presented:
    presented = _sessions(request).guard.presented(request)
    if presented.session is None:
        raise Unauthenticated(SIGNED_OUT)
    return presented


def _sessions(request: Request) -> Sessions:
    sessions: Sessions = request.app.state.sessions
    return sessions
