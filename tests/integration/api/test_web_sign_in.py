"""Pages for signing in and out, in a browser without scripts."""

from collections.abc import AsyncIterator
from uuid import UUID

import httpx
import pytest
from tests.integration.api.conftest import Client, RunningApi
from tests.support.browser import Browser, browsing
from tests.support.databases import Database

from orchestrator_api.people.passwords import Passwords

EMAIL, PASSWORD = "eva@example.com", "correct horse battery"


@pytest.fixture
async def eva(furnished: Client, database: Database) -> UUID:
    """A viewer of the project with a password."""
    member = await furnished.post("members", {"email": EMAIL, "role": "viewer"}, status=201)
    person_id = UUID(member["person_id"])
    hashed = await Passwords().hash("test", PASSWORD)
    await database.execute("UPDATE catalog.people SET password_hash = $1 WHERE id = $2", hashed, person_id)
    return person_id


@pytest.fixture
async def browser(api: RunningApi) -> AsyncIterator[Browser]:
    transport = httpx.ASGITransport(app=api.app, raise_app_exceptions=False)
    async with browsing("http://api", transport=transport) as made:
        yield made


async def sign_in(browser: Browser, path: str = "/sign-in") -> str:
    """Sign in as Eva; returns where that leads."""
    page = await browser.send(await browser.get(path), email=EMAIL, password=PASSWORD)
    assert page.status == 303, page.text
    return str(page.response.headers["location"])


async def test_a_person_signs_in_and_out(eva: UUID, browser: Browser) -> None:
    assert (await browser.get("/")).response.headers["location"] == "/projects"
    assert (await browser.get("/projects")).response.headers["location"] == "/sign-in?next=%2Fprojects"
    assert await sign_in(browser) == "/"
    account = await browser.get("/account")
    assert f"You are signed in as {EMAIL}." in account.text
    assert (await browser.http.get("/v1/me")).json()["person"]["id"] == str(eva)

    assert (await browser.send(account)).response.headers["location"] == "/sign-in"
    assert (await browser.get("/account")).status == 303
    assert (await browser.http.get("/v1/me")).status_code == 401


async def test_signing_in_runs_no_script_and_is_kept_nowhere(eva: UUID, browser: Browser) -> None:
    page = await browser.get("/sign-in")
    headers = page.response.headers
    assert headers["cache-control"] == "no-store"
    assert headers["content-type"] == "text/html; charset=utf-8"
    assert "<script" not in page.response.text
    cookie = headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie


async def test_a_wrong_password_keeps_the_address_and_not_the_password(eva: UUID, browser: Browser) -> None:
    for email in (EMAIL, 'nobody"><b>@example.com'):
        page = await browser.send(await browser.get("/sign-in?next=/docs"), email=email, password="wrong one")
        assert page.status == 401
        assert page.notes["problem"] == "The address or the password is wrong."
        assert page.fields["email"] == email
        assert page.fields["password"] == ""
        assert page.fields["next"] == "/docs"
        assert "wrong one" not in page.response.text
        assert "<b>" not in page.response.text


async def test_what_is_missing_is_said_beside_the_field(browser: Browser) -> None:
    page = await browser.send(await browser.get("/sign-in"), email="", password="")
    assert page.status == 422
    assert page.notes["email-error"] == "Enter your address."
    assert page.notes["password-error"] == "Enter your password."
    assert 'aria-describedby="email-error"' in page.response.text


async def test_after_too_many_tries_the_form_says_when_to_try_again(eva: UUID, browser: Browser) -> None:
    page = await browser.get("/sign-in")
    for _ in range(20):
        page = await browser.send(page, email=EMAIL, password="wrong one")
        if page.status != 401:
            break
    assert page.status == 429
    assert int(page.response.headers["retry-after"]) >= 1
    assert "Too many wrong passwords" in page.notes["problem"]
    assert page.fields["email"] == EMAIL


@pytest.mark.parametrize(
    ("path", "leads_to"),
    [("/docs", "/docs"), ("//evil.example", "/"), ("https://evil.example", "/"), ("/\\evil.example", "/")],
)
async def test_signing_in_leads_to_own_pages_only(
    path: str, leads_to: str, eva: UUID, browser: Browser
) -> None:
    page = await browser.get("/sign-in")
    page = await browser.send(page, email=EMAIL, password=PASSWORD, next=path)
    assert page.response.headers["location"] == leads_to


async def test_forms_of_other_sites_are_refused(eva: UUID, browser: Browser) -> None:
    page = await browser.get("/sign-in")
    right = {"email": EMAIL, "password": PASSWORD}
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}, {}):
        assert (await browser.send(page, headers, **right)).status == 403
    assert (await browser.send(page, csrf="", **right)).status == 403
    assert (await browser.send(page, csrf="x" * 43, **right)).status == 403
    browser.http.cookies.clear()
    assert (await browser.send(page, **right)).status == 403, "without the cookie"
    await sign_in(browser)
    account = await browser.get("/account")
    assert (await browser.send(account, {"Sec-Fetch-Site": "cross-site"})).status == 403
    assert (await browser.send(account, csrf=page.fields["csrf"])).status == 403
    assert (await browser.get("/account")).status == 200, "still signed in"


async def test_what_is_not_a_form_is_refused_as_a_page(browser: Browser) -> None:
    for body, kind, status in (
        (b"{}", "application/json", 415),
        (b"csrf=%FF", "application/x-www-form-urlencoded", 400),
        (b"csrf=%00", "application/x-www-form-urlencoded", 422),
        (b"a=" + b"x" * 20_000, "application/x-www-form-urlencoded", 413),
        (b"&".join(b"a%d=" % number for number in range(31)), "application/x-www-form-urlencoded", 400),
    ):
        response = await browser.http.post("/sign-in", content=body, headers={"content-type": kind})
        assert response.status_code == status, body[:20]
        assert response.headers["content-type"] == "text/html; charset=utf-8"
