"""Signing in and out, and the sessions of the person who makes a request."""

from uuid import UUID

from fastapi import APIRouter, Request, Response

from orchestrator_api.access.browser_sessions import csrf_token
from orchestrator_api.http.compression import PRIVATE
from orchestrator_api.http.dependencies import OF_BODY, READ, WRITE, Call, problems
from orchestrator_api.http.gate import MAX_BODY_BYTES, SCOPES, GatedRoute
from orchestrator_api.http.models import Page
from orchestrator_api.http.refusals import Forbidden
from orchestrator_api.http.session import Session
from orchestrator_api.people import accounts, me, sessions, sign_in
from orchestrator_api.people.dependencies import MAX_BYTES, Desk
from orchestrator_api.people.models import CurrentSessionOut, PasswordIn, PersonOut, SessionOut, SignInIn
from orchestrator_api.people.sign_in import Sender

router = APIRouter(prefix="/v1", tags=["people"], route_class=GatedRoute)
BODY = {SCOPES: [], MAX_BODY_BYTES: MAX_BYTES}


@router.post(
    "/sessions",
    operation_id="sign_in",
    status_code=201,
    responses=problems(*OF_BODY),
    openapi_extra={"security": [], MAX_BODY_BYTES: MAX_BYTES},
)
async def open_session(request: Request, response: Response, desk: Desk, body: SignInIn) -> CurrentSessionOut:
    """Sign in; the answer sets the session cookie.

    A refusal never says whether the address or the password is wrong. After five wrong
    passwords, the account is locked for one second, then two, then four, up to 300.
    """
    guard, headers = desk.sessions.guard, request.headers
    if ("sec-fetch-site" in headers or "origin" in headers) and not guard.is_same_origin(request):
        raise Forbidden("another site cannot sign you in")
    sender = Sender(guard.address(request), headers.get("user-agent", ""))
    opened = await sign_in.sign_in(desk, body.email, body.password, sender)
    response.headers.append("set-cookie", guard.browsers.cookie(opened.secret))
    response.headers["cache-control"] = PRIVATE
    async with desk.sessions.units_of_work.work() as work:
        person = await me.person(work.connection, opened.person_id)
    return CurrentSessionOut(id=opened.id, csrf_token=csrf_token(opened.secret), person=person)


@router.get("/sessions/current", operation_id="get_session", responses=READ)
async def get_session(call: Call, response: Response) -> CurrentSessionOut:
    """Get the session that sent this request, and its CSRF token."""
    response.headers["cache-control"] = PRIVATE
    async with call.session(()) as session:
        return await _current(session, call.session_secret or "")


async def _current(session: Session, secret: str) -> CurrentSessionOut:
    session_id = sessions.current(session)
    person: PersonOut = await me.person(session.connection, sessions.person_of(session))
    return CurrentSessionOut(id=session_id, csrf_token=csrf_token(secret), person=person)


@router.delete("/sessions/current", operation_id="sign_out", status_code=204, responses=WRITE)
async def sign_out(call: Call, desk: Desk, response: Response) -> None:
    """Sign out: end the session that sent this request."""
    async with call.session(()) as session:
        await sessions.end(session, sessions.current(session))
    response.headers.append("set-cookie", desk.sessions.guard.browsers.cleared_cookie())


@router.get("/me/sessions", operation_id="list_sessions", responses=READ)
async def list_sessions(call: Call, desk: Desk) -> Page[SessionOut]:
    """List the sessions you are signed in with, the most recently used first."""
    async with call.session(()) as session:
        rows = await sessions.listing(session, desk.sessions.guard.browsers)
        own = session.actor.session_id
    shown = [SessionOut.model_validate(row).model_copy(update={"is_current": row.id == own}) for row in rows]
    return Page[SessionOut](items=shown)


@router.delete("/me/sessions", operation_id="sign_out_everywhere", status_code=204, responses=WRITE)
async def sign_out_everywhere(call: Call) -> None:
    """End all your sessions, including this one, and all command-line logins but the one that asks."""
    async with call.session(()) as session:
        await sessions.end_all(session)


@router.delete("/me/sessions/{session}", operation_id="end_session", status_code=204, responses=WRITE)
async def end_session(call: Call, session: UUID) -> None:
    """End one of your sessions."""
    async with call.session(()) as opened:
        await sessions.end(opened, session)


@router.put(
    "/me/password", operation_id="change_password", status_code=204, responses=WRITE, openapi_extra=BODY
)
async def change_password(call: Call, desk: Desk, body: PasswordIn) -> None:
    """Change your password. All your other sessions and command-line logins end."""
    await accounts.change_password(call, desk, body.current_password, body.new_password)
