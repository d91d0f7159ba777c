"""Lists: filters, searches over everything, and the way from page to page."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from tests.integration.api.conftest import Client, RunningApi, orchestration
from tests.integration.api.test_api_jobs import Runner
from tests.support.databases import Database

from orchestrator_api.runs import filters

START = datetime(2026, 1, 5, 12, tzinfo=UTC)


@pytest.fixture
async def runner(furnished: Client, database: Database) -> Runner:
    made = Runner(database)
    await made.connect()
    return made


async def job(runner: Runner, number: int, status: str = "success", **more: Any) -> str:
    """A job that was accepted so many minutes after START and ran for a minute."""
    at = START + timedelta(minutes=number)
    times = {"requested_at": at, "accepted_at": at, "started_at": at}
    if status in ("success", "error"):
        times["finished_at"] = at + more.pop("took", timedelta(minutes=1))
    return str(await runner.job(more.pop("configuration", "one"), number, status, **times, **more))


async def ids(client: Client, path: str) -> list[str]:
    return [each["id"] for each in (await client.get(path))["items"]]


async def all_ids(client: Client, path: str) -> list[str]:
    """Follow `Link` as any client can."""
    found: list[str] = []
    url = f"/v1/projects/{client.project}/{path}"
    for _ in range(50):
        answer = await client.http.get(url)
        found += [each["id"] for each in answer.json()["items"]]
        if "next" not in answer.links:
            assert answer.json()["next"] is None
            return found
        url = answer.links["next"]["url"]
    raise AssertionError("the list has no end")


async def test_jobs_are_filtered(furnished: Client, runner: Runner) -> None:
    good = await job(runner, 1)
    bad = await job(runner, 2, "error", message="no such HOST: db-7", origin="schedule")
    stopped = await job(runner, 3, "error", origin="api", took=timedelta(hours=2))
    other = await job(runner, 4, "processing", configuration="two", requested_by="ann@example.com")
    assert await ids(furnished, "jobs") == [other, stopped, bad, good]
    for query, expected in {
        "status=error": [stopped, bad],
        "status=error&origin=schedule": [bad],
        "status=error&status=processing": [other, stopped, bad],
        "status=processing&status=success": [other, good],
        "origin=schedule&origin=api": [stopped, bad],
        "since=2026-01-05T12:03:00Z": [other, stopped],
        "until=2026-01-05T12:03:00Z": [bad, good],
        "since=2026-01-05T12:02:00Z&until=2026-01-05T12:03:00Z": [bad],
        "longer_than_seconds=60": [other, stopped],
        "longer_than_seconds=59.5&status=success": [good],
        "search=host": [bad],
        "search=HOST:%20db": [bad],
        "search=TWO": [other],
        "search=ann@": [other],
        "search=3": [stopped],
        "search=%25": [],
        f"search={bad}": [bad],
        f"search={UUID(int=0)}": [],
        f"search={bad}&status=success": [],
        "search=demo-extractor&configuration=one&component=demo-extractor": [stopped, bad, good],
        "configuration=one&since=2026-01-05T12:02:00Z": [stopped, bad],
        "component=demo-extractor&configuration=one&until=2026-01-05T12:03:00Z": [bad, good],
        "component=demo-extractor&configuration=one&since=2026-01-05T12:03:00Z": [stopped],
        "query=status:error+origin:schedule": [bad],
        "query=status:error,processing": [other, stopped, bad],
        "query=status:processing": [other],
        "query=configuration:demo-extractor/one+duration:>1h": [stopped],
        "query=configuration:one+duration:<1h": [bad, good],
        "query=by:ANN": [other],
        "query=host+db-7": [],
        "query=%22host: db-7%22+status:error": [bad],
        "query=started:[2026-01-05T12:03+TO+*]": [other, stopped],
        "query=started:2026-01-05": [other, stopped, bad, good],
        "query=started:2026-01-05&timezone=Pacific/Kiritimati": [],
        "query=started:[*+TO+2026-01-05T12:02]+status:success&configuration=one": [good],
    }.items():
        assert await ids(furnished, f"jobs?{query}") == expected, query


async def test_jobs_are_sorted_by_end_and_duration(
    furnished: Client, runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = await job(runner, 1, "error", took=timedelta(hours=3))
    quick = await job(runner, 2, "error", took=timedelta(seconds=1))
    middle = await job(runner, 3, configuration="two", took=timedelta(minutes=5))
    usual = [await job(runner, 4), await job(runner, 4, configuration="two")]
    running = await job(runner, 5, "processing")
    created = (await furnished.post("configurations/demo-extractor/two/runs"))["job_id"]
    (twin, same), of_one = sorted(usual, reverse=True), {long, quick, usual[0], running}
    by_end, longest = [long, middle, twin, same, quick], [running, long, middle, twin, same, quick]
    one = "component=demo-extractor&configuration=one"
    for query, expected in {
        "sort=-finished_at": by_end,
        "sort=-finished_at&status=success": [middle, twin, same],
        "sort=-finished_at&since=2026-01-05T12:03:00Z": [middle, twin, same],
        "sort=-finished_at&until=2026-01-05T12:03:00Z": [long, quick],
        "sort=-finished_at&status=error": [long, quick],
        f"sort=-finished_at&{one}": [each for each in by_end if each in of_one],
        "sort=-duration": longest,
        "sort=-duration&longer_than_seconds=60": longest[:3],
        "sort=-duration&until=2026-01-05T12:04:00Z": [long, middle, quick],
        f"sort=-duration&search={middle}": [middle],
        f"sort=-duration&{one}": [each for each in longest if each in of_one],
        "sort=-accepted_at": [created, running, twin, same, middle, quick, long],
    }.items():
        for limit in (1, 2, 100):
            assert await all_ids(furnished, f"jobs?{query}&limit={limit}") == expected, (query, limit)
    monkeypatch.setattr(filters, "SCANNED", 3)
    assert await all_ids(furnished, "jobs?sort=-finished_at&status=success&limit=1") == [middle, twin, same]
    assert await all_ids(furnished, "jobs?sort=-duration&limit=1") == [running, twin, same]


async def test_runs_are_sorted_also_for_a_token_that_may_only_run(
    furnished: Client, api: RunningApi, runner: Runner
) -> None:
    made = await furnished.post("tokens", {"name": "r", "scopes": ["run"], "components": ["orchestrator"]})
    async with api.http(made["token"]) as http:
        mine = Client(http)
        asked = [(await mine.post("orchestrations/daily/runs"))["job_id"] for _ in range(3)]
        for number, (each, minutes) in enumerate(zip(asked, (2, 3, 1), strict=True), 1):
            run: dict[str, Any] = {
                "id": UUID(each),
                "component": "orchestrator",
                "configuration": "daily",
            }
            await job(runner, number, took=timedelta(minutes=minutes), **run)
        longest, by_end = [asked[1], asked[0], asked[2]], [asked[1], asked[2], asked[0]]
        for client in (mine, furnished):
            for limit in (1, 2, 100):
                runs = f"orchestrations/daily/runs?limit={limit}"
                assert await all_ids(client, f"{runs}&sort=-duration") == longest
                assert await all_ids(client, f"{runs}&sort=-finished_at") == by_end
                assert await all_ids(client, runs) == asked[::-1]


@pytest.mark.parametrize(
    "query",
    [
        "since=yesterday",
        "longer_than_seconds=-1",
        "search=",
        "origin=nobody",
        "since=2026-01-05",
        "sort=started_at",
    ],
)
async def test_wrong_filters_are_refused(furnished: Client, query: str) -> None:
    refused = await furnished.get(f"jobs?{query}", status=422)
    assert refused["errors"][0]["field"].split(".")[0] == query.partition("=")[0]


@pytest.mark.parametrize(
    "place", ["jobs?", "jobs?configuration=one&", "jobs?configuration=one&component=demo-extractor&"]
)
async def test_a_search_goes_on_where_a_page_stopped_looking(
    furnished: Client, runner: Runner, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    made = [await job(runner, number, message=f"row {number % 7}") for number in range(1, 31)]
    wanted = [each for number, each in enumerate(made, 1) if number % 7 == 3][::-1]
    monkeypatch.setattr(filters, "SCANNED", 4)
    (first, cursor) = (await furnished.get(f"{place}search=row%203")).values()
    assert len(first) < len(wanted)
    assert cursor
    assert await all_ids(furnished, f"{place}search=row%203") == wanted
    assert await all_ids(furnished, f"{place}search=row%203&limit=1") == wanted
    assert await all_ids(furnished, f"{place}search=nothing") == []
    assert await all_ids(furnished, f"{place}limit=7") == made[::-1]


async def test_requests_without_a_job_are_found_where_they_belong(
    furnished: Client, runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filters, "SCANNED", 2)
    old = [await job(runner, number) for number in (1, 2, 3)]
    asked = [(await furnished.post("configurations/demo-extractor/two/runs"))["job_id"] for _ in range(3)]
    assert await all_ids(furnished, "jobs?limit=1") == asked[::-1] + old[::-1]
    assert await all_ids(furnished, "jobs?search=demo") == asked[::-1] + old[::-1]
    assert await all_ids(furnished, "jobs?status=created") == asked[::-1]
    assert await all_ids(furnished, "jobs?search=two") == asked[::-1]


async def test_runs_are_filtered(furnished: Client, runner: Runner) -> None:
    run = {"component": "orchestrator", "configuration": "daily"}
    good = await job(runner, 1, **run)
    bad = await job(runner, 2, "error", origin="schedule", **run)
    await job(runner, 3, "error")
    runs = "orchestrations/daily/runs"
    assert await ids(furnished, runs) == [bad, good]
    assert await ids(furnished, f"{runs}?status=error&origin=schedule") == [bad]
    assert await ids(furnished, f"{runs}?until=2026-01-05T12:02:00Z") == [good]
    assert await ids(furnished, f"{runs}?search=1") == [good]
    assert await ids(furnished, f"{runs}?longer_than_seconds=61") == []


async def test_a_token_that_may_only_run_cannot_search_what_programs_wrote(
    furnished: Client, api: RunningApi, runner: Runner, database: Database
) -> None:
    made = await furnished.post("tokens", {"name": "r", "scopes": ["run"], "components": ["demo-extractor"]})
    async with api.http(made["token"]) as http:
        mine = Client(http)
        asked = (await mine.post("configurations/demo-extractor/one/runs"))["job_id"]
        await runner.job("one", 1, "error", id=UUID(asked), message="the secret is x")
        assert await ids(mine, "jobs?search=one") == [asked]
        assert await ids(mine, "jobs?status=error&origin=api&since=2026-01-05T12:00:00Z") == [asked]
        for path in ("jobs?search=secret", f"jobs?search=secret&root={asked}"):
            assert await ids(mine, path) == []
        assert await ids(mine, f"jobs?search=one&root={asked}") == [asked]
    assert await ids(furnished, "jobs?search=secret") == [asked]


async def test_orchestrations_are_searched_and_show_their_newest_runs(
    furnished: Client, runner: Runner
) -> None:
    await furnished.put("orchestrations/other", orchestration(name="Ñoño, 100 %", description="of SALES"))
    await furnished.call("PATCH", "orchestrations/other", {"enabled": False})
    for query, expected in {
        "search=DAI": ["daily"],
        "search=100 %25": ["other"],
        "search=sales": ["other"],
        "enabled=false": ["other"],
        "enabled=true": ["daily"],
        "search=o&limit=1": ["other"],
    }.items():
        assert await all_ids(furnished, f"orchestrations?{query}") == expected, query
    run = {"component": "orchestrator", "configuration": "daily"}
    made = [await job(runner, number, **run) for number in range(1, 25)][::-1]
    (plain,) = (await furnished.get("orchestrations?search=daily"))["items"]
    (strip,) = (await furnished.get("orchestrations?search=daily&recent_runs=20"))["items"]
    assert plain["recent_runs"] == []
    assert [each["id"] for each in strip["recent_runs"]] == made[:20]
    assert strip["last_run"] == plain["last_run"] == strip["recent_runs"][0]
    assert strip["recent_runs"][0]["finished_at"] == "2026-01-05T12:25:00Z"


async def test_configurations_are_searched(furnished: Client) -> None:
    body = {"name": "Orders", "description": "from the shop", "parameters": {"rows": 1}}
    await furnished.put("configurations/demo-extractor/three", body, status=201)
    for query, expected in {
        "search=order": ["three"],
        "search=SHOP": ["three"],
        "search=demo-extractor/t": ["three", "two"],
        "search=t&limit=1": ["one", "three", "two"],
        "search=_": [],
    }.items():
        assert await all_ids(furnished, f"configurations?{query}") == expected, query


@pytest.fixture
async def finance(furnished: Client, database: Database) -> Client:
    """A project that shares one of its two buckets; each project has tables."""
    await furnished.post("/v1/projects", {"id": "finance"})
    await database.execute(
        "INSERT INTO triggers.tables (project, name, last_seq, last_heard_at) VALUES"
        " ('demo', 'in.c-a.x', 3, '2026-01-05T12:00:00Z'), ('demo', 'in.c-a.y', 1, '2026-01-05T13:00:00Z'),"
        " ('demo', 'in.c-b.x', 1, '2026-01-05T12:00:00Z'), ('finance', 'in.c-rates.daily', 5, now()),"
        " ('finance', 'in.c-rates.sub.daily', 5, now()), ('finance', 'in.c-own.x', 5, now())"
    )
    finance = Client(furnished.http, "finance")
    await finance.put("buckets/in.c-rates/shares/demo", None, status=204)
    return finance


async def test_buckets_and_tables_show_what_is_shared(furnished: Client, finance: Client) -> None:
    await furnished.put("buckets/in.c-b/shares/finance", None, status=204)
    await furnished.put("buckets/in.c-empty/shares/finance", None, status=204)
    shown = (await furnished.get("buckets"))["items"]
    assert [(each["project"], each["bucket"], each["tables"], each["shared_with"]) for each in shown] == [
        ("demo", "in.c-a", 2, []),
        ("demo", "in.c-b", 1, ["finance"]),
        ("demo", "in.c-empty", 0, ["finance"]),
        ("finance", "in.c-rates", 1, []),
    ]
    assert shown[0]["last_heard_at"] == "2026-01-05T13:00:00Z"
    assert [each["shared_at"] is not None for each in shown] == [False, False, False, True]
    for query, expected in {
        "shared=with_me": ["in.c-rates"],
        "shared=by_me": ["in.c-b", "in.c-empty"],
        "search=C-A": ["in.c-a"],
        "search=own": [],
    }.items():
        found = (await furnished.get(f"buckets?{query}"))["items"]
        assert [each["bucket"] for each in found] == expected, query
    first = await furnished.get("buckets?limit=3")
    rest = await furnished.get(f"buckets?limit=3&cursor={first['next']}")
    assert first["items"] + rest["items"] == shown
    assert [each["name"] for each in (await furnished.get("tables"))["items"]] == [
        "in.c-a.x", "in.c-a.y", "in.c-b.x", "in.c-rates.daily",
    ]  # fmt: skip
    assert [each["name"] for each in (await furnished.get("tables?search=DAILY"))["items"]] == [
        "in.c-rates.daily"
    ]


async def test_listeners_of_a_table_are_shown_and_those_elsewhere_counted(
    furnished: Client, finance: Client
) -> None:
    await finance.put("orchestrations/own", {"phases": []}, status=201)
    rates = "in.c-rates.daily"
    for client, orchestrations in ((furnished, ["daily"]), (finance, ["own"])):
        for each in orchestrations:
            tables = [rates if client is finance else f"finance/{rates}"]
            await client.put(f"orchestrations/{each}/triggers/t", {"tables": tables}, status=201)
    await furnished.put("orchestrations/daily/triggers/u", {"tables": [f"finance/{rates}"]}, status=201)
    own = await finance.get(f"tables/{rates}/listeners")
    assert [(each["orchestration"], each["trigger"], each["enabled"]) for each in own["items"]] == [
        ("own", "t", True)
    ]
    assert own["other_projects"] == [{"project": "demo", "triggers": 2}]
    theirs = await furnished.get(f"tables/{rates}/listeners?owner=finance")
    assert [(each["orchestration"], each["trigger"]) for each in theirs["items"]] == [
        ("daily", "t"),
        ("daily", "u"),
    ]
    assert theirs["other_projects"] == []
    assert (await furnished.get("tables/in.c-a.new/listeners")) == {"items": [], "other_projects": []}
    foreign, ghost = [
        (await furnished.get(f"tables/in.c-own.x/listeners?owner={owner}", status=404))["detail"]
        for owner in ("finance", "ghost")
    ]
    assert foreign == ghost.replace("ghost", "finance")
    await furnished.get("tables/no-bucket/listeners", status=422)


async def test_deliveries_are_filtered_by_orchestration_and_time(
    furnished: Client, database: Database
) -> None:
    await database.execute(
        "INSERT INTO notifications.facts (key, project, orchestration, event)"
        " SELECT 'f' || n, 'demo', 'o' || n % 2, 'error' FROM generate_series(1, 6) AS n;"
        "INSERT INTO notifications.deliveries (id, fact_key, project, orchestration, event, channel,"
        " recipient, reason, message_id, created_at)"
        " SELECT gen_random_uuid(), 'f' || n, 'demo', 'o' || n % 2, 'error',"
        " 'email', 'a@example.com', 'subscription', 'm' || n,"
        " timestamptz '2026-01-05T12:00:00Z' + make_interval(mins => n)"
        " FROM generate_series(1, 6) AS n"
    )
    every = await all_ids(furnished, "deliveries")
    assert await all_ids(furnished, "deliveries?orchestration=o0&limit=1") == every[::2]
    assert await all_ids(furnished, "deliveries?orchestration=ghost") == []
    period = "since=2026-01-05T12:02:00Z&until=2026-01-05T12:05:00Z"
    assert await all_ids(furnished, f"deliveries?{period}&limit=2") == every[2:5]
    assert await all_ids(furnished, f"deliveries?{period}&orchestration=o0") == [every[2], every[4]]
    await database.execute(
        "UPDATE notifications.deliveries SET status = 'failed' WHERE id = ANY($1::uuid[])",
        [every[1], every[2], every[5]],
    )
    assert await all_ids(furnished, "deliveries?status=failed&limit=1") == [every[1], every[2], every[5]]
    assert await all_ids(furnished, f"deliveries?status=failed&{period}&orchestration=o0") == [every[2]]
    assert await all_ids(furnished, "deliveries?status=pending") == [every[0], every[3], every[4]]


async def test_tokens_and_variables_are_searched(furnished: Client) -> None:
    for name, description in (("reader", "for the DASHBOARD"), ("other", "")):
        body = {"name": name, "scopes": ["read"], "description": description}
        made = await furnished.post("tokens", body, status=201)
    await furnished.delete(f"tokens/{made['id']}")
    for query, expected in {
        "search=READ": ["reader"],
        "search=dashboard": ["reader"],
        "revoked=true": ["other"],
        "revoked=false&search=r": ["orchestration daily", "reader"],
    }.items():
        found = (await furnished.get(f"tokens?{query}"))["items"]
        assert [each["name"] for each in found] == expected, query
    for name in ("limit", "other"):
        await furnished.put(f"variables/{name}", {"value": "1"}, status=201)
    found = (await furnished.get("variables?search=LIM"))["items"]
    assert [each["name"] for each in found] == ["limit"]
