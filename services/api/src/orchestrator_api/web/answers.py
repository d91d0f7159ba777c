"""What a form is answered with once it was carried out."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from orchestrator_api.web import once, pages
from orchestrator_api.web.frame import Frame
from orchestrator_api.web.own_paths import own_path
from orchestrator_api.web.pages import Fields
from orchestrator_api.web.urls import urls_of

BACK = "back"


@dataclass(frozen=True, slots=True)
class Undo:
    """The form that takes back what was done."""

    url: str
    fields: Mapping[str, str] = field(default_factory=dict)


def done(
    request: Request,
    frame: Frame,
    sent: Fields,
    text: str,
    *topics: str,
    undo: Undo | None = None,
    to: str | None = None,
) -> Response:
    """A toast, and whatever shows one of the topics is fetched again; without scripts, back to the page.

    Called before the transaction ends, it also keeps the answer for when the same form is sent again.
    With `to`, the browser goes to that address instead; from a dialog that was opened as a page of its own,
    to the page that it belongs to.
    """
    kept = once.Done(text, topics, to=to)
    once.tell(request, replace(kept, undo=undo.url, undo_fields=undo.fields) if undo else kept)
    if to is not None or is_alone(sent):
        return leave(request, back(request, sent) if to is None else to)
    if not pages.is_scripted(request):
        return pages.go_to(back(request, sent))
    shown: dict[str, Any] = {
        "frame": frame,
        "text": text,
        "undo": undo and undo.url,
        "undo_fields": undo and undo.fields,
    }
    response = pages.page(request, "parts/done", **shown)
    tell(response, *topics)
    return response


def again(request: Request, frame: Frame, sent: Fields, earlier: once.Done) -> Response:
    """The answer to a form that was carried out when it was sent before."""
    if earlier.is_only_said:
        title = "This was done already"
        shown: dict[str, Any] = {"title": title, "frame": frame, "back": earlier.to, "text": earlier.text}
        response = pages.dialog(request, "parts/already", **shown)
        tell(response, *earlier.topics)
        return response
    undo = Undo(earlier.undo, earlier.undo_fields) if earlier.undo else None
    return done(request, frame, sent, earlier.text, *earlier.topics, undo=undo, to=earlier.to)


def only_once(request: Request, text: str, *topics: str, to: str) -> None:
    """What to say, and where to lead, if a form is sent again whose answer cannot be shown again."""
    once.tell(request, once.Done(text, topics, to=to, is_only_said=True))


def tell(response: Response, *topics: str) -> None:
    """Whatever shows one of the topics is fetched again."""
    told = {"live:changed": {"target": "#stream", "topics": topics}}
    response.headers["hx-trigger"] = json.dumps(told)


def is_alone(sent: Fields) -> bool:
    """Whether the form was on a page of its own: there is nothing below it to go on with."""
    return bool(sent["alone"])


def leave(request: Request, to: str) -> Response:
    """The browser goes to this address."""
    if not pages.is_scripted(request):
        return pages.go_to(to)
    return Response(headers={"hx-redirect": to, "cache-control": "no-store"})


def back(request: Request, sent: Fields) -> str:
    """The page that the form was on."""
    return own_path(sent[BACK], urls_of(request).prefix)
