"""Lists in a chosen order: every page goes on where the one before ended."""

import base64
import json
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from tests.integration.api.conftest import Client, orchestration
from tests.support.databases import Database

ORDERS = ("id", "name", "updated_at")
SORTS = tuple(f"{mark}{order}" for order in ORDERS for mark in ("", "-"))
NAMES = ["beta", "Alpha", "alpha", "BETA", "gamma", "beta", "Delta", "alpha"]
FIRES = (
    "INSERT INTO scheduler.next_fires (schedule_id, project, version, enabled, next_at, next_key, anchor)"
    " VALUES ($1, 'demo', $3, $4, date_trunc('hour', now()) + $2::int * interval '1 minute', 'k', now())"
)
WIDE = "\U0001f600" * 200


@pytest.fixture
async def filled(furnished: Client, database: Database) -> Client:
    """Configurations of three components, and orchestrations: names that repeat, and one in the trash."""
    await database.execute(
        "INSERT INTO catalog.components (id, name, type, executor, definition)"
        " SELECT id, id, 'extractor', 'process', '{}' FROM unnest('{a,a-b,z}'::text[]) AS id"
    )
    rows = [
        (component, f"c{number}", name)
        for component in ("orchestrator", "a", "a-b", "z")
        for number, name in enumerate([*NAMES, WIDE, '"' * 200])
    ]
    await database.execute(
        "INSERT INTO catalog.configurations (project, component, id, name, version, deleted_at)"
        " SELECT 'demo', component, id, name, 1, CASE WHEN id = 'c7' THEN now() END"
        " FROM unnest($1::text[], $2::text[], $3::text[]) AS r (component, id, name)",
        *([row[column] for row in rows] for column in range(3)),
    )
    await database.execute(
        "INSERT INTO catalog.configuration_versions"
        " (project, component, configuration, version, parameters, author, created_at)"
        " SELECT project, component, id, 1, CASE component WHEN 'orchestrator' THEN '{\"phases\": []}'::jsonb"
        " ELSE '{}' END, 'test', timestamptz '2026-01-30 12:00:00.000007Z' - interval '1 day'"
        " * (right(id, 1)::int % 4)"
        " FROM catalog.configurations WHERE id ~ '^c[0-9]$'"
    )
    await furnished.put("orchestrations/other", orchestration(name="Epsilon"))
    return furnished


async def every(client: Client, path: str) -> list[Any]:
    found: list[Any] = []
    url = f"/v1/projects/{client.project}/{path}"
    while True:
        answer = await client.http.get(url)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        found += [
            (row.get("component", ""), row["name"], row["id"], row["updated_at"]) for row in page["items"]
        ]
        if page["next"] is None:
            return found
        assert page["items"], "a page without items leads nowhere"
        url = answer.links["next"]["url"]


def plain(rows: list[Any]) -> list[Any]:
    """Those whose names any collation sorts alike."""
    return [row for row in rows if row[1].isalpha()]


def by_name(row: Any) -> Any:
    return row[0], row[1].lower(), row[2]


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("path", "count"),
    [("orchestrations", 11), ("configurations", 29), ("configurations?component=a", 9)],
)
async def test_pages_in_every_order_show_each_row_once(filled: Client, path: str, count: int) -> None:
    mark = "&" if "?" in path else "?"
    orders = {sort: await every(filled, f"{path}{mark}sort={sort}&limit=500") for sort in SORTS}
    whole = orders["id"]
    assert len(set(whole)) == len(whole) == count
    assert whole == await every(filled, path)
    assert plain(whole) == sorted(plain(whole), key=lambda row: (row[0], row[2]))
    assert plain(orders["name"]) == sorted(plain(whole), key=by_name)
    assert orders["updated_at"] == sorted(whole, key=lambda row: (row[0], instant(row[3]), row[2]))
    for sort in ORDERS:
        assert orders[f"-{sort}"] == orders[sort][::-1]
    assert set(orders["name"]) == set(whole)
    for sort, expected in orders.items():
        for limit in (1, 2, 7):
            assert await every(filled, f"{path}{mark}sort={sort}&limit={limit}") == expected, (sort, limit)


