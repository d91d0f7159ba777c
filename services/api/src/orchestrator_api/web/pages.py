"""Renders pages: escaped, with a policy that runs and loads only what is ours, kept nowhere."""

import secrets
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from orchestrator_api.web import visited
from orchestrator_api.web.crumbs import way_to
from orchestrator_api.web.environment import ENVIRONMENT
from orchestrator_api.web.rendering import Later, Page
from orchestrator_api.web.static_files import StaticFiles
from orchestrator_api.web.urls import Urls, urls_of
from orchestrator_api.web.viewer import viewer_of

if TYPE_CHECKING:
    from orchestrator_api.web.frame import Frame

_HEADERS = {
    "cache-control": "no-store",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
STATIC = StaticFiles()

_REFUSED = 400
NO_REFERRER = {"referrer-policy": "no-referrer"}
"""For pages whose address is a secret. Forms sent from them have the origin `null`."""


def policy(nonce: str, *form_targets: str) -> str:
    """Only what is ours is loaded and run; forms go to this api, and on to the targets.

    The nonce lets no script in that is not ours: it tells htmx which elements this page has written
    (`hx-nonce`), so that markup from elsewhere can make no requests.
    """
    targets = " ".join(("'self'", *form_targets))
    return (
        f"default-src 'self'; script-src 'self' 'nonce-{nonce}'; img-src 'self' data:; object-src 'none'; "
        f"base-uri 'none'; form-action {targets}; frame-ancestors 'none'"
    )


def page(
    request: Request,
    template: str,
    /,
    status: int = 200,
    *,
    form_targets: tuple[str, ...] = (),
    is_large: bool = False,
    later: Later | None = None,
    **values: Any,
) -> Page:
    """A page, or a part of one; `problem`, `errors` and `values` need not be given.

    It is rendered later, with what `later` computes then; `is_large` says that this takes long.
    """
    nonce = secrets.token_urlsafe(12)
    urls = urls_of(request)
    context = {
        "frame": None,
        "problem": None,
        "conflict": None,
        "errors": Fields(),
        "values": Fields(),
        "nonce": nonce,
        "url_for": urls,
        "static": _static(urls),
        "viewer": viewer_of(request),
        "here": here(request),
        "once": secrets.token_hex(16),
        **values,
    }
    headers = {**_HEADERS, "content-security-policy": policy(nonce, *form_targets)}
    found = ENVIRONMENT.get_template(f"{template}.html.j2")
    response = Page(found, context, status, headers, is_large=is_large, later=later)
    is_whole = bool(values.get("frame")) and "title" in values and template != "dialog"
    if status == HTTPStatus.OK and is_whole and not is_scripted(request):
        visited.keep(request, response, values["title"])
    return response


def dialog(
    request: Request,
    template: str,
    /,
    status: int = 200,
    *,
    title: str,
    frame: "Frame",
    back: str,
    size: str = "",
    **values: Any,
) -> Page:
    """A form over the page at `back`; opened by its address, or without scripts, a page of its own.

    The template has the form only, with the id `dialog-title` at its heading; `size` is "wide" or "xl".
    """
    shell = "parts/dialog" if is_scripted(request) else "dialog"
    shown: dict[str, Any] = {
        "title": title,
        "frame": frame,
        "back": back,
        "size": size,
        "form": f"{template}.html.j2",
        "way": way_to(urls_of(request), frame.section, request.path_params),
    }
    has_address = request.method == "GET"
    is_alone = not is_scripted(request) or bool(values.get("values", Fields())["alone"])
    return page(
        request,
        shell,
        status,
        has_address=has_address,
        is_alone=is_alone,
        is_typed=status >= _REFUSED,
        **shown,
        **values,
    )


def _static(urls: Urls) -> Any:
    """`static("js/live.js")`: the address of a file; a wrong name fails where it is written."""
    base = urls("static", version=STATIC.version, path="")

    def address(name: str) -> str:
        assert name in STATIC, f"there is no static file {name}"
        return base + name

    return address


def here(request: Request) -> str:
    """The address of this page, below the host."""
    return f"{request.url.path}{'?' if request.url.query else ''}{request.url.query}"


def message(
    request: Request, title: str, text: str, *links: tuple[str, str], status: int = 200, **values: Any
) -> Page:
    """A page that only says something; each link is the name of a page, or an address, and its label."""
    urls = urls_of(request)
    shown = [(urls(target) if target in urls.paths else target, label) for target, label in links]
    return page(request, "message", status, title=title, text=text, links=shown, **{"again": None, **values})


def go_to(url: str) -> Response:
    """After a form: load another page, with GET."""
    return RedirectResponse(url, 303, headers=_HEADERS)


def is_scripted(request: Request) -> bool:
    """Whether a script of ours asks, which puts the answer into the page that is there."""
    return request.headers.get("hx-request") == "true"


def shown_parts(request: Request) -> frozenset[str]:
    """The keys (`data-have`) of parts that the page has already; the answer may leave them out."""
    return frozenset(request.headers.get("x-have", "").split()) if is_scripted(request) else frozenset()


def is_partial(request: Request) -> bool:
    """Whether it wants the part that it puts into the page, and not to pick it from the whole page."""
    return is_scripted(request) and request.headers.get("hx-request-type") == "partial"


class Fields(dict[str, str]):
    """Values or errors by field; a field that is not there is empty."""

    def __missing__(self, name: str) -> str:
        return ""
