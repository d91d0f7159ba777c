"""People sign in at a real provider of OpenID Connect, and their groups give them roles."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx
import pytest
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from tests.integration.api.conftest import Client, RunningApi, running
from tests.integration.api.people import PASSWORD, person_with_password, token_of_person
from tests.support.browser import Browser, Page, browsing
from tests.support.databases import Database
from tests.support.oidc_provider import OidcProvider, parameters, running_provider
from tests.support.stack_settings import LINK_KEY
from tests.support.waiting import eventually

from orchestrator_api.people.first_link import FirstLinkSettings, connected
from orchestrator_api.people.oidc import pending
from orchestrator_api.people.oidc.pending import PendingSignIn
from orchestrator_api.people.rows import NewSession
from orchestrator_api.people.store import PeopleStore
from orchestrator_api.settings import ApiSettings
from orchestrator_shared.domain.errors import Conflict
from orchestrator_shared.domain.ids import new_id
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


@pytest.fixture(scope="module")
def shared_provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OidcProvider]:
    with running_provider(tmp_path_factory.mktemp("provider")) as made:
        yield made


@pytest.fixture
def provider(shared_provider: OidcProvider) -> OidcProvider:
    """Knows Eva, whatever the tests before have told it of her."""
    shared_provider.restore()
    shared_provider.person("eva", email=EVA, email_verified=True, name="Eva", groups=["data-team"])
    return shared_provider


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


@pytest.fixture
async def api(settings: ApiSettings, provider: OidcProvider) -> AsyncIterator[RunningApi]:
    async with running(with_provider(settings, provider)) as service:
        yield service


@asynccontextmanager
async def browser_at(api: RunningApi) -> AsyncIterator[Browser]:
    transport = httpx.ASGITransport(app=api.app, raise_app_exceptions=False)
    async with browsing("http://api", transport=transport) as made:
        yield made


@pytest.fixture
async def browser(api: RunningApi, admin: Client) -> AsyncIterator[Browser]:
    async with browser_at(api) as made:
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


async def test_a_person_signs_in_and_has_the_roles_of_their_groups(
    browser: Browser, provider: OidcProvider, database: Database
) -> None:
    form = await browser.get("/sign-in?next=/docs")
    assert "Sign in with Example Login" in form.text
    assert "Password" in form.text
    assert 'href="/sign-in/oidc?next=%2Fdocs"' in form.response.text

    url = await begin(browser, "/sign-in/oidc?next=%2Fdocs")
    asked, sent = parameters(url), sent_to(browser)
    assert asked["code_challenge"] == create_s256_code_challenge(sent.verifier)
    assert (asked["code_challenge_method"], asked["response_type"]) == ("S256", "code")
    assert (asked["client_id"], asked["scope"]) == ("orchestrator", "openid email profile")
    assert asked["redirect_uri"] == "http://api/sign-in/oidc/callback"
    assert (asked["state"], asked["nonce"]) == (sent.state, sent.nonce)

    page = await browser.get(provider.sign_in(url, "eva"))
    assert (page.status, page.response.headers["location"]) == (303, "/docs")
    said = await me(browser)
    assert (said["person"]["email"], said["person"]["name"]) == (EVA, "Eva")
    assert said["person"]["is_administrator"] is False
    assert await role_of(database) == [("demo", "editor", False, "provider")]
    assert await audited(database, EVA) == ["person.created", "member.added", "session.opened"]
    assert "orchestrator-oidc" not in browser.http.cookies


def sent_to(browser: Browser) -> PendingSignIn:
    """What the browser keeps while its person is at the provider."""
    cookie = browser.http.cookies["orchestrator-oidc"]
    sent = pending.read(parse_keys(LINK_KEY), cookie, datetime.now(UTC))
    assert sent is not None
    return sent


async def test_other_groups_are_other_roles_at_the_next_sign_in(
    browser: Browser, provider: OidcProvider, database: Database
) -> None:
    claims = {"email": EVA, "email_verified": True}
    for groups, roles, administers in (
        (["on-call"], [("demo", "viewer", True, "provider")], False),
        (["on-call", "leads", "unknown"], [("demo", "admin", False, "provider")], False),
        (["platform"], [], True),
        ([], [], False),
    ):
        provider.person("eva", **claims, groups=groups)
        assert (await sign_in(browser, provider)).status == 303
        assert await role_of(database) == roles
        assert (await me(browser))["person"]["is_administrator"] is administers
    assert (await browser.http.get("/v1/projects/demo")).status_code == 404
    actions = [each for each in await audited(database, EVA) if each != "session.opened"]
    assert actions == [
        "person.created",
        "member.added",
        "member.changed",
        "member.removed",
        "person.changed",
        "person.changed",
    ]


async def test_a_role_given_by_hand_stays(
    browser: Browser, provider: OidcProvider, database: Database, admin: Client
) -> None:
    member = await admin.post("members", {"email": EVA, "role": "viewer"}, status=201)
    assert member["source"] == "manual"
    assert (await sign_in(browser, provider)).status == 303
    assert await role_of(database) == [("demo", "viewer", False, "manual")]
    await admin.delete(f"members/{member['person_id']}")
    assert (await sign_in(browser, provider)).status == 303
    assert await role_of(database) == [("demo", "editor", False, "provider")]
    changed = await admin.put(f"members/{member['person_id']}", {"role": "admin"})
    assert changed["source"] == "manual"
    provider.person("eva", email=EVA, email_verified=True, groups=[])
    assert (await sign_in(browser, provider)).status == 303
    assert await role_of(database) == [("demo", "admin", False, "manual")]


async def test_an_administrator_made_by_hand_stays_one(
    browser: Browser, provider: OidcProvider, admin: Client
) -> None:
    assert (await sign_in(browser, provider)).status == 303
    person = (await me(browser))["person"]["id"]
    await admin.call("PATCH", f"/v1/people/{person}", {"is_administrator": True})
    assert (await sign_in(browser, provider)).status == 303
    assert (await me(browser))["person"]["is_administrator"] is True


async def test_an_existing_account_is_linked_by_its_address_and_then_known_by_its_subject(
    browser: Browser, provider: OidcProvider, database: Database, admin: Client
) -> None:
    person_id = await person_with_password(admin, database, "Eva@Example.com", role="viewer")
    assert (await sign_in(browser, provider)).status == 303
    assert UUID((await me(browser))["person"]["id"]) == person_id
    assert "person.linked" in await audited(database, "Eva@Example.com")
    provider.person("eva", email="other@example.com", email_verified=True)
    assert (await sign_in(browser, provider)).status == 303
    assert UUID((await me(browser))["person"]["id"]) == person_id


async def test_an_address_belongs_to_the_first_who_signs_in_with_it(
    browser: Browser, provider: OidcProvider, database: Database
) -> None:
    assert (await sign_in(browser, provider)).status == 303
    browser.http.cookies.clear()
    provider.person("impostor", email=EVA, email_verified=True)
    page = await sign_in(browser, provider, "impostor")
    await refused(browser, page, database, "another person has signed in with your mail address")


async def test_an_unlinked_account_is_signed_out_and_linked_again_by_its_address(
    browser: Browser, provider: OidcProvider, database: Database, admin: Client
) -> None:
    assert (await sign_in(browser, provider)).status == 303
    person = (await me(browser))["person"]["id"]
    login = await token_of_person(database, UUID(person))
    assert (await admin.get(f"/v1/people/{person}"))["identity_provider"] == provider.issuer
    await admin.delete(f"/v1/people/{person}/identity", status=204)
    problem = await admin.delete(f"/v1/people/{person}/identity", status=404)
    assert problem["detail"] == f"{EVA} is not linked to an identity provider"
    assert (await browser.http.get("/v1/me")).status_code == 401
    headers = {"Authorization": f"Bearer {login}"}
    assert (await admin.http.get("/v1/me", headers=headers)).status_code == 401
    assert await role_of(database) == [("demo", "editor", False, "provider")]
    assert "person.unlinked" in await audited(database, EVA)
    provider.person("eva-of-the-new-issuer", email=EVA, email_verified=True, groups=["data-team"])
    assert (await sign_in(browser, provider, "eva-of-the-new-issuer")).status == 303
    assert (await me(browser))["person"]["id"] == person


async def test_a_sign_in_that_meets_an_unlinking_leaves_no_session(
    browser: Browser, provider: OidcProvider, database: Database, admin: Client
) -> None:
    assert (await sign_in(browser, provider)).status == 303
    person = UUID((await me(browser))["person"]["id"])
    async with database.connection() as connection:
        async with connection.transaction():
            store = PeopleStore(connection)
            identity = await store.person_of_identity(issuer=provider.issuer, subject="eva")
            assert identity == person
            unlinking = asyncio.create_task(admin.delete(f"/v1/people/{person}/identity", status=204))
            await eventually(lambda: database.fetchval(BLOCKED))
            session = NewSession(new_id(), person, b"hash", "192.0.2.1", "Browser")
            await store.insert_provider_session(session)
        await unlinking
    assert await database.fetchval("SELECT count(*) FROM catalog.sessions") == 0


async def test_a_sign_in_and_a_change_of_who_administers_do_not_wait_for_each_other(
    browser: Browser, provider: OidcProvider, database: Database
) -> None:
    """A change locks who administers, and then the account: so must a sign-in that takes a right away."""
    provider.person("eva", email=EVA, email_verified=True, groups=["platform"])
    assert (await sign_in(browser, provider)).status == 303
    person = UUID((await me(browser))["person"]["id"])
    provider.person("eva", email=EVA, email_verified=True, groups=["data-team"])
    async with database.connection() as connection, connection.transaction():
        store = PeopleStore(connection)
        await store.lock_administrators()
        signing_in = asyncio.create_task(sign_in(browser, provider))
        await eventually(lambda: database.fetchval(BLOCKED))
        await store.update_person(person_id=person, name="Eve", is_administrator=True, is_disabled=False)
    assert (await signing_in).status == 303
    assert (await me(browser))["person"]["is_administrator"] is False


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


async def csrf(browser: Browser) -> dict[str, str]:
    token = (await browser.http.get("/v1/sessions/current")).json()["csrf_token"]
    return {"Sec-Fetch-Site": "same-origin", "X-CSRF-Token": token}


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
