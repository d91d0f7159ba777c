"""Members of a project: invited, given other roles, removed; the last admin stays."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from uuid import UUID

import pytest
from tests.integration.api.conftest import Client, RunningApi
from tests.integration.api.people import person_with_role, token_of_person
from tests.support.databases import Database

from orchestrator_api.access.permissions import Role
from orchestrator_api.people.store import PeopleStore

Admins = tuple[Client, Client]


@pytest.fixture
async def admins(api: RunningApi, admin: Client, database: Database) -> AsyncIterator[Admins]:
    """The two admins of the project."""
    async with AsyncExitStack() as stack:
        tokens = [
            await person_with_role(admin, database, f"{name}@example.com", role="admin") for name in "ab"
        ]
        one, two = [Client(await stack.enter_async_context(api.http(token))) for token in tokens]
        yield one, two


async def own_id(client: Client) -> str:
    return str((await client.get("/v1/me"))["person"]["id"])


async def test_members_are_invited_and_their_roles_changed(admins: Admins, database: Database) -> None:
    one, _ = admins
    made = await one.post(
        "members", {"email": "Ada@Example.com", "name": "Ada", "role": "viewer"}, status=201
    )
    assert (made["email"], made["name"], made["role"], made["may_run"]) == (
        "Ada@Example.com", "Ada", "viewer", False,
    )  # fmt: skip
    await one.post("members", {"email": "ada@example.com", "role": "editor"}, status=409)
    path = f"members/{made['person_id']}"
    assert (await one.put(path, {"role": "viewer", "may_run": True}))["may_run"] is True
    assert (await one.put(path, {"role": "editor", "may_run": True}))["may_run"] is False
    assert await one.get(path) == (await one.get("members"))["items"][-1]
    await one.delete(path, status=204)
    await one.get(path, status=404)
    await one.delete(path, status=404)
    actions = await database.fetch(
        "SELECT action FROM catalog.audit WHERE subject = 'Ada@Example.com' ORDER BY at"
    )
    assert [row["action"] for row in actions] == [
        "member.added", "member.changed", "member.changed", "member.removed",
    ]  # fmt: skip


async def test_one_account_is_a_member_of_several_projects(admins: Admins, admin: Client) -> None:
    one, _ = admins
    await admin.post("/v1/projects", {"id": "other"}, status=201)
    other = Client(admin.http, "other")
    assert (await other.post("members", {"email": "a@example.com", "role": "viewer"}, status=201))[
        "person_id"
    ] == await own_id(one)
    assert [each["id"] for each in (await one.get("/v1/projects"))["items"]] == ["demo", "other"]
    assert [(each["project"], each["role"]) for each in (await one.get("/v1/me"))["memberships"]] == [
        ("demo", "admin"), ("other", "viewer"),
    ]  # fmt: skip
    await other.delete(f"members/{await own_id(one)}", status=204)
    await one.get("/v1/projects/other", status=404)


async def test_the_last_admin_stays(admins: Admins, admin: Client) -> None:
    one, two = admins
    await one.delete(f"members/{await own_id(two)}", status=204)
    own = f"members/{await own_id(one)}"
    for asked in (one, admin):  # an instance administrator, too
        refused = await asked.delete(own, status=409)
        assert "the last admin of this project" in refused["detail"]
        await asked.put(own, {"role": "editor"}, status=409)
    assert (await one.put(own, {"role": "admin"}))["role"] == "admin"


async def test_a_disabled_admin_does_not_count(admins: Admins, database: Database) -> None:
    one, two = admins
    async with database.connection() as connection:
        await connection.execute(
            "UPDATE catalog.people SET disabled_at = clock_timestamp() WHERE email = 'b@example.com'"
        )
    await one.delete(f"members/{await own_id(one)}", status=409)
    assert "disabled" in (await two.get("members", status=401))["detail"]


@pytest.mark.parametrize("method", ["DELETE", "PUT"])
async def test_of_two_removals_of_the_last_two_admins_one_is_refused(
    admins: Admins, database: Database, method: str
) -> None:
    """Both are past every check but the last when the first one is let go on."""
    paths = [f"members/{await own_id(client)}" for client in admins]
    body = {"role": "viewer"} if method == "PUT" else None
    async with database.connection() as connection:
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute("SELECT FROM catalog.projects WHERE id = 'demo' FOR NO KEY UPDATE")
        requests = [
            asyncio.create_task(
                client.http.request(method, f"/v1/projects/demo/{path}", json=body, headers={"If-Match": "*"})
            )
            for client, path in zip(admins, reversed(paths), strict=True)
        ]
        await waiting(database, 2)
        await transaction.rollback()
    answers = [await request for request in requests]
    succeeded = 204 if method == "DELETE" else 200
    refused = {409, 404}  # whoever is no longer a member when refused is told of no project
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses[0] == succeeded, [answer.text for answer in answers]
    assert statuses[1] in refused, [answer.text for answer in answers]
    rows = await database.fetch("SELECT role FROM catalog.members WHERE project = 'demo' AND role = 'admin'")
    assert len(rows) == 1


async def test_an_invitation_and_a_sign_in_do_not_wait_for_each_other(
    admins: Admins, admin: Client, database: Database
) -> None:
    """A sign-in locks the account, and then gives it the roles of its groups: so must an invitation."""
    client, email = admins[0], "eva@example.com"
    await admin.call("POST", "/v1/people", {"email": email}, status=201)
    person = UUID(await database.fetchval("SELECT id::text FROM catalog.people WHERE email = $1", email))
    async with database.connection() as connection, connection.transaction():
        store = PeopleStore(connection)
        assert await store.lock_person(person_id=person)
        body = {"email": email, "role": "viewer"}
        inviting = asyncio.create_task(client.http.post("/v1/projects/demo/members", json=body))
        await waiting(database, 1)
        await store.give_role(project="demo", person_id=person, role=Role.EDITOR, may_run=False)
    answer = await inviting
    assert (answer.status_code, "is a member already" in answer.text) == (409, True), answer.text


async def waiting(database: Database, count: int) -> None:
    query = (
        "SELECT count(*) AS n FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    async with asyncio.timeout(60):
        while (await database.fetch(query))[0]["n"] < count:
            await asyncio.sleep(0.01)


async def test_a_person_is_told_who_they_are(admins: Admins, admin: Client, database: Database) -> None:
    one, _ = admins
    me = await one.get("/v1/me")
    assert (me["person"]["email"], me["person"]["is_administrator"]) == ("a@example.com", False)
    assert (await admin.get("/v1/me"))["person"]["is_administrator"]
    made = await one.post("tokens", {"name": "robot", "scopes": ["run"]}, status=201)
    robot = await one.http.get("/v1/me", headers={"Authorization": f"Bearer {made['token']}"})
    assert robot.json() == {
        "person": None, "memberships": [], "preferences": None,
        "token": {"id": made["id"], "name": "robot", "project": "demo", "scopes": ["run"], "components": [],
            "buckets": [],
        },
    }  # fmt: skip


async def test_runs_of_a_person_are_manual(api: RunningApi, furnished: Client, database: Database) -> None:
    token = await person_with_role(furnished, database, "on-call@example.com", role="viewer", may_run=True)
    async with api.http(token) as http:
        await Client(http).post("orchestrations/daily/runs", status=202)
    rows = await database.fetch("SELECT origin, requested_by FROM catalog.run_requests")
    assert [tuple(row) for row in rows] == [("manual", "on-call@example.com")]


async def test_a_person_without_a_project_sees_none(
    api: RunningApi, admins: Admins, admin: Client, database: Database
) -> None:
    made = await admin.post("members", {"email": "gone@example.com", "role": "viewer"}, status=201)
    await admin.delete(f"members/{made['person_id']}", status=204)
    async with api.http(await token_of_person(database, made["person_id"])) as http:
        gone = Client(http)
        assert (await gone.get("/v1/projects"))["items"] == []
        await gone.get("orchestrations", status=404)
