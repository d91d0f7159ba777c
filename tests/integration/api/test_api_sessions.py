"""Sessions: listed and ended by their person, by time, by a new password, and by a disabled account."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
from tests.integration.api.conftest import ADMIN_EMAIL, Client, RunningApi
from tests.integration.api.people import PASSWORD, person_with_password, sign_in, signed_in
from tests.support.databases import Database

ADA = "ada@example.com"
NEW = "another good password"
Browsers = tuple[Client, Client]


@pytest.fixture
async def browsers(api: RunningApi, admin: Client, database: Database) -> AsyncIterator[Browsers]:
    """Ada, signed in twice."""
    await person_with_password(admin, database, ADA, role="editor")
    async with AsyncExitStack() as stack:
        one, two = [await stack.enter_async_context(signed_in(api, ADA)) for _ in range(2)]
        yield one, two


async def is_signed_in(browser: Client) -> bool:
    return (await browser.http.get("/v1/me")).status_code == 200


async def change(database: Database, statement: str) -> None:
    async with database.connection() as connection:
        await connection.execute(statement)


async def test_sessions_are_listed_and_ended(browsers: Browsers, admin: Client) -> None:
    one, two = browsers
    listed = (await one.get("/v1/me/sessions"))["items"]
    assert [each["is_current"] for each in listed].count(True) == 1
    assert {each["address"] for each in listed} == {"127.0.0.1"}
    other = next(each["id"] for each in listed if not each["is_current"])
    await admin.delete(f"/v1/me/sessions/{other}", status=404)
    await one.delete(f"/v1/me/sessions/{other}", status=204)
    await one.delete(f"/v1/me/sessions/{other}", status=404)
    assert (await is_signed_in(one), await is_signed_in(two)) == (True, False)


async def test_preferences_follow_the_person(browsers: Browsers, admin: Client, api: RunningApi) -> None:
    one, two = browsers
    nothing = {"theme": None, "timezone": None, "single_keys": None, "page_size": None}
    assert (await one.get("/v1/me"))["preferences"] == nothing
    await one.call("PATCH", "/v1/me", {"preferences": {"theme": "dark", "timezone": "Europe/Prague"}})
    chosen = {"theme": None, "single_keys": False, "page_size": 20}
    changed = await two.call("PATCH", "/v1/me", {"preferences": chosen})
    assert changed["preferences"] == {**chosen, "timezone": "Europe/Prague"}
    assert (await one.get("/v1/me"))["preferences"] == changed["preferences"]
    wrong = await one.call("PATCH", "/v1/me", {"preferences": {"timezone": "Europe/Prag"}}, status=422)
    assert wrong["errors"][0]["field"] == "preferences.timezone"
    await one.call("PATCH", "/v1/me", {"preferences": {"page_size": 7}}, status=422)
    assert (await admin.get("/v1/me"))["preferences"] == nothing  # a person's token
    made = await admin.post("tokens", {"name": "robot", "scopes": ["read"]}, status=201)
    async with api.http(made["token"]) as http:
        robot = Client(http)
        assert (await robot.get("/v1/me"))["preferences"] is None
        await robot.call("PATCH", "/v1/me", {"preferences": {}}, status=403)
    recorded = (await admin.get("/v1/audit?action=preferences.changed"))["items"]
    assert [each["actor"] for each in recorded] == [ADA, ADA]


async def test_a_person_signs_out_everywhere(browsers: Browsers) -> None:
    one, two = browsers
    await one.delete("/v1/me/sessions", status=204)
    assert (await is_signed_in(one), await is_signed_in(two)) == (False, False)


async def test_a_new_password_ends_the_other_sessions(browsers: Browsers, api: RunningApi) -> None:
    one, two = browsers
    form = {"current_password": PASSWORD, "new_password": NEW}
    await one.put("/v1/me/password", {**form, "current_password": "not the right one"}, status=422)
    await one.put("/v1/me/password", {**form, "new_password": "short"}, status=422)
    await one.put("/v1/me/password", form, status=204)
    assert (await is_signed_in(one), await is_signed_in(two)) == (True, False)
    async with api.http(None) as http:
        assert (await sign_in(http, ADA, PASSWORD)).status_code == 401
        assert (await sign_in(http, ADA, NEW)).status_code == 201


async def test_of_two_new_passwords_at_once_one_is_refused(browsers: Browsers) -> None:
    requests = [
        browser.http.put("/v1/me/password", json={"current_password": PASSWORD, "new_password": f"{NEW} {n}"})
        for n, browser in enumerate(browsers)
    ]
    statuses = sorted([(await each).status_code for each in asyncio.as_completed(requests)])
    assert statuses[0] == 204
    assert statuses[1] in {401, 409, 422}


@pytest.mark.parametrize(("column", "age"), [("last_seen_at", "1 day"), ("created_at", "14 days")])
async def test_a_session_ends_by_time(browsers: Browsers, database: Database, column: str, age: str) -> None:
    one, _ = browsers
    await change(database, f"UPDATE catalog.sessions SET {column} = clock_timestamp() - interval '{age}'")
    answer = await one.http.get("/v1/me")
    assert (answer.status_code, "sign in again" in answer.json()["detail"]) == (401, True)


async def test_use_is_recorded_once_a_minute(browsers: Browsers, database: Database) -> None:
    one, _ = browsers
    seen = "SELECT max(last_seen_at) AS at FROM catalog.sessions"
    before = (await database.fetch(seen))[0]["at"]
    await one.get("/v1/me")
    assert (await database.fetch(seen))[0]["at"] == before
    await change(database, "UPDATE catalog.sessions SET last_seen_at = last_seen_at - interval '61 seconds'")
    await one.get("/v1/me")
    assert (await database.fetch(seen))[0]["at"] > before


async def test_a_disabled_account_is_signed_out_at_once(
    browsers: Browsers, admin: Client, api: RunningApi, database: Database
) -> None:
    one, _ = browsers
    person = (await one.get("/v1/me"))["person"]["id"]
    changed = await admin.call("PATCH", f"/v1/people/{person}", {"disabled": True})
    assert changed["disabled_at"] is not None
    assert not await is_signed_in(one)
    assert await database.fetch("SELECT FROM catalog.sessions") == []
    changed = await admin.call("PATCH", f"/v1/people/{person}", {"disabled": False, "name": "Ada"})
    assert (changed["disabled_at"], changed["name"]) == (None, "Ada")
    assert not await is_signed_in(one), "what was ended stays ended"
    async with signed_in(api, ADA) as again:
        assert await is_signed_in(again)
    actions = await database.fetch(
        "SELECT action FROM catalog.audit WHERE subject = $1 AND action LIKE 'person.%' ORDER BY at", ADA
    )
    assert [row["action"] for row in actions] == ["person.disabled", "person.enabled"]


async def test_the_last_administrator_stays(browsers: Browsers, admin: Client) -> None:
    one, two = browsers
    people = (await admin.get("/v1/people"))["items"]
    ids = {person["email"]: person["id"] for person in people}
    own = f"/v1/people/{ids[ADMIN_EMAIL]}"
    for refused in ({"disabled": True}, {"is_administrator": False}):
        answer = await admin.call("PATCH", own, refused, status=409)
        assert "last administrator" in answer["detail"]
    await one.call("PATCH", own, {"disabled": True}, status=403)
    await admin.call("PATCH", f"/v1/people/{ids[ADA]}", {"is_administrator": True})
    assert (await two.get("/v1/people"))["items"][0]["email"] == ADMIN_EMAIL
    await two.call("PATCH", own, {"disabled": True})
    await admin.get("/v1/me", status=401)


async def test_a_request_is_repeated_after_signing_in_again(
    furnished: Client, api: RunningApi, database: Database
) -> None:
    """The key of a request is the person's, not the session's."""
    await person_with_password(furnished, database, ADA, role="editor")
    jobs = []
    for _ in range(2):
        async with signed_in(api, ADA) as browser:
            jobs.append(await browser.post("orchestrations/daily/runs", key="once", status=202))
    assert jobs[0]["job_id"] == jobs[1]["job_id"]
