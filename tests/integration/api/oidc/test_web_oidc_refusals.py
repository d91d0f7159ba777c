"""Whom and what a sign-in with OpenID Connect refuses, and what leads in without it."""

import json
from typing import Any

import pytest
from tests.integration.api.conftest import Client, RunningApi, running
from tests.integration.api.oidc_stage import (
    EVA,
    begin,
    browser_at,
    csrf,
    me,
    refused,
    sent_to,
    sign_in,
    with_provider,
)
from tests.integration.api.people import PASSWORD, person_with_password
from tests.support.browser import Browser
from tests.support.databases import Database
from tests.support.oidc_provider import OidcProvider, parameters

from orchestrator_api.people.first_link import FirstLinkSettings, connected
from orchestrator_api.settings import ApiSettings
from orchestrator_shared.domain.errors import Conflict


@pytest.mark.parametrize(
    "claims",
    [
        {"email": EVA},
        {"email": EVA, "email_verified": False},
        {"email": EVA, "email_verified": "false"},
        {"email_verified": True},
        {"email": "eva", "email_verified": True},
        {"email": "eva\u0000@example.com", "email_verified": True},
    ],
)
async def test_an_address_that_is_not_verified_is_refused(
    claims: dict[str, Any], browser: Browser, provider: OidcProvider, database: Database
) -> None:
    provider.person("mallory", **claims)
    page = await sign_in(browser, provider, "mallory")
    await refused(browser, page, database, "has not verified your mail address")


async def test_a_disabled_account_is_refused(
    browser: Browser, provider: OidcProvider, database: Database, admin: Client
) -> None:
    assert (await sign_in(browser, provider)).status == 303
    person = (await me(browser))["person"]["id"]
    await admin.call("PATCH", f"/v1/people/{person}", {"disabled": True})
    await refused(browser, await sign_in(browser, provider), database, "your account is disabled")


async def test_an_answer_for_another_browser_is_refused(
    api: RunningApi, browser: Browser, provider: OidcProvider, database: Database
) -> None:
    answer = provider.sign_in(await begin(browser), "eva")
    async with browser_at(api) as other:
        await refused(other, await other.get(answer), database, "the state is not the browser's")
        await begin(other)
        await refused(other, await other.get(answer), database, "the state is not the browser's")
    state = parameters(answer)["state"]
    page = await browser.get(answer.replace(state, state[::-1]))
    await refused(browser, page, database, "the state is not the browser's")


async def test_a_code_is_good_once(browser: Browser, provider: OidcProvider, database: Database) -> None:
    answer = provider.sign_in(await begin(browser), "eva")
    cookie = browser.http.cookies["orchestrator-oidc"]
    assert (await browser.get(answer)).status == 303
    browser.http.cookies.clear()
    await refused(browser, await browser.get(answer), database, "the state is not the browser's")
    browser.http.cookies.set("orchestrator-oidc", cookie)
    await refused(
        browser, await browser.get(answer), database, "the provider refuses the code: invalid_grant"
    )


async def test_an_id_token_for_another_sign_in_is_refused(
    browser: Browser, provider: OidcProvider, database: Database
) -> None:
    url = await begin(browser)
    nonce = parameters(url)["nonce"]
    page = await browser.get(provider.sign_in(url.replace(nonce, nonce[::-1]), "eva"))
    await refused(browser, page, database, "the ID token is not valid")


async def test_an_expired_id_token_is_refused(
    browser: Browser, provider: OidcProvider, database: Database
) -> None:
    provider.stop()
    provider.start(token_seconds=-600)
    provider.person("eva", email=EVA, email_verified=True)
    await refused(browser, await sign_in(browser, provider), database, "expired")


async def test_what_the_provider_refuses_is_told(
    browser: Browser, provider: OidcProvider, database: Database
) -> None:
    answer = provider.refuse(await begin(browser))
    error = parameters(answer)["error"]
    page = await browser.get(f"/sign-in/oidc/callback?state={sent_to(browser).state}&error={error}")
    await refused(browser, page, database, "the provider refuses: access_denied")
    assert "access_denied" in page.text


