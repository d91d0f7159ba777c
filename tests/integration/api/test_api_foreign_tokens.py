"""Changes of tokens wait for nothing that belongs to another tenant."""

import asyncio
from uuid import UUID

from tests.integration.api.conftest import Client, RunningApi
from tests.integration.api.people import person_with_role
from tests.support.databases import Database


async def test_a_token_of_another_tenant_is_not_even_locked(
    api: RunningApi, admin: Client, database: Database
) -> None:
    """Otherwise its admins could be kept waiting, and the wait would tell that the token exists."""
    made = await admin.post("tokens", {"name": "theirs", "scopes": ["read"]}, status=201)
    await admin.post("/v1/projects", {"id": "other", "name": "Other"})
    eva = await person_with_role(Client(admin.http, "other"), database, "eva@example.com", role="admin")
    async with api.http(eva) as http, database.connection() as connection, connection.transaction():
        await connection.execute("SELECT FROM catalog.tokens WHERE id = $1 FOR UPDATE", UUID(made["id"]))
        async with asyncio.timeout(30):
            for method in ("PATCH", "DELETE"):
                body = {"name": "mine"} if method == "PATCH" else None
                await Client(http, "other").call(method, f"tokens/{made['id']}", body, status=404)
