"""The page of one's own account, and how one sees the pages."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from orchestrator_api.access import personal_tokens
from orchestrator_api.access.rows import PersonalToken
from orchestrator_api.http.session import Session
from orchestrator_api.people import accounts, preferences, sessions
from orchestrator_api.people.models import PreferencesIn
from orchestrator_api.people.preferences import PAGE_SIZES
from orchestrator_api.people.rows import StoredSession
from orchestrator_api.people.sign_in import SignIns
from orchestrator_api.web import entering, forms, pages, viewer
from orchestrator_api.web.account.browsers import browser_of
from orchestrator_api.web.frame import Frame
from orchestrator_api.web.pages import Fields
from orchestrator_api.web.urls import urls_of
from orchestrator_shared.domain.errors import UserError

PLACES = {"preferences.timezone": "zone"}
SAVED = "saved"


@dataclass(frozen=True, slots=True)
class OwnAccount:
    """What the page shows."""

    password: bool
    """Whether there is one to change."""
    provider: str | None
    """The identity provider of the installation."""
    session_id: object
    sessions: Sequence[StoredSession]
    logins: Sequence[PersonalToken]


async def account(request: Request) -> Response:
    """The page, and its form of how one sees the pages."""
    if request.method != "POST":
        async with entering.reading(request) as (session, frame):
            found = await own(request, session)
        return shown(request, frame, found)
    return await _choose(request)


async def _choose(request: Request) -> Response:
    fields = await entering.sent(request)
    try:
        async with entering.changing(request, fields) as (session, frame):
            found = await own(request, session)
            await preferences.change(session, _chosen(fields))
    except UserError as error:
        if error.field is None:
            raise
        wrong = forms.refused(error, PLACES)
        return shown(request, frame, found, 422, errors=wrong, values=fields)
    response = pages.go_to(urls_of(request)("account", query={"done": SAVED}))
    viewer.keep_theme(response, fields["theme"])
    if not fields["zone"]:
        viewer.forget_zone(response)
    return response


def _chosen(fields: Fields) -> dict[str, Any]:
    size = fields["page_size"]
    chosen = {
        "theme": fields["theme"] or None,
        "timezone": fields["zone"].strip() or None,
        "single_keys": fields["single_keys"] == "true",
        "page_size": int(size) if size in map(str, PAGE_SIZES) else None,
    }
    return forms.checked(PreferencesIn, chosen).model_dump()


async def own(request: Request, session: Session) -> OwnAccount:
    """The account of the person."""
    desk: SignIns = request.app.state.sign_ins
    return OwnAccount(
        desk.allows_passwords and await accounts.has_password(session),
        desk.provider.settings.name if desk.provider else None,
        session.actor.session_id,
        await sessions.listing(session, desk.sessions.guard.browsers),
        await personal_tokens.listing(session),
    )


def shown(request: Request, frame: Frame, found: OwnAccount, status: int = 200, **values: Any) -> Response:
    """The page."""
    is_saved = request.query_params.get("done") == SAVED
    return pages.page(
        request,
        "account/page",
        status,
        title="Account",
        frame=frame,
        own=found,
        chosen=viewer.preferences_of(request),
        browser_of=browser_of,
        sizes=[(str(each), str(each)) for each in PAGE_SIZES],
        is_saved=is_saved,
        **values,
    )
