"""The command line's login: confirmed in a browser, exchanged once for a token that can be revoked."""

from urllib.parse import unquote
from uuid import UUID

import pytest
from tests.integration.api.conftest import Client, RunningApi
from tests.integration.api.test_web_sign_in import EMAIL, browser, eva, sign_in
from tests.support.browser import Browser
from tests.support.databases import Database

from orchestrator_api.web.cli_codes import challenge_of

__all__ = ["browser", "eva"]
VERIFIER, STATE = "v" * 43, "s" * 22
PATH = f"/cli-login?state={STATE}&challenge={challenge_of(VERIFIER)}&port=8765&name=laptop"


async def confirmed(browser: Browser) -> str:
    """Sign in, confirm; returns the code that the browser takes to the command line."""
    first = await browser.get(PATH)
    leads_to = await sign_in(browser, first.response.headers["location"])
    assert leads_to == PATH
    page = await browser.get(leads_to)
    assert "“laptop”" in page.text
    assert f"work as {EMAIL}" in page.text
    assert "form-action 'self' http://127.0.0.1:8765;" in page.response.headers["content-security-policy"]
    answer = await browser.send(page)
    assert answer.status == 303
    location = answer.response.headers["location"]
    begin, code, state = f"http://127.0.0.1:8765/callback?code={{}}&state={STATE}".partition("{}")
    assert location.startswith(begin)
    assert location.endswith(state), code
    return str(location.removeprefix(begin).removesuffix(state))


async def test_a_confirmed_login_becomes_a_token_of_the_person(
    eva: UUID, browser: Browser, api: RunningApi, admin: Client
) -> None:
    code = await confirmed(browser)
    body = {"code": code, "verifier": VERIFIER}
    async with api.http(None) as http:
        made = await Client(http).post("/v1/cli-logins", body, status=201)
        assert (made["email"], made["name"]) == (EMAIL, "command line on laptop")
        assert made["expires_at"] is not None
        again = await Client(http).post("/v1/cli-logins", body, status=401)
        assert "was used already" in again["detail"]
    async with api.http(made["token"]) as http:
        own = Client(http)
        assert (await own.get("/v1/me"))["person"]["id"] == str(eva)
        await own.get("orchestrations")
        await own.put("variables/x", {"value": "1"}, status=403)  # a viewer
        (listed,) = (await own.get("/v1/me/tokens"))["items"]
        assert (listed["id"], listed["prefix"]) == (made["id"], made["token"][:12])
        assert "token" not in listed
        await own.delete(f"/v1/me/tokens/{made['id']}", status=204)
        await own.get("/v1/me", status=401)
    assert made["id"] in {each["id"] for each in (await admin.get("/v1/tokens"))["items"]}
    actions = [each["action"] for each in (await admin.get("/v1/audit"))["items"]]
    assert actions[:3] == ["token.refused", "token.revoked", "token.created"]


async def test_a_code_is_of_no_use_to_anyone_else(eva: UUID, browser: Browser, api: RunningApi) -> None:
    code = await confirmed(browser)
    async with api.http(None) as http:
        client = Client(http)
        await client.post("/v1/cli-logins", {"code": code, "verifier": "w" * 43}, status=401)
        await client.post("/v1/cli-logins", {"code": code + "x", "verifier": VERIFIER}, status=401)
        await client.post("/v1/cli-logins", {"code": code, "verifier": VERIFIER}, status=201)


async def test_a_disabled_person_gets_no_token(
    eva: UUID, browser: Browser, api: RunningApi, database: Database
) -> None:
    code = await confirmed(browser)
    await database.execute("UPDATE catalog.people SET disabled_at = clock_timestamp() WHERE id = $1", eva)
    async with api.http(None) as http:
        await Client(http).post("/v1/cli-logins", {"code": code, "verifier": VERIFIER}, status=401)


async def test_a_code_ends_with_the_session_in_which_it_was_confirmed(
    eva: UUID, browser: Browser, api: RunningApi, database: Database
) -> None:
    """Otherwise someone who is signed out everywhere could still get a token for a month."""
    code = await confirmed(browser)
    await database.execute("DELETE FROM catalog.sessions WHERE person_id = $1", eva)
    async with api.http(None) as http:
        await Client(http).post("/v1/cli-logins", {"code": code, "verifier": VERIFIER}, status=401)


async def test_another_site_cannot_confirm(eva: UUID, browser: Browser) -> None:
    await sign_in(browser)
    page = await browser.get(PATH)
    assert (await browser.send(page, {"Sec-Fetch-Site": "cross-site"})).status == 403
    assert (await browser.send(page, csrf="0" * 64)).status == 403
    browser.http.cookies.clear()
    assert (await browser.send(page)).status == 403


@pytest.mark.parametrize("changed", ["port=80", "port=x", "port=8765@evil.example", "state=x", "name=%0A"])
async def test_a_login_that_leads_elsewhere_is_not_shown(changed: str, eva: UUID, browser: Browser) -> None:
    await sign_in(browser)
    field, _, value = changed.partition("=")
    parts = PATH.partition("?")[2].split("&")
    query = "&".join(changed if part.startswith(f"{field}=") else part for part in parts)
    page = await browser.get(f"/cli-login?{query}")
    assert page.status == 422
    assert page.action is None
    shown = await browser.get(PATH)
    assert (await browser.send(shown, **{field: unquote(value)})).status == 422


async def test_an_api_token_has_no_tokens_of_its_own(furnished: Client, api: RunningApi) -> None:
    made = await furnished.post("tokens", {"name": "robot", "scopes": ["read"]}, status=201)
    async with api.http(made["token"]) as http:
        assert await Client(http).get("/v1/me/tokens") == {"items": []}
        await Client(http).delete(f"/v1/me/tokens/{made['id']}", status=404)
