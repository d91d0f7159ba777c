"""Issue 8, 26: administrators' tokens are listed and revoked, by hand and by a new setting."""

from tests.integration.api.conftest import ADMIN_EMAIL, ADMIN_TOKEN, Client, running
from tests.support.databases import Database

from orchestrator_api.settings import ApiSettings
from orchestrator_shared.domain.ids import new_id
from orchestrator_shared.security import hash_token

NEXT = "orc_test_administrator_token_of_the_next_year"
BY_HAND = "orc_test_administrator_token_that_a_person_made"


async def status(settings: ApiSettings, setting: str, *tokens: str) -> list[int]:
    """The api is started with this setting; the status that each token gets then."""
    answers = []
    async with running(settings.model_copy(update={"admin_token": setting})) as api:
        for token in tokens:
            async with api.http(token) as http:
                answers.append((await http.get("/v1/projects")).status_code)
    return answers


async def test_26_a_changed_setting_revokes_the_token_of_the_old_one(
    settings: ApiSettings, database: Database
) -> None:
    assert await status(settings, ADMIN_TOKEN, ADMIN_TOKEN) == [200]
    await database.execute(
        "INSERT INTO catalog.tokens (id, kind, name, person_id, secret_hash, scopes, components)"
        " SELECT $1, 'person', 'by hand', id, $2, ARRAY['admin'], ARRAY['*'] FROM catalog.people",
        new_id(),
        hash_token(BY_HAND),
    )
    every = (ADMIN_TOKEN, NEXT, BY_HAND)
    assert await status(settings, NEXT, *every) == [401, 200, 200]
    # A replica that still has the old setting starts again: it ends nothing and brings nothing back.
    assert await status(settings, ADMIN_TOKEN, *every) == [401, 200, 200]
    assert await status(settings, NEXT, *every) == [401, 200, 200]
    actions = await database.fetch(
        "SELECT action FROM catalog.audit WHERE action <> 'token.refused' ORDER BY at"
    )
    assert [row["action"] for row in actions] == [
        "administrator.created", "token.created", "token.created", "token.revoked",
    ]  # fmt: skip


async def test_26_administrators_tokens_are_listed_and_revoked(
    settings: ApiSettings, database: Database
) -> None:
    async with running(settings) as api, api.http(ADMIN_TOKEN) as http:
        admin = Client(http)
        await admin.post("/v1/projects", {"id": "demo"}, status=201)
        made = await admin.post("tokens", {"name": "x", "scopes": ["read"]}, status=201)
        (listed,) = (await admin.get("/v1/tokens"))["items"]
        assert (listed["email"], listed["from_setting"], listed["revoked_at"]) == (ADMIN_EMAIL, True, None)
        assert ADMIN_TOKEN not in str(listed)
        await admin.delete(f"/v1/tokens/{made['id']}", status=404)  # a project's token is ended there
        await admin.delete(f"tokens/{listed['id']}", status=404)
        await admin.delete(f"/v1/tokens/{listed['id']}", status=204)
        assert "revoked" in (await admin.get("/v1/tokens", status=401))["detail"]
    # Nor does a restart bring it back; a new value of the setting is the way in again.
    assert await status(settings, ADMIN_TOKEN, ADMIN_TOKEN) == [401]
    assert await status(settings, NEXT, ADMIN_TOKEN, NEXT) == [401, 200]


async def test_26_the_audit_of_the_installation_is_read(settings: ApiSettings, database: Database) -> None:
    async with running(settings) as api, api.http(ADMIN_TOKEN) as http:
        admin = Client(http)
        await admin.post("/v1/projects", {"id": "demo"}, status=201)
        await admin.put("variables/limit", {"value": "1"}, status=201)
        page = await admin.get("/v1/audit?limit=1")
        rest = await admin.get(f"/v1/audit?cursor={page['next']}")
    found = [item["action"] for item in page["items"] + rest["items"]]
    assert found == ["project.created", "token.created", "administrator.created"]
