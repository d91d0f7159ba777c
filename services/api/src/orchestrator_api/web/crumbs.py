"""The way from the project to a form that is shown as a page of its own."""

from collections.abc import Mapping
from typing import Any

from orchestrator_api.web.sections import SECTIONS
from orchestrator_api.web.urls import Urls

THINGS = (
    ("orchestration", "orchestration", ("project", "orchestration")),
    ("number", "run", ("project", "orchestration", "number")),
    ("configuration", "configuration", ("project", "component", "configuration")),
    ("table", "table", ("project", "table")),
    ("bucket", "bucket", ("project", "bucket")),
)
"""Parts of addresses, the page of each, and which parts that needs."""


def way_to(urls: Urls, section: str, parts: Mapping[str, str]) -> list[tuple[str, str]]:
    """Addresses and labels: the section, and the things that the form is about."""
    found = []
    for each in SECTIONS:
        if each.page == section and (each.is_of_instance or "project" in parts):
            own: dict[str, Any] = {} if each.is_of_instance else {"project": parts["project"]}
            found.append((urls(each.page, **own), each.label))
    for part, page, needed in THINGS:
        if page in urls.paths and all(name in parts for name in needed):
            named: dict[str, Any] = {name: parts[name] for name in needed}
            found.append((urls(page, **named), f"#{parts[part]}" if part == "number" else parts[part]))
    return found
