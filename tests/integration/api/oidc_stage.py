"""People who sign in at a provider of OpenID Connect, and what became of them."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import httpx
from tests.integration.api.conftest import RunningApi
from tests.support.browser import Browser, Page, browsing
from tests.support.databases import Database
from tests.support.oidc_provider import OidcProvider
from tests.support.stack_settings import LINK_KEY

from orchestrator_api.people.oidc import pending
from orchestrator_api.people.oidc.pending import PendingSignIn
from orchestrator_api.settings import ApiSettings
from orchestrator_shared.settings import parse_keys

EVA = "eva@example.com"
BLOCKED = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
)
GROUPS = json.dumps(
    {
        "data-team": {"demo": "editor", "missing-project": "admin"},
        "on-call": {"demo": "viewer+run"},
        "leads": {"demo": "admin"},
        "platform": "instance-admin",
    }
)


def with_provider(settings: ApiSettings, provider: OidcProvider, **more: Any) -> ApiSettings:
    return ApiSettings.model_validate(
        {
            **settings.model_dump(exclude_unset=True),
            "public_url": "http://api",
            "oidc_issuer": provider.issuer,
            "oidc_client_id": "orchestrator",
            "oidc_client_secret": "the client's secret",
            "oidc_groups": GROUPS,
            "oidc_name": "Example Login",
            **more,
        }
    )


@asynccontextmanager
async def browser_at(api: RunningApi) -> AsyncIterator[Browser]:
    transport = httpx.ASGITransport(app=api.app, raise_app_exceptions=False)
    async with browsing("http://api", transport=transport) as made:
        yield made


async def begin(browser: Browser, path: str = "/sign-in/oidc") -> str:
    """Returns the address of the provider's page."""
    page = await browser.get(path)
    assert page.status == 303, page.text
    return str(page.response.headers["location"])


async def sign_in(browser: Browser, provider: OidcProvider, subject: str = "eva") -> Page:
    """From the button to the answer to the code."""
    return await browser.get(provider.sign_in(await begin(browser), subject))


async def me(browser: Browser) -> Any:
    answer = await browser.http.get("/v1/me")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def refused(browser: Browser, page: Page, database: Database, reason: str) -> None:
    """A page that says so, no session, and a record."""
    assert page.status == 403, page.text
    assert "You are not signed in" in page.text
    assert (await browser.http.get("/v1/me")).status_code == 401
    rows = await database.fetch(
        "SELECT detail ->> 'reason' AS reason FROM catalog.audit WHERE action = 'sign_in.refused' ORDER BY at"
    )
    assert reason in rows[-1]["reason"]


async def role_of(database: Database, email: str = EVA) -> list[tuple[str, str, bool, str]]:
    rows = await database.fetch(
        "SELECT m.project, m.role, m.may_run, m.source FROM catalog.members m"
        " JOIN catalog.people p ON p.id = m.person_id WHERE p.email = $1",
        email,
    )
    return [(row["project"], row["role"], row["may_run"], row["source"]) for row in rows]


async def audited(database: Database, subject: str) -> list[str]:
    rows = await database.fetch("SELECT action FROM catalog.audit WHERE subject = $1 ORDER BY at", subject)
    return [row["action"] for row in rows]


def sent_to(browser: Browser) -> PendingSignIn:
    """What the browser keeps while its person is at the provider."""
    cookie = browser.http.cookies["orchestrator-oidc"]
    sent = pending.read(parse_keys(LINK_KEY), cookie, datetime.now(UTC))
    assert sent is not None
    return sent


async def csrf(browser: Browser) -> dict[str, str]:
    token = (await browser.http.get("/v1/sessions/current")).json()["csrf_token"]
    return {"Sec-Fetch-Site": "same-origin", "X-CSRF-Token": token}
