"""An installation without a project leads its administrator to the first one, also without scripts."""

from collections.abc import AsyncIterator

import httpx
import pytest
from tests.integration.api.conftest import ADMIN_EMAIL, Client, RunningApi
from tests.integration.api.people import CHEAP, PASSWORD
from tests.support.browser import Browser, browsing
from tests.support.databases import Database


@pytest.fixture
async def browser(api: RunningApi, database: Database) -> AsyncIterator[Browser]:
    """The administrator, signed in."""
    hashed = CHEAP.hash(PASSWORD)
    await database.execute(
        "UPDATE catalog.people SET password_hash = $1 WHERE email = $2", hashed, ADMIN_EMAIL
    )
    transport = httpx.ASGITransport(app=api.app, raise_app_exceptions=False)
    async with browsing("http://api", transport=transport) as made:
        await made.send(await made.get("/sign-in"), email=ADMIN_EMAIL, password=PASSWORD)
        yield made


async def test_the_first_project_is_made_and_gets_a_token(browser: Browser, api: RunningApi) -> None:
    empty = await browser.get("/projects")
    assert "There is no project yet" in empty.text
    assert 'href="/all-projects/new"' in empty.response.text
    form = await browser.get("/all-projects/new")
    wrong = await browser.send(form, id="shop", parallel_limit="many")
    assert (wrong.status, wrong.fields["id"]) == (422, "shop"), "what was typed is kept"
    made = await browser.send(form, id="shop", parallel_limit="3")
    assert made.response.headers["location"] == "/projects/shop/orchestrations"
    again = await browser.send(form, id="shop")
    assert (again.status, "already exists" in again.text) == (409, True)

    form = await browser.get("/projects/shop/tokens/new")
    sent = {"csrf": form.fields["csrf"], "name": "reader", "preset": "custom", "read": "true"}
    own = {"Sec-Fetch-Site": "same-origin"}
    ready = await browser.http.post("/projects/shop/tokens/new", data=sent, headers=own)
    assert ready.status_code == 200
    secret = ready.text.partition('id="secret" type="text" value="')[2].partition('"')[0]
    async with api.http(secret) as http:
        assert (await Client(http, "shop").get("/v1/projects/shop"))["parallel_limit"] == 3
    assert secret not in (await browser.http.get("/projects/shop/tokens")).text


async def test_settings_say_who_was_faster(browser: Browser, api: RunningApi) -> None:
    await browser.send(await browser.get("/all-projects/new"), id="shop")
    opened = await browser.get("/projects/shop/settings")
    await browser.send(await browser.get("/projects/shop/settings"), name="Theirs", parallel_limit="5")
    late = await browser.send(opened, name="Mine", parallel_limit="")
    assert late.status == 409
    assert f"{ADMIN_EMAIL} changed this" in late.text
    assert "It is called Theirs now, with a limit of 5." in late.text
    saved = await browser.send(late, name="Mine", parallel_limit="")
    assert saved.response.headers["location"] == "/projects/shop/settings?done=saved"
    assert (await browser.get("/projects/shop/settings")).fields["name"] == "Mine"
