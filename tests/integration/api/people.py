"""People for tests: accounts with roles, and what they sign in with."""

from uuid import UUID

from tests.integration.api.conftest import Client
from tests.support.databases import Database

from orchestrator_shared.security import hash_token, new_token


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
