"""The addresses of the pages; they are for people and not part of the API's description.

A page has a name, by which templates and handlers link to it: `url_for("orchestrations", project="demo")`.
"""

from collections.abc import Sequence
from itertools import chain

from fastapi import FastAPI

from orchestrator_api.http.prefix import Prefix
from orchestrator_api.web import home
from orchestrator_api.web.account import addresses as account
from orchestrator_api.web.address import BOTH, PROJECT, READ, SEND, Address
from orchestrator_api.web.audit import addresses as audit
from orchestrator_api.web.cli_login import cli_login
from orchestrator_api.web.components import addresses as components
from orchestrator_api.web.configurations import addresses as configurations
from orchestrator_api.web.csrf import FormTokens
from orchestrator_api.web.dead_letters import addresses as dead_letters
from orchestrator_api.web.guarding import guarded
from orchestrator_api.web.jobs import addresses as jobs
from orchestrator_api.web.link_pages import forgot_password, link
from orchestrator_api.web.members import addresses as members
from orchestrator_api.web.notifications import addresses as notifications
from orchestrator_api.web.oidc import BEGIN, CALLBACK, PendingCookies, begin, callback
from orchestrator_api.web.orchestrations import addresses as orchestrations
from orchestrator_api.web.pages import STATIC
from orchestrator_api.web.people import addresses as people
from orchestrator_api.web.projects import addresses as projects
from orchestrator_api.web.runs import addresses as runs
from orchestrator_api.web.schedules import addresses as schedules
from orchestrator_api.web.search import addresses as search
from orchestrator_api.web.sign_in import sign_in, sign_out
from orchestrator_api.web.sign_in_again import sign_in_again
from orchestrator_api.web.slashes import without_slash
from orchestrator_api.web.tables import addresses as tables
from orchestrator_api.web.tasks import addresses as tasks
from orchestrator_api.web.tokens import addresses as tokens
from orchestrator_api.web.trash import addresses as trash
from orchestrator_api.web.triggers import addresses as triggers
from orchestrator_api.web.variables import addresses as variables

ENTRY = (
    Address("home", "/", home.home, READ),
    Address("sign_in", "/sign-in", sign_in, BOTH),
    Address("sign_in_again", "/sign-in/again", sign_in_again, BOTH),
    Address("oidc", BEGIN, begin, READ),
    Address("oidc_callback", CALLBACK, callback, READ),
    Address("sign_out", "/sign-out", sign_out, SEND),
    Address("link", "/links/{link}", link, BOTH),
    Address("forgot_password", "/forgot-password", forgot_password, BOTH),
    Address("cli_login", "/cli-login", cli_login, BOTH),
    Address("project", PROJECT, home.project, READ),
)
NOWHERE = Address("nowhere", f"{PROJECT}/{{rest:path}}", home.nowhere, READ)
ROOMS = (
    people,
    projects,
    audit,
    variables,
    members,
    tokens,
    account,
    orchestrations,
    configurations,
    components,
    runs,
    schedules,
    triggers,
    trash,
    notifications,
    tables,
    jobs,
    dead_letters,
    search,
    tasks,
)
PAGES = (*ENTRY, *chain.from_iterable(each.PAGES for each in ROOMS), NOWHERE)
"""In the order in which they are looked for."""
OTHERS = {
    "static": "/static/{version}/{path}",
    "docs": "/docs",
    "project_events": "/v1/projects/{project}/events",
    "job_log": "/v1/projects/{project}/jobs/{job}/log/raw",
    "job_events": "/v1/projects/{project}/jobs/{job}/events",
}
"""What pages link to that is no page."""


def install(
    app: FastAPI, *, is_https: bool, link_keys: Sequence[bytes], prefix: str = "", log_days: int = 30
) -> None:
    """Serve the pages."""
    app.state.log_days = log_days
    app.state.pending_cookies = PendingCookies(is_https=is_https)
    app.state.link_keys = tuple(link_keys)
    app.state.form_tokens = FormTokens(is_https=is_https)
    app.state.page_paths = {each.name: each.path for each in PAGES} | OTHERS
    for each in PAGES:
        if each is NOWHERE:
            _lead_without_slashes(app)
        app.add_route(each.path, guarded(each.handler), methods=each.methods, include_in_schema=False)
    app.add_route("/static/{version}/{path:path}", STATIC.serve, methods=READ, include_in_schema=False)
    if prefix:
        app.add_middleware(Prefix, prefix=prefix)


def _lead_without_slashes(app: FastAPI) -> None:
    for each in PAGES:
        if each is not NOWHERE and each.path != "/" and "GET" in each.methods:
            path = f"{each.path}/"
            app.add_route(path, guarded(without_slash(each)), methods=READ, include_in_schema=False)
