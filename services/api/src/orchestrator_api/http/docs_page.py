"""`/docs`: all operations on a plain page without scripts, which also works offline."""

from collections.abc import Iterator
from html import escape
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'"
STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "code,pre{font:14px/1.4 ui-monospace,monospace}pre{white-space:pre-wrap}"
    "summary{cursor:pointer}table{border-collapse:collapse}td,th{text-align:left;padding:.1rem 1rem .1rem 0;"
    "vertical-align:top}b{display:inline-block;min-width:4.5rem}"
)


async def docs(request: Request) -> Response:
    """The page."""
    return HTMLResponse(page(request.app.openapi()), headers={"content-security-policy": POLICY})


def page(document: dict[str, Any]) -> str:
    """The description as HTML."""
    info, tags = document["info"], document["tags"]
    sections = "".join(_section(document, tag["name"], tag["description"]) for tag in tags)
    links = " · ".join(f'<a href="#{_anchor(tag["name"])}">{escape(tag["name"])}</a>' for tag in tags)
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(info["title"])}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style>'
        f"<h1>{escape(info['title'])}</h1><pre>{escape(info['description'].strip())}</pre>"
        f'<p>The full description, with every model: <a href="v1/openapi.json">/v1/openapi.json</a>.</p>'
        f"<p>{links}</p>{sections}</html>"
    )


def _section(document: dict[str, Any], tag: str, description: str) -> str:
    operations = "".join(
        _operation(method, path, operation, document["components"]["responses"])
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if tag in operation["tags"]
    )
    return f'<h2 id="{_anchor(tag)}">{escape(tag)}</h2><p>{escape(description)}</p>{operations}'


def _anchor(tag: str) -> str:
    return escape(tag.replace(" ", "-"))


def _operation(method: str, path: str, operation: dict[str, Any], shared: dict[str, Any]) -> str:
    rows = "".join(f"<tr><td>{escape(a)}<td>{escape(b)}" for a, b in _rows(operation, shared))
    return (
        f"<details><summary><b>{method.upper()}</b> <code>{escape(path)}</code></summary>"
        f"<p>{escape(operation['description'])}</p><table>{rows}</table></details>"
    )


def _rows(operation: dict[str, Any], shared: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if scope := operation.get("x-required-scopes"):
        yield "scope", " or ".join(scope)
    for parameter in operation.get("parameters", []):
        yield f"{parameter['name']} ({parameter['in']})", parameter.get("description", "")
    content = operation.get("requestBody", {}).get("content", {})
    for kind, body in content.items():
        yield "body", f"{kind} {_model(body['schema'])}"
    for status, response in operation["responses"].items():
        described = shared[response["$ref"].rpartition("/")[2]] if "$ref" in response else response
        yield status, described["description"]


def _model(schema: dict[str, Any]) -> str:
    names = [each.get("$ref", "").rpartition("/")[2] for each in [schema, *schema.get("anyOf", [])]]
    return next((name for name in names if name), "")
