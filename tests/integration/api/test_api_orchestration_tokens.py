"""The token of an orchestration: what it may run, and its end with the orchestration."""

from typing import Any

from tests.integration.api.conftest import Client, orchestration

PATH = "orchestrations/daily"


async def own(client: Client) -> dict[str, Any]:
    tokens = (await client.get("tokens"))["items"]
    (found,) = [token for token in tokens if token["name"] == "orchestration daily"]
    return dict(found)


async def test_an_administrator_narrows_what_it_runs(furnished: Client) -> None:
    assert (await furnished.get(f"{PATH}/token"))["components"] == ["*"]
    wanted = {"components": ["sql", "demo-extractor", "sql"]}
    changed = await furnished.put(f"{PATH}/token", wanted, status=200)
    assert changed["components"] == ["demo-extractor", "sql"]
    assert await furnished.get(f"{PATH}/token") == changed
    assert await furnished.put(f"{PATH}/token", wanted, status=200) == changed
    records = (await furnished.get("audit"))["items"]
    (record,) = [each for each in records if each["action"] == "token.changed"]
    assert (record["subject"], record["detail"]) == (
        "orchestration daily",
        {"components": ["demo-extractor", "sql"]},
    )
    await furnished.put(PATH, orchestration("one"), status=200)
    assert (await furnished.get(f"{PATH}/token"))["components"] == ["demo-extractor", "sql"], "kept by a save"
    await furnished.put(f"{PATH}/token", {"components": []}, status=200)
    await furnished.put(f"{PATH}/token", {"components": ["No Slug"]}, status=422)
    await furnished.put("orchestrations/ghost/token", {"components": []}, status=404)


async def test_it_is_revoked_in_the_trash_and_comes_back(furnished: Client) -> None:
    await furnished.put(f"{PATH}/token", {"components": ["demo-extractor"]})
    before = await own(furnished)
    await furnished.delete(PATH, status=204)
    trashed = await own(furnished)
    assert trashed["revoked_at"] is not None
    await furnished.get(f"{PATH}/token", status=404)
    await furnished.post(f"{PATH}/token/refresh", status=404)

    await furnished.put(PATH, orchestration("one"), status=201)
    restored = await own(furnished)
    assert (restored["id"], restored["revoked_at"]) == (before["id"], None)
    assert restored["components"] == ["demo-extractor"], "what was withdrawn stays withdrawn"
    assert restored["prefix"] != before["prefix"], "with another secret"
