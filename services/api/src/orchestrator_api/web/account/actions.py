"""What one does with one's own account: a new password, and sessions and logins that end."""

from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from orchestrator_api.access import personal_tokens
from orchestrator_api.http.refusals import TooMany
from orchestrator_api.people import accounts as people
from orchestrator_api.people import sessions
from orchestrator_api.people.models import PasswordIn
from orchestrator_api.people.sign_in import SignIns
from orchestrator_api.web import accounts, answers, entering, forms, pages
from orchestrator_api.web.address_parts import id_part
from orchestrator_api.web.frame import Frame
from orchestrator_api.web.pages import Fields
from orchestrator_api.web.urls import urls_of
from orchestrator_shared.domain.errors import UserError

TOPIC = "account"
CHANGED = "Your password is changed. You are signed out everywhere else."


async def password(request: Request) -> Response:
    """A new password: the form, and what it sends."""
    if request.method != "POST":
        async with entering.reading(request) as (_, frame):
            return _password_form(request, frame)
    fields = await entering.sent(request)
    desk: SignIns = request.app.state.sign_ins
    async with entering.changing(request, fields) as (_, frame):
        pass
    try:
        given = {"current_password": fields["current_password"], "new_password": fields["new_password"]}
        body = forms.checked(PasswordIn, given)
        _check_repeated(fields)
        caller = entering.caller(request)
        await people.change_password(caller, desk, body.current_password, body.new_password)
        async with entering.changing(request, fields) as (_, frame):
            return answers.done(request, frame, fields, CHANGED, TOPIC)
    except TooMany as error:
        return _password_form(request, frame, 429, Fields(form=error.detail))
    except UserError as error:
        if error.field is None:
            raise
        return _password_form(request, frame, 422, forms.refused(error))


def _check_repeated(fields: Fields) -> None:
    if fields["new_password"] != fields["repeated"]:
        raise UserError("this is not the same password: enter it again", field="repeated")


def _password_form(
    request: Request, frame: Frame, status: int = 200, errors: Fields | None = None
) -> Response:
    back = urls_of(request)("account")
    return pages.dialog(
        request,
        "account/password",
        status,
        title="Change your password",
        frame=frame,
        back=back,
        errors=errors or Fields(),
    )


async def end_session(request: Request) -> Response:
    """End one session; one's own is to sign out."""
    fields = await entering.sent(request)
    session_id = _id(request, "session")
    async with entering.changing(request, fields) as (session, frame):
        is_own = session_id == session.actor.session_id
        await sessions.end(session, session_id)
    if is_own:
        return _signed_out(request, frame, fields)
    return answers.done(request, frame, fields, "That browser is signed out.", TOPIC)


async def end_all(request: Request) -> Response:
    """Sign out everywhere, once that is confirmed."""
    if request.method != "POST":
        async with entering.reading(request) as (_, frame):
            back = urls_of(request)("account")
            title = "Sign out everywhere?"
            return pages.dialog(request, "account/end_all", title=title, frame=frame, back=back)
    fields = await entering.sent(request)
    async with entering.changing(request, fields) as (session, frame):
        await sessions.end_all(session)
    return _signed_out(request, frame, fields)


def _signed_out(request: Request, frame: Frame, fields: Fields) -> Response:
    response = answers.done(request, frame, fields, "", to=urls_of(request)("sign_in"))
    accounts.forget(request, response)
    return response


async def revoke_login(request: Request) -> Response:
    """End a login of the command line."""
    fields = await entering.sent(request)
    async with entering.changing(request, fields) as (session, frame):
        await personal_tokens.revoke(session, _id(request, "token"))
    return answers.done(request, frame, fields, "That command line is logged out.", TOPIC)


def _id(request: Request, name: str) -> UUID:
    return id_part(request, name, f"there is no {name} {{}}")
