"""Accounts are invited and changed, get links for passwords, and lose their identities."""

from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from orchestrator_api.access import tokens
from orchestrator_api.access.permissions import Scope
from orchestrator_api.http import edits
from orchestrator_api.http.conditional import Condition
from orchestrator_api.people import accounts as people
from orchestrator_api.people import identities, links
from orchestrator_api.people.models import PersonIn, PersonPatch
from orchestrator_api.people.rows import NewLink, Person
from orchestrator_api.web import accounts, answers, entering, forms, pages
from orchestrator_api.web.address_parts import id_part
from orchestrator_api.web.again import again
from orchestrator_api.web.frame import Frame
from orchestrator_api.web.pages import Fields
from orchestrator_api.web.people.listing import SECTION, TOPIC
from orchestrator_api.web.urls import urls_of
from orchestrator_shared.domain.errors import UserError


async def invite(request: Request) -> Response:
    """A new account, or another invitation of one without a password."""
    if request.method != "POST":
        async with entering.reading(request, Scope.ADMIN, section=SECTION) as (_, frame):
            return _dialog(request, frame, "people/invite", "Invite a person")
    fields = await entering.sent(request)
    is_shown = fields["link"] == "shown"
    try:
        async with entering.changing(request, fields, Scope.ADMIN, section=SECTION) as (session, frame):
            given = {"email": fields["email"].strip(), "name": fields["name"].strip() or None}
            body = forms.checked(PersonIn, {**given, "is_administrator": fields["administrator"] == "true"})
            account = people.NewAccount(body.email, body.name, body.is_administrator)
            link = await people.invite(session, account, mailed=not is_shown)
            return _issued(request, frame, fields, link, body.email)
    except UserError as error:
        return _dialog(request, frame, "people/invite", "Invite a person", **again(error, fields))


async def change(request: Request) -> Response:
    """The name, whether they administer the installation, and whether they may sign in."""
    person_id = _id(request, "person")
    if request.method != "POST":
        async with entering.reading(request, Scope.ADMIN, section=SECTION) as (session, frame):
            person = await people.find(session, person_id)
        return _dialog(request, frame, "people/edit", person.name, each=person)
    fields = await entering.sent(request)
    try:
        async with entering.changing(request, fields, Scope.ADMIN, section=SECTION) as (session, frame):
            person = await people.find(session, person_id)
            body = forms.checked(PersonPatch, _changes(fields))
            await edits.check(
                session, Condition.seen(fields["etag"]), await people.target(session, person_id)
            )
            await people.change(session, person_id, people.AccountChange(**body.model_dump()))
            return answers.done(request, frame, fields, f"{body.name} is saved.", TOPIC)
    except UserError as error:
        shown = again(error, fields, {"person": forms.FORM})
        return _dialog(request, frame, "people/edit", person.name, each=person, **shown)


def _changes(fields: Fields) -> dict[str, Any]:
    return {
        "name": fields["name"].strip(),
        "is_administrator": fields["administrator"] == "true",
        "disabled": fields["may_sign_in"] != "true",
    }


async def reset(request: Request) -> Response:
    """A link for a new password: mailed, or shown to be handed over."""
    person_id = _id(request, "person")
    if request.method != "POST":
        async with entering.reading(request, Scope.ADMIN, section=SECTION) as (session, frame):
            person = await people.find(session, person_id)
        return _reset_form(request, frame, person)
    fields = await entering.sent(request)
    try:
        async with entering.changing(request, fields, Scope.ADMIN, section=SECTION) as (session, frame):
            person = await people.find(session, person_id)
            link = await people.reset(session, person_id, mailed=fields["link"] != "shown")
            return _issued(request, frame, fields, link, person.email)
    except UserError as error:
        shown = again(error, fields, {"person": forms.FORM})
        return _reset_form(request, frame, person, **shown)


def _reset_form(request: Request, frame: Frame, person: Person, status: int = 200, **values: Any) -> Response:
    title = f"New password for {person.name}"
    return _dialog(request, frame, "people/reset", title, status, each=person, **values)


async def unlink(request: Request) -> Response:
    """The account forgets who it is at the identity provider, once that is confirmed."""
    person_id = _id(request, "person")
    if request.method != "POST":
        async with entering.reading(request, Scope.ADMIN, section=SECTION) as (session, frame):
            person = await people.find(session, person_id)
        return _dialog(request, frame, "people/unlink", f"Unlink {person.name}?", each=person)
    fields = await entering.sent(request)
    async with entering.changing(request, fields, Scope.ADMIN, section=SECTION) as (session, frame):
        person = await people.find(session, person_id)
        await identities.unlink(session, person_id)
        return answers.done(request, frame, fields, f"{person.name} is unlinked and signed out.", TOPIC)


async def revoke_token(request: Request) -> Response:
    """The end of an administrator's token, once that is confirmed."""
    token_id = _id(request, "token")
    if request.method != "POST":
        async with entering.reading(request, Scope.ADMIN, section=SECTION) as (session, frame):
            found = await tokens.find_administrator(session, token_id)
        return _dialog(request, frame, "people/revoke_token", f"Revoke {found.name}?", each=found)
    fields = await entering.sent(request)
    async with entering.changing(request, fields, Scope.ADMIN, section=SECTION) as (session, frame):
        found = await tokens.find_administrator(session, token_id)
        await tokens.revoke_administrator(session, token_id)
        return answers.done(request, frame, fields, f"{found.name} is revoked.", TOPIC)


def _issued(request: Request, frame: Frame, fields: Fields, link: NewLink, email: str) -> Response:
    """A mailed link is not shown; another one is shown this once."""
    if link.is_mailed:
        return answers.done(request, frame, fields, f"A link was sent to {email}.", TOPIC)
    text = (
        f"A link for {email} was made when you sent this the first time, and was shown then. "
        "If you did not see it, make a new one."
    )
    answers.only_once(request, text, TOPIC, to=urls_of(request)("people"))
    desk = accounts.desk_of(request)
    public_url = desk.sessions.guard.browsers.public_url
    address = links.address_of(desk.link_keys, public_url or str(request.base_url), link)
    shown: dict[str, Any] = {"address": address, "email": email, "expires_at": link.expires_at}
    response = _dialog(request, frame, "people/link", f"Link for {email}", **shown)
    answers.tell(response, TOPIC)
    return response


def _dialog(
    request: Request, frame: Frame, template: str, title: str, status: int = 200, **values: Any
) -> Response:
    back = urls_of(request)("people")
    return pages.dialog(request, template, status, title=title, frame=frame, back=back, **values)


def _id(request: Request, name: str) -> UUID:
    return id_part(request, name, f"there is no {name} {{}}")
