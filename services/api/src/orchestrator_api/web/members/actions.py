"""Members are invited, given other roles, and removed."""

from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from orchestrator_api.access.permissions import Scope
from orchestrator_api.http import edits
from orchestrator_api.http.conditional import Condition
from orchestrator_api.people import members
from orchestrator_api.people.models import InvitationIn, RoleIn
from orchestrator_api.people.rows import Member
from orchestrator_api.web import answers, entering, forms, pages
from orchestrator_api.web.address_parts import id_part
from orchestrator_api.web.again import again
from orchestrator_api.web.answers import Undo
from orchestrator_api.web.frame import Frame
from orchestrator_api.web.members.listing import SECTION, TOPIC, provider_name
from orchestrator_api.web.members.words import ROLES, choice_of, role_body
from orchestrator_api.web.pages import Fields
from orchestrator_api.web.urls import urls_of
from orchestrator_shared.domain.errors import UserError

CHOICES = tuple((value, each.label, each.may) for value, each in ROLES.items())


async def invite(request: Request) -> Response:
    """A new member, with a new account if there is none."""
    if request.method != "POST":
        async with entering.reading(request, Scope.ADMINISTER, section=SECTION) as (_, frame):
            return _invite_form(request, frame)
    fields = await entering.sent(request)
    try:
        async with entering.changing(request, fields, Scope.ADMINISTER, section=SECTION) as opened:
            session, frame = opened
            name = fields["name"].strip() or None
            given = {"email": fields["email"].strip(), "name": name, **role_body(fields["role"])}
            body = forms.checked(InvitationIn, given)
            invitation = members.Invitation(body.email, body.membership, body.name)
            made = await members.invite(session, invitation)
            role = ROLES[choice_of(made)].label.lower()
            text = f"{made.email} is in {session.project} now, as {role}."
            return answers.done(request, frame, fields, text, TOPIC)
    except UserError as error:
        return _invite_form(request, frame, **again(error, fields))


def _invite_form(request: Request, frame: Frame, status: int = 200, **values: Any) -> Response:
    title, back = "Invite a person", _url(request, "members")
    shown = {"choices": CHOICES, **values}
    return pages.dialog(request, "members/invite", status, title=title, frame=frame, back=back, **shown)


async def change(request: Request) -> Response:
    """Another role."""
    person = _person(request)
    if request.method != "POST":
        async with entering.reading(request, Scope.ADMINISTER, section=SECTION) as (session, frame):
            member, last = await members.find(session, person), await members.last_admin(session)
        return _role_form(request, frame, member, is_last=last == person)
    fields = await entering.sent(request)
    try:
        async with entering.changing(request, fields, Scope.ADMINISTER, section=SECTION) as opened:
            session, frame = opened
            member, last = await members.find(session, person), await members.last_admin(session)
            body = forms.checked(RoleIn, role_body(fields["role"]))
            await edits.check(session, Condition.seen(fields["etag"]), await members.target(session, person))
            changed = await members.change_role(session, person, body.membership)
            role = ROLES[choice_of(changed)].label.lower()
            return answers.done(request, frame, fields, f"{changed.name} is {role} now.", TOPIC)
    except UserError as error:
        shown = again(error, fields, {"person": forms.FORM})
        return _role_form(request, frame, member, is_last=last == person, **shown)


def _role_form(request: Request, frame: Frame, member: Member, status: int = 200, **values: Any) -> Response:
    return pages.dialog(
        request,
        "members/role",
        status,
        title=f"Role of {member.name}",
        frame=frame,
        back=_url(request, "members"),
        each=member,
        choices=CHOICES,
        chosen=choice_of(member),
        provider=provider_name(request),
        **values,
    )


async def remove(request: Request) -> Response:
    """Take a member out, at once; the toast takes them in again. Whoever leaves by themselves is asked."""
    person = _person(request)
    if request.method != "POST":
        async with entering.reading(request, Scope.ADMINISTER, section=SECTION) as (session, frame):
            member = await members.find(session, person)
        title, back = f"Remove {member.name}?", _url(request, "members")
        shown: dict[str, Any] = {"each": member, "provider": provider_name(request)}
        return pages.dialog(request, "members/remove", title=title, frame=frame, back=back, **shown)
    fields = await entering.sent(request)
    async with entering.changing(request, fields, Scope.ADMINISTER, section=SECTION) as (session, frame):
        member = await members.find(session, person)
        await members.remove(session, person)
        is_own = person == frame.actor.person_id and not frame.actor.administers
        if is_own:
            return answers.done(request, frame, fields, "", to=urls_of(request)("projects"))
        undo = Undo(_url(request, "invite_member"), _as_before(member))
        return answers.done(request, frame, fields, f"{member.name} is removed.", TOPIC, undo=undo)


def _as_before(member: Member) -> Fields:
    return Fields(email=member.email, role=choice_of(member))


def _url(request: Request, page: str) -> str:
    return urls_of(request)(page, project=request.path_params["project"])


def _person(request: Request) -> UUID:
    return id_part(request, "person", "there is no member {} in this project")
