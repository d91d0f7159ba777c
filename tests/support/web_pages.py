"""Every page that can be opened, and what its address names.

A new page is in by itself if the parts of its address have values here.
"""

import re
from collections.abc import Mapping

from orchestrator_api.web.address import Address
from orchestrator_api.web.addresses import PAGES

PARTS: dict[str, str] = {
    "after": "2",
    "address": "data-team@example.com",
    "before": "1",
    "bucket": "in.c-crm",
    "component": "demo-extractor",
    "configuration": "one",
    "job": "",
    "number": "42",
    "orchestration": "campaigns",
    "person": "",
    "project": "",
    "rest": "nothing-here",
    "schedule": "main",
    "shared_with": "",
    "table": "in.c-crm.contacts",
    "token": "",
    "trigger": "main",
    "variable": "region",
    "version": "1",
    "versions": "1...2",
}
"""The value of each part of addresses; an empty one is known only once the test has made the thing."""
OWN_PARTS: dict[str, dict[str, str]] = {
    "purge_from_trash": {"component": "orchestrator", "configuration": "gone"},
}
"""Of pages for which a part means something else."""
QUERIES: dict[str, str] = {
    "move_task": "?task=campaign-recipient",
    "settings_task": "?task=campaign-recipient",
}
"""Of pages that are about something which the query names."""
REFUSED: dict[str, int] = {
    "nowhere": 404,
    "revoke_administrator_token": 404,
    "terminate_job": 409,
    "terminate_run": 409,
}
"""Pages that say why not: there is no such thing, or the run is over."""
NOT_OPENED: dict[str, str] = {
    "home": "leads on to another page",
    "project": "leads on to another page",
    "oidc": "leads to the provider",
    "oidc_callback": "only the provider leads to it",
    "link": "its test makes a link",
    "cli_login": "its test begins a login",
    "badge": "a count that a script puts into a page",
    "drop_dead_letter": "its test makes a letter",
    "job_log_part": "lines that a script puts into a page",
    "export_orchestration": "a file",
}
"""Why these are not among them."""


def opened() -> list[Address]:
    """The pages that one opens by their address."""
    return [page for page in PAGES if "GET" in page.methods and page.name not in NOT_OPENED]


def unknown_parts() -> dict[str, set[str]]:
    """Parts of addresses that have no value above, by page."""
    found = {page.name: _parts(page.path) - PARTS.keys() for page in opened()}
    return {name: parts for name, parts in found.items() if parts}


def path_of(page: Address, made: Mapping[str, str]) -> str:
    """Its address, with what the test has made."""
    values = {**PARTS, **made, **OWN_PARTS.get(page.name, {})}
    path = re.sub(r"{(\w+)(?::path)?}", lambda part: values[part[1]], page.path)
    return f"{path}{QUERIES.get(page.name, '')}"


def _parts(path: str) -> set[str]:
    return set(re.findall(r"{(\w+)(?::path)?}", path))
