"""Renders pages: escaped, without scripts or styles, and with headers that keep them to themselves."""

from collections.abc import Mapping
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse, RedirectResponse, Response

_ENVIRONMENT = Environment(
    loader=PackageLoader("orchestrator_api.web", "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_HEADERS = {
    "cache-control": "no-store",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}


NO_REFERRER = {"referrer-policy": "no-referrer"}
"""For pages whose address is a secret. Forms sent from them have the origin `null`."""


def policy(*form_targets: str) -> str:
    """Nothing is loaded and nothing runs; forms go to this api, and on to the targets."""
    targets = " ".join(("'self'", *form_targets))
    return f"default-src 'none'; base-uri 'none'; form-action {targets}; frame-ancestors 'none'"


def page(name: str, status: int = 200, *, form_targets: tuple[str, ...] = (), **values: Any) -> HTMLResponse:
    """A page from its template; `problem`, `errors` and `values` need not be given."""
    context: Mapping[str, Any] = {"problem": None, "errors": Fields(), "values": Fields(), **values}
    text = _ENVIRONMENT.get_template(f"{name}.html.j2").render(context)
    headers = {**_HEADERS, "content-security-policy": policy(*form_targets)}
    return HTMLResponse(text, status, headers)


def message(title: str, text: str, *links: tuple[str, str], status: int = 200) -> HTMLResponse:
    """A page that only says something."""
    return page("message", status, title=title, text=text, links=links)


def go_to(url: str) -> Response:
    """After a form: load another page, with GET."""
    return RedirectResponse(url, 303, headers=_HEADERS)


class Fields(dict[str, str]):
    """Values or errors by field; a field that is not there is empty."""

    def __missing__(self, name: str) -> str:
        return ""
