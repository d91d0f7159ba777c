"""Changes who is notified: one address at a time, so that two people who add theirs do not meet."""

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from orchestrator_api.access.permissions import Scope
from orchestrator_api.catalog import configurations
from orchestrator_api.catalog.configurations import orchestration_key
from orchestrator_api.http.refusals import TooMany
from orchestrator_api.notifications import service
from orchestrator_api.notifications.models import SubscriptionsIn
from orchestrator_api.notifications.rows import StoredSubscription
from orchestrator_api.web import answers, entering, forms, pages
from orchestrator_api.web.address_parts import orchestration_parts
from orchestrator_api.web.again import NOT_OF_THE_FORM
from orchestrator_api.web.answers import Undo
from orchestrator_api.web.frame import Frame
from orchestrator_api.web.notifications.words import EVENTS, Subscriber, subscribers
from orchestrator_api.web.orchestrations.actions import SECTION
from orchestrator_api.web.pages import Fields
from orchestrator_api.web.urls import urls_of
from orchestrator_shared.domain.errors import NotFound, UserError
from orchestrator_shared.domain.subscriptions import DEFAULT_MINUTES, DEFAULT_PERCENT

EVENT = "event:"
"""Begins the name of the field of each event that is ticked."""
PLACES = {"subscriptions": "address"}
CHANGED = (
    "Someone has changed what this address is notified of since you opened this: now it is {now}. "
    "Save again to put yours on top."
)


async def edit(request: Request) -> Response:
    """A new address, or what one is notified of."""
    if request.method == "GET":
        return await _open(request)
    fields = await entering.sent(request)
    name = ""
    try:
        async with entering.changing(request, fields, Scope.CONFIGURE, section=SECTION) as (session, frame):
            row = await configurations.current(session, orchestration_key(_orchestration(request)))
            await service.target(session, row.id)  # locks it
            found = await service.listing(session, [row.id])
            before, name = request.path_params.get("address", ""), row.name
            address = fields["address"].strip()
            wanted = _wanted(found, {before, address}, address, fields)
            current = _of(found, before or address)
            if fields["etag"] != _tag(current):
                return _changed(request, frame, name, fields, current)
            await service.replace(session, row.id, [each.subscription() for each in wanted.subscriptions])
            said_events = ", ".join(EVENTS[event][0].lower() for event in _events(fields)) or "nothing"
            text = f"{address} is notified of {said_events}."
            return answers.done(request, frame, fields, text, *_topics(request))
    except UserError as error:
        if not name or isinstance(error, NOT_OF_THE_FORM):
            raise
        return _form(request, frame, name, fields, forms.refused(error, PLACES), status=422)


def _changed(request: Request, frame: Frame, name: str, fields: Fields, current: Subscriber) -> Response:
    """The form again: saving once more puts one's own on top."""
    said = Fields({forms.FORM: CHANGED.format(now=", ".join(current.labels) or "nothing")})
    return _form(request, frame, name, Fields(fields | {"etag": _tag(current)}), said, status=409)


async def remove(request: Request) -> Response:
    """Notify an address no longer, at once; the toast takes it back."""
    fields = await entering.sent(request)
    async with entering.changing(request, fields, Scope.CONFIGURE, section=SECTION) as (session, frame):
        row = await configurations.current(session, orchestration_key(_orchestration(request)))
        await service.target(session, row.id)  # locks it
        found = await service.listing(session, [row.id])
        address = request.path_params["address"]
        gone = _of(found, address)
        if not gone.events:
            raise NotFound(f"{address} is not notified of anything")
        kept = [each.subscription for each in found if each.address != address]
        await service.replace(session, row.id, kept)
    url = urls_of(request)("new_notification", **orchestration_parts(request))
    undo = Undo(url, {"address": address, "etag": _tag(Subscriber(address, {})), **_fields_of(gone)})
    text = f"{address} is no longer notified."
    return answers.done(request, frame, fields, text, *_topics(request), undo=undo)