async def test_without_the_provider_a_page_says_so_and_passwords_work(
    browser: Browser, provider: OidcProvider, database: Database, admin: Client
) -> None:
    await person_with_password(admin, database, "adam@example.com", role="viewer")
    answer = provider.sign_in(await begin(browser), "eva")
    provider.stop()
    for page in (await browser.get("/sign-in/oidc"), await browser.get(answer)):
        assert page.status == 503
        assert "The identity provider does not answer." in page.text
    form = await browser.get("/sign-in")
    assert (await browser.send(form, email="adam@example.com", password=PASSWORD)).status == 303
    provider.start()
    provider.person("eva", email=EVA, email_verified=True)
    assert (await sign_in(browser, provider)).status == 303


async def test_new_keys_of_the_provider_count_at_once(browser: Browser, provider: OidcProvider) -> None:
    assert (await sign_in(browser, provider)).status == 303
    provider.stop()
    provider.start()
    provider.person("eva", email=EVA, email_verified=True)
    assert (await sign_in(browser, provider)).status == 303


async def test_without_passwords_only_the_provider_and_the_first_link_lead_in(
    settings: ApiSettings, provider: OidcProvider, database: Database
) -> None:
    alone = with_provider(settings, provider, password_sign_in=False, admin_email=None, admin_token=None)
    first = FirstLinkSettings.model_validate(
        {name: getattr(alone, name) for name in FirstLinkSettings.model_fields}
    )
    async with running(alone) as api, browser_at(api) as browser:
        form = await browser.get("/sign-in")
        assert "Sign in with Example Login" in form.text
        assert "Password" not in form.text
        credentials = {"email": EVA, "password": PASSWORD}
        answer = await browser.http.post("/v1/sessions", json=credentials)
        assert (answer.status_code, "Example Login" in answer.json()["detail"]) == (403, True)
        assert (await browser.http.post("/v1/password-resets", json={"email": EVA})).status_code == 403
        assert "You need no password here" in (await browser.get("/forgot-password")).text

        path = (await connected(first, "root@example.com")).removeprefix("http://api")
        page = await browser.send(await browser.get(path), password=PASSWORD, repeated=PASSWORD)
        assert page.status == 303
        assert (await me(browser))["person"]["is_administrator"] is True
        invited = await browser.http.post(
            "/v1/people?show_link=true",
            json={"email": "eve@example.com"},
            headers=await csrf(browser),
        )
        link = invited.json()["link"].removeprefix("http://api")
        browser.http.cookies.clear()
        assert "You need no password here: sign in with Example Login." in (await browser.get(link)).text
        used = await browser.http.post(f"/v1{link}", json={"password": PASSWORD})
        assert used.status_code == 403

        await connected(first, "root@example.com")  # a password alone is no way in
        provider.person("root", email="root@example.com", email_verified=True)
        assert (await sign_in(browser, provider, "root")).status == 303
        with pytest.raises(Conflict):
            await connected(first, "root@example.com")


async def test_without_a_provider_there_is_no_button(settings: ApiSettings) -> None:
    async with running(settings) as api, browser_at(api) as browser:
        assert "Sign in with" not in (await browser.get("/sign-in")).text
        for path in ("/sign-in/oidc", "/sign-in/oidc/callback"):
            assert (await browser.get(path)).status == 404


async def test_a_page_whose_session_has_ended_goes_on_after_signing_in_at_the_provider(
    browser: Browser, provider: OidcProvider
) -> None:
    scripted = {"HX-Request": "true"}
    asked = await browser.http.get("/projects", headers=scripted)
    assert asked.status_code == 401
    way = "/sign-in/oidc?next=%2Fsign-in%2Fagain"
    assert f'href="{way}" target="_blank"' in asked.text

    back = await browser.get(provider.sign_in(await begin(browser, way), "eva"))
    assert "You are signed in" in (await browser.follow(back)).text
    told = await browser.http.get("/sign-in/again", headers=scripted)
    event = json.loads(told.headers["hx-trigger"])["session:again"]
    assert event["person"] == (await me(browser))["person"]["id"]
    assert len(event["csrf"]) == 128
