"""People sign in at a real provider of OpenID Connect, and their groups give them roles."""

import asyncio
from uuid import UUID

from authlib.oauth2.rfc7636 import create_s256_code_challenge
from tests.integration.api.conftest import Client
from tests.integration.api.oidc_stage import (
    BLOCKED,
    EVA,
    audited,
    begin,
    me,
    refused,
    role_of,
    sent_to,
    sign_in,
)
from tests.integration.api.people import person_with_password, token_of_person
from tests.support.browser import Browser
from tests.support.databases import Database
from tests.support.oidc_provider import OidcProvider, parameters
from tests.support.waiting import eventually

from orchestrator_api.people.rows import NewSession
from orchestrator_api.people.store import PeopleStore
from orchestrator_shared.domain.ids import new_id


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
