"""Links in a browser: looking at one changes nothing, its form sets the password once."""

import re

import pytest
from tests.integration.api.conftest import Client
from tests.integration.api.test_web_sign_in import browser
from tests.support.browser import Browser

__all__ = ["browser"]
EMAIL, PASSWORD = "ada@example.com", "another good password"


@pytest.fixture
async def link(admin: Client) -> str:
    """The path of an invitation's link."""
    made = await admin.post("/v1/people?show_link=true", {"email": EMAIL}, status=201)
    return str(made["link"])


async def test_a_link_sets_a_password_once_and_signs_in(link: str, browser: Browser) -> None:
    for _ in range(2):  # looking does not use it up
        page = await browser.get(link)
        assert page.status == 200
        assert page.fields["email"] == EMAIL
    assert page.response.headers["referrer-policy"] == "no-referrer"
    assert page.response.headers["cache-control"] == "no-store"

    done = await browser.send(page, password=PASSWORD, repeated=PASSWORD)
    assert done.response.headers["location"] == "/"
    assert f"You are signed in as {EMAIL}." in (await browser.get("/account")).text
    over = await browser.get(link)
    assert over.status == 404
    assert over.response.headers["referrer-policy"] == "no-referrer"
    assert (await browser.send(page, password=PASSWORD, repeated=PASSWORD)).status == 404


@pytest.mark.parametrize(
    ("password", "repeated", "beside"),
    [
        ("short", "short", {"password-error": "Use at least 12 characters: a sentence works well."}),
        ("x" * 201, "x" * 201, {"password-error": "Use at most 200 characters."}),
        (PASSWORD, "another", {"repeated-error": "This is not the same password: enter it again."}),
    ],
)
async def test_what_is_wrong_is_said_beside_the_field_and_the_link_stays_good(
    password: str, repeated: str, beside: dict[str, str], link: str, browser: Browser
) -> None:
    page = await browser.send(await browser.get(link), password=password, repeated=repeated)
    assert page.status == 422
    assert {name: page.notes[name] for name in beside} == beside
    assert not re.search(r'type="password"[^>]* value=', page.response.text)
    assert (await browser.send(page, password=PASSWORD, repeated=PASSWORD)).status == 303


async def test_another_site_cannot_use_a_link(link: str, browser: Browser) -> None:
    page = await browser.get(link)
    sent = {"password": PASSWORD, "repeated": PASSWORD}
    assert (await browser.send(page, {"Sec-Fetch-Site": "cross-site"}, **sent)).status == 403
    assert (await browser.send(page, csrf="x" * 43, **sent)).status == 403
    # A page without a referrer has no origin; over plain HTTP browsers say nothing else.
    assert (await browser.send(page, {"Origin": "null"}, **sent)).status == 303


async def test_a_link_that_is_none_says_how_to_get_one(browser: Browser) -> None:
    for text in ("x", "a.b.c", "x" * 1000):
        page = await browser.get(f"/links/{text}")
        assert page.status == 404
        assert "This link does not work" in page.text


async def test_a_forgotten_password_has_the_same_answer_for_everyone(link: str, browser: Browser) -> None:
    answers = []
    for email in (EMAIL, "nobody@example.com"):
        page = await browser.get("/forgot-password")
        answers.append(await browser.send(page, email=email))
    assert [answer.status for answer in answers] == [200, 200]
    assert answers[0].text == answers[1].text
    page = await browser.send(await browser.get("/forgot-password"), email="")
    assert page.notes["email-error"] == "Enter your address."
