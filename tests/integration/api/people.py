"""People for tests: accounts with roles, and what they sign in with."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import httpx
from argon2 import PasswordHasher
from tests.integration.api.conftest import Client, RunningApi
from tests.support.databases import Database

from orchestrator_shared.security import hash_token, new_token

PASSWORD = "correct horse battery"
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
OWN_PAGE = {"Sec-Fetch-Site": "same-origin"}


async def person_with_role(admin: Client, database: Database, email: str, **role: object) -> str:
    """Make a person a member of the client's project; returns a token of theirs."""
    member = await admin.post("members", {"email": email, **role}, status=201)
    return await token_of_person(database, UUID(member["person_id"]))


async def token_of_person(database: Database, person_id: UUID) -> str:
    """A token that stands for the person."""
    token_id, text = new_token()
    async with database.connection() as connection:
        await connection.execute(
            "INSERT INTO catalog.tokens (id, kind, name, person_id, secret_hash, scopes)"
            " VALUES ($1, 'person', 'test', $2, $3, '{}')",
            token_id,
            person_id,
            hash_token(text),
        )
    return text


async def person_with_password(admin: Client, database: Database, email: str, **role: object) -> UUID:
    """Make a person a member who can sign in with PASSWORD."""
    member = await admin.post("members", {"email": email, **role}, status=201)
    async with database.connection() as connection:
        await connection.execute(
            "UPDATE catalog.people SET password_hash = $2 WHERE lower(email) = lower($1)",
            email,
            CHEAP.hash(PASSWORD),
        )
    return UUID(member["person_id"])


async def sign_in(http: httpx.AsyncClient, email: str, password: str = PASSWORD) -> httpx.Response:
    """Send the form."""
    return await http.post("/v1/sessions", json={"email": email, "password": password}, headers=OWN_PAGE)


@asynccontextmanager
async def signed_in(api: RunningApi, email: str, password: str = PASSWORD) -> AsyncIterator[Client]:
    """A browser in which the person is signed in, on one of our own pages."""
    async with api.http(None) as http:
        response = await sign_in(http, email, password)
        assert response.status_code == 201, response.text
        http.headers.update({**OWN_PAGE, "X-CSRF-Token": response.json()["csrf_token"]})
        yield Client(http)
