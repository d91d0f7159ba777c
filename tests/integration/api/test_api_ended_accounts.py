"""What ends when an account is disabled, its password is changed, or its person signs out everywhere."""

from uuid import UUID

import pytest
from tests.integration.api.conftest import Client, RunningApi
from tests.integration.api.people import (
    PASSWORD,
    person_with_password,
    sign_in,
    signed_in,
    token_of_person,
)
from tests.support.databases import Database

ADA = "ada@example.com"
NEW = "another good password"


@pytest.fixture
async def ada(admin: Client, database: Database) -> UUID:
    return await person_with_password(admin, database, ADA, role="editor")


async def reset_link(admin: Client, person: UUID) -> str:
    made = await admin.post(f"/v1/people/{person}/reset?show_link=true", status=201)
    return f"/v1{made['link']}"


async def test_enabling_an_account_brings_neither_links_nor_logins_back(
    api: RunningApi, admin: Client, ada: UUID, database: Database
) -> None:
    path, token = await reset_link(admin, ada), await token_of_person(database, ada)
    for disabled in (True, False):
        await admin.call("PATCH", f"/v1/people/{ada}", {"disabled": disabled})
    async with api.http(None) as http:
        assert (await http.post(path, json={"password": NEW})).status_code == 404
        assert (await sign_in(http, ADA)).status_code == 201
    async with api.http(token) as http:
        assert (await http.get("/v1/me")).status_code == 401


async def test_a_changed_password_ends_links_for_the_old_one(
    api: RunningApi, admin: Client, ada: UUID
) -> None:
    path = await reset_link(admin, ada)
    async with signed_in(api, ADA) as browser:
        await browser.put("/v1/me/password", {"current_password": PASSWORD, "new_password": NEW})
        assert (await browser.http.get(path)).status_code == 404


async def test_a_new_password_ends_logins_of_the_command_line(
    api: RunningApi, admin: Client, ada: UUID, database: Database
) -> None:
    tokens = [await token_of_person(database, ada)]
    async with api.http(tokens[0]) as http, signed_in(api, ADA) as browser:
        assert (await http.get("/v1/me")).status_code == 200
        await browser.put("/v1/me/password", {"current_password": PASSWORD, "new_password": NEW})
        assert (await http.get("/v1/me")).status_code == 401
    tokens.append(await token_of_person(database, ada))
    path = await reset_link(admin, ada)
    async with api.http(tokens[1]) as http:
        assert (await http.post(path, json={"password": PASSWORD})).status_code == 200
        assert (await http.get("/v1/me")).status_code == 401


async def test_signing_out_everywhere_ends_logins_of_the_command_line(
    api: RunningApi, ada: UUID, database: Database
) -> None:
    token = await token_of_person(database, ada)
    async with api.http(token) as http, signed_in(api, ADA) as browser:
        await browser.delete("/v1/me/sessions")
        assert (await http.get("/v1/me")).status_code == 401
