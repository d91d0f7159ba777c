"""Orchestrations, runs, configurations, tables and jobs are found by a few letters."""

from typing import Any
from uuid import uuid4

import pytest
from tests.integration.api.conftest import Client
from tests.integration.api.test_api_jobs import Runner
from tests.support.databases import Database


@pytest.fixture
async def filled(furnished: Client, database: Database) -> Client:
    """`daily` is there already, with configurations `one` and `two`."""
    phases = (await furnished.get("orchestrations/daily"))["phases"]
    for name in ("nightly-sales", "sales", "weekly-sales-report"):
        await furnished.put(f"orchestrations/{name}", {"phases": phases, "name": name.title()}, status=201)
    await furnished.put("configurations/demo-extractor/sales_eu", {"parameters": {"rows": 1}}, status=201)
    for table in ("in.c-shop.sales", "in.c-crm.contacts"):
        await database.execute("INSERT INTO triggers.tables (project, name) VALUES ('demo', $1)", table)
    return furnished


async def found(client: Client, text: str, **more: Any) -> dict[str, list[Any]]:
    """By kind, what identifies each; kinds with nothing are left out."""
    query = "&".join(f"{name}={value}" for name, value in {"q": text, **more}.items())
    answer = await client.get(f"search?{query}")
    keys = {"orchestrations": "id", "runs": "number", "configurations": "id", "tables": "name", "jobs": "id"}
    return {kind: [each[keys[kind]] for each in answer[kind]] for kind in keys if answer[kind]}


async def test_words_find_names_best_first(filled: Client) -> None:
    sales = ["sales", "nightly-sales", "weekly-sales-report"]
    assert await found(filled, "sales") == {
        "orchestrations": sales,
        "configurations": ["sales_eu"],
        "tables": ["in.c-shop.sales"],
    }
    assert await found(filled, "SALES nightly") == {"orchestrations": ["nightly-sales"]}
    assert await found(filled, "nightly-sa") == {"orchestrations": ["nightly-sales"]}
    assert await found(filled, "demo-extractor/sales") == {"configurations": ["sales_eu"]}
    assert await found(filled, "c-crm.con") == {"tables": ["in.c-crm.contacts"]}
    assert (await found(filled, "sales", limit=1))["orchestrations"] == ["sales"]
    assert await found(filled, "%25") == {}
    assert await found(filled, "/") == {}


async def test_runs_and_jobs_are_found(filled: Client, database: Database) -> None:
    runner = Runner(database)
    run = await runner.job("nightly-sales", 42, "success", component="orchestrator")
    await runner.job("sales", 42, "success", component="orchestrator")
    job = await runner.job("one", 42, "success")
    for text in ("nightly 42", "nightly-sales%2342", "nightly-sales %2342"):
        assert (await found(filled, text))["runs"] == [42], text
    assert len((await found(filled, "%2342"))["runs"]) == 2
    assert len((await found(filled, "sales 42"))["runs"]) == 2
    assert "runs" not in await found(filled, "sales 43")
    assert await found(filled, str(job)) == {"jobs": [str(job)]}
    assert await found(filled, str(run)) == {"jobs": [str(run)]}
    assert await found(filled, str(uuid4())) == {}


async def test_other_projects_are_not_searched(filled: Client, admin: Client, database: Database) -> None:
    job = await Runner(database).job("nightly-sales", 42, "success", component="orchestrator")
    await admin.post("/v1/projects", {"id": "other", "name": "Other"})
    other = Client(admin.http, "other")
    for text in ("sales", "nightly 42", str(job), "42"):
        assert await found(other, text) == {}
    await filled.put("buckets/in.c-shop/shares/other", None, status=204)
    assert await found(other, "sales") == {"tables": ["in.c-shop.sales"]}


async def test_what_is_in_the_trash_is_not_found(filled: Client) -> None:
    await filled.delete("orchestrations/nightly-sales")
    assert await found(filled, "nightly") == {}


@pytest.mark.parametrize("query", ["", "q=", "q=x&limit=51", f"q={'x' * 201}"])
async def test_wrong_searches_are_refused(filled: Client, query: str) -> None:
    await filled.get(f"search?{query}", status=422)
