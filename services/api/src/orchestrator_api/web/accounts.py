"""What pages ask of the services for people: who is signed in, signing in and out."""

from dataclasses import dataclass, replace
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from orchestrator_api.access.browser_sessions import form_token, is_form_token
from orchestrator_api.http.refusals import Unauthenticated
from orchestrator_api.http.session import Sessions
from orchestrator_api.people import sessions as person_sessions
from orchestrator_api.people import sign_in as signing_in
from orchestrator_api.people.sign_in import Opened, Sender, SignIns


@dataclass(frozen=True, slots=True)
class Present:
    """The person who is signed in."""

    person_id: UUID
    session_id: UUID
    email: str
    secret: str

    @property
    def csrf(self) -> str:
        """What the person's forms have to send along."""
        return form_token(self.secret)

    def sent(self, request: Request, token: str) -> bool:
        """Whether a page of ours sent the form, in this session."""
        return _sessions(request).guard.is_same_origin(request) and is_form_token(self.secret, token)


def _sessions(request: Request) -> Sessions:
    sessions: Sessions = request.app.state.sessions
    return sessions


async def present(request: Request) -> Present | None:
    """Who is signed in in this browser; forms also have to be checked with `sent`."""
    sessions = _sessions(request)
    presented = sessions.guard.presented(request)
    if presented.session is None:
        return None
    try:
        async with sessions.open(replace(presented, forgery=None), (), None) as session:
            person_id, email = person_sessions.person_of(session), session.actor.email
            return Present(person_id, person_sessions.current(session), email or "", presented.session)
    except Unauthenticated:
        return None


def desk_of(request: Request) -> SignIns:
    """What signing in needs."""
    desk: SignIns = request.app.state.sign_ins
    return desk


def sender_of(request: Request) -> Sender:
    """Where a sign-in comes from."""
    address = desk_of(request).sessions.guard.address(request)
    return Sender(address, request.headers.get("user-agent", ""))


async def sign_in(request: Request, email: str, password: str) -> Opened:
    """A new session; raises Unauthenticated, TooMany or Forbidden."""
    return await signing_in.sign_in(desk_of(request), email, password, sender_of(request))


async def sign_in_with_new_password(request: Request, email: str, password: str) -> Opened:
    """The same for a person who has just set it, by a link that was good for that."""
    return await signing_in.sign_in_with_password(desk_of(request), email, password, sender_of(request))


async def sign_out(request: Request) -> None:
    """End the session of this browser; its form has been checked."""
    sessions = _sessions(request)
    presented = replace(sessions.guard.presented(request), forgery=None)
    async with sessions.open(presented, (), None) as session:
        await person_sessions.end(session, person_sessions.current(session))


def keep(request: Request, response: Response, opened: Opened) -> None:
    """Give the browser its session."""
    response.headers.append("set-cookie", _sessions(request).guard.browsers.cookie(opened.secret))


def forget(request: Request, response: Response) -> None:
    """Take the session from the browser."""
    response.headers.append("set-cookie", _sessions(request).guard.browsers.cleared_cookie())