async def test_a_new_version_comes_last_and_a_switch_does_not(filled: Client) -> None:
    await filled.put("orchestrations/c3", orchestration(name="Renamed"))
    await filled.put("orchestrations/other", orchestration(name="Epsilon", enabled=False))
    newest = await every(filled, "orchestrations?sort=-updated_at&limit=1")
    assert [row[2] for row in newest[:2]] == ["c3", "other"]
    shown = await filled.get("orchestrations/c3")
    assert shown["updated_at"] == newest[0][3]


async def test_an_order_goes_with_a_search(filled: Client) -> None:
    found = await every(filled, "configurations?component=z&search=BETA&sort=-name&limit=1")
    assert [each[2] for each in found] == ["c5", "c3", "c0"]


async def test_a_cursor_of_another_order_is_refused(filled: Client) -> None:
    cursors = {
        sort: (await filled.get(f"orchestrations?sort={sort}&limit=1"))["next"]
        for sort in ("id", "-id", "name", "updated_at")
    }
    for sort in SORTS:
        for of_sort, cursor in cursors.items():
            path = f"orchestrations?sort={sort}&cursor={cursor}"
            if sort == of_sort:
                await filled.get(path)
                continue
            refused = await filled.call("GET", path, status=422)
            assert refused["errors"][0]["field"] == "cursor"
            assert "another `sort`" in str(refused["errors"])
    await filled.call("GET", f"jobs?cursor={cursors['name']}", status=422)
    await filled.call("GET", "orchestrations?sort=created", status=422)


@pytest.mark.parametrize("content", [{"sort": "name"}, {"place": []}, {"sort": "name", "place": {}}, {}, 1])
async def test_a_cursor_that_we_did_not_make_is_refused(furnished: Client, content: Any) -> None:
    cursor = base64.urlsafe_b64encode(json.dumps(content).encode()).decode()
    await furnished.call("GET", f"orchestrations?sort=name&cursor={cursor}", status=422)


async def test_the_usual_order_keeps_its_cursor(filled: Client) -> None:
    """Replicas of the release before read it, too."""
    cursor = (await filled.get("orchestrations?limit=1"))["next"]
    assert json.loads(base64.urlsafe_b64decode(cursor + "===")) == ["orchestrator", "c0"]


async def test_what_starts_next_comes_first(furnished: Client, database: Database) -> None:
    """What is switched off starts nothing, and what the scheduler has not read yet, nobody knows."""
    for name, enabled in {"c": True, "b": True, "a": True, "off": False, "none": True}.items():
        await furnished.put(f"orchestrations/{name}", orchestration(enabled=enabled))
    fires = {("c", "soon"): 5, ("c", "late"): 90, ("b", "soon"): 60, ("a", "soon"): 60, ("off", "soon"): 1}
    for (name, schedule), minutes in fires.items():
        saved = await furnished.put(f"orchestrations/{name}/schedules/{schedule}", {"cron": "0 5 * * *"})
        await database.execute(FIRES, UUID(saved["id"]), minutes, 1, True)
    for schedule, version, enabled in (("stale", 7, True), ("paused", 1, False)):
        saved = await furnished.put(f"orchestrations/none/schedules/{schedule}", {"cron": "0 5 * * *"})
        await database.execute(FIRES, UUID(saved["id"]), 2, version, enabled)
    for limit in (1, 2, 500):
        found = await every(furnished, f"orchestrations?sort=next_fire&limit={limit}")
        assert [row[2] for row in found] == ["c", "a", "b", "daily", "none", "off"], limit
    found = await every(furnished, "orchestrations?sort=next_fire&limit=1&enabled=true&starts=time&search=B")
    assert [row[2] for row in found] == ["b"]