async def test(request: Request) -> Response:
    """Send one test mail to an address."""
    fields = await entering.sent(request)
    address = request.path_params["address"]
    async with entering.changing(request, fields, Scope.CONFIGURE, section=SECTION) as (session, frame):
        row = await configurations.current(session, orchestration_key(_orchestration(request)))
        try:
            await service.send_test(session, row.id, address)
        except TooMany as error:
            raise UserError(error.detail) from error
        text = f"A test e-mail to {address} is on its way; see below whether it was sent."
        return answers.done(request, frame, fields, text, *_topics(request))


async def _open(request: Request) -> Response:
    async with entering.reading(request, Scope.READ, section=SECTION) as (session, frame):
        row = await configurations.current(session, orchestration_key(_orchestration(request)))
        address = request.path_params.get("address")
        found = await service.listing(session, [row.id])
        current = _of(found, address or "")
        if address and not current.events:
            raise NotFound(f"{address} is not notified of anything")
    given = _fields_of(current) if address else {f"{EVENT}error": "true"}
    limits = {"percent": str(current.percent), "minutes": str(current.minutes)}
    own = frame.actor.email if not address and not found else ""
    values = Fields({**limits, **given, "address": address or own or "", "etag": _tag(current)})
    return _form(request, frame, row.name, values, Fields())


def _form(
    request: Request, frame: Frame, name: str, values: Fields, errors: Fields, status: int = 200
) -> Response:
    address = request.path_params.get("address")
    shown: dict[str, Any] = {"address": address, "events": EVENTS, "event_field": EVENT}
    shown |= {"orchestration": _orchestration(request)}
    return pages.dialog(
        request,
        "notifications/edit",
        status,
        title=f"Notify {address}" if address else "Notify an address",
        frame=frame,
        back=urls_of(request)("notifications", **orchestration_parts(request)),
        values=values,
        errors=errors,
        **shown,
    )


def _wanted(
    found: list[StoredSubscription], replaced: set[str], address: str, fields: Fields
) -> SubscriptionsIn:
    """All subscriptions once this form is carried out; raises UserError."""
    if not address:
        raise UserError("whom? Write an e-mail address", field="address")
    events = _events(fields)
    if not events:
        raise UserError("tick at least one event; to stop notifying, remove the address", field="events")
    kept = [each for each in found if each.address not in replaced]
    mine = [_subscription(event, address, fields) for event in events]
    theirs = [
        {"event": each.event, "address": each.address, "percent": each.percent, "minutes": each.minutes}
        for each in kept
    ]
    for each in mine:  # alone, so that what is wrong is said of this form
        forms.checked(SubscriptionsIn, {"subscriptions": [each]})
    return forms.checked(SubscriptionsIn, {"subscriptions": theirs + mine})


def _subscription(event: str, address: str, fields: Fields) -> dict[str, Any]:
    given: dict[str, Any] = {"event": event, "address": address}
    if event == "processing_long":
        given["percent"] = _number(fields, "percent", DEFAULT_PERCENT)
    if event == "waiting_long":
        given["minutes"] = _number(fields, "minutes", DEFAULT_MINUTES)
    return given


def _number(fields: Fields, name: str, default: int) -> int:
    text = fields[name].strip()
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or len(text) > len("10000") + 1:
        raise UserError("write a whole number", field=name)
    return int(text)


def _events(fields: Fields) -> list[str]:
    return [event for event in EVENTS if fields[EVENT + event] == "true"]


def _of(found: list[StoredSubscription], address: str) -> Subscriber:
    return next((each for each in subscribers(found) if each.address == address), Subscriber(address, {}))


def _fields_of(current: Subscriber) -> Mapping[str, str]:
    given = {EVENT + event: "true" for event in current.events}
    return {**given, "percent": str(current.percent), "minutes": str(current.minutes)}


def _tag(current: Subscriber) -> str:
    return service.tag(current.events.values())


def _orchestration(request: Request) -> str:
    return str(request.path_params["orchestration"])


def _topics(request: Request) -> tuple[str, ...]:
    name = _orchestration(request)
    return f"orchestration:{name}", f"notifications:{name}"
