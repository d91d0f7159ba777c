"""Errors and warnings of orchestrations: on saving, reading, planning and applying."""

import json
from typing import Any

import pytest
from tests.integration.api.conftest import COMPONENT, Client
from tests.integration.api.test_api_jobs import Runner
from tests.support.databases import Database

from orchestrator_api.catalog.store import ConfigurationStore

READER = {**COMPONENT, "type": "writer", "reads": ["source"], "parameters": {"type": "object"}}


async def beside(client: Client) -> dict[str, Any]:
    """An extractor and a writer in one phase."""
    await client.put("/v1/components/sink", READER, status=201)
    await client.put("configurations/sink/mail", {"parameters": {"source": "in.c-x.t"}}, status=201)
    tasks = [
        {"component": "demo-extractor", "configuration": "one"},
        {"component": "sink", "configuration": "mail"},
    ]
    saved: dict[str, Any] = await client.put(
        "orchestrations/beside", {"phases": [{"name": "A", "tasks": tasks}]}
    )
    return saved


async def test_reader_beside_a_writer_is_known_from_past_outputs(
    furnished: Client, database: Database
) -> None:
    assert (await beside(furnished))["warnings"] == []
    outputs = json.dumps([{"table": "in.c-x.t", "rows": 3}])
    await Runner(database).job("one", 1, "success", output_tables=outputs)
    expected = (
        "phase 'A': 'sink/mail' reads in.c-x.t, which 'demo-extractor/one' writes at the same time: "
        "move it to a later phase"
    )
    shown = await furnished.get("orchestrations/beside")
    assert (shown["warnings"], shown["errors"]) == ([expected], [])
    single = await furnished.post("orchestrations/beside/grouping", {"by": "type"})
    assert (single["warnings"], single["errors"]) == ([], [])
    documents = [
        each for each in (await furnished.get("definitions"))["documents"] if "orchestration" in each
    ]
    for action in ("plan", "apply"):
        answer = await furnished.post(f"definitions/{action}", {"documents": documents})
        assert f"orchestration beside: {expected}" in answer["warnings"]
        assert answer["errors"] == []


async def test_errors_are_distinguished(furnished: Client, database: Database) -> None:
    await furnished.put("orchestrations/empty", {"phases": []}, status=201)
    nested = {"component": "orchestrator", "configuration": "empty"}
    tasks = [nested, {"component": "demo-extractor", "configuration": "one"}]
    body = {"phases": [{"name": "A", "tasks": tasks}, {"name": "B", "tasks": [{**tasks[1], "id": "later"}]}]}
    saved = await furnished.put("orchestrations/outer", body, status=201)
    assert saved["errors"] == [
        "task 'orchestrator/empty': the orchestration 'empty' has no tasks, so it cannot be run"
    ]
    assert saved["warnings"] == ["never reached: 'B', because 'orchestrator/empty' cannot run"]
    await database.execute("UPDATE catalog.configurations SET deleted_at = now() WHERE id = 'one'")
    listed = {each["id"]: each for each in (await furnished.get("orchestrations"))["items"]}
    assert "task 'later': the configuration demo-extractor/one is deleted" in listed["outer"]["errors"]
    assert len(listed["daily"]["errors"]) == 1


async def test_components_keep_what_they_read_and_write(furnished: Client) -> None:
    await beside(furnished)
    document = {"component": "sink", "name": "sink", **READER, "executor": "process"}
    answer = await furnished.post("definitions/apply", {"documents": [document]})
    assert [change["action"] for change in answer["changes"]] == ["unchanged"]
    changed = {**document, "reads": ["source", "more"]}
    answer = await furnished.post("definitions/apply", {"documents": [changed]})
    assert answer["changes"][0]["fields"] == ["reads"]
    shown = await furnished.get("/v1/components/sink")
    assert shown["definition"]["reads"] == ["source", "more"]


async def test_an_old_version_that_closes_a_cycle_is_not_run(
    furnished: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only what the version runs is looked at, not the nestings of the whole project."""

    def nested(component: str, name: str) -> dict[str, Any]:
        return {"phases": [{"name": "A", "tasks": [{"component": component, "configuration": name}]}]}

    for name, runs in (
        ("b", nested("demo-extractor", "one")),
        ("a", nested("orchestrator", "b")),
        ("a", nested("demo-extractor", "one")),
        ("b", nested("orchestrator", "a")),
    ):
        await furnished.put(f"orchestrations/{name}", runs)
    monkeypatch.setattr(ConfigurationStore, "nestings", None)
    refused = await furnished.post("orchestrations/a/runs", {"version": 1}, status=422)
    assert "orchestrations run each other in a cycle: a → b → a" in refused["detail"]
    await furnished.post("orchestrations/b/runs", {"version": 2}, status=202)


async def test_a_cycle_below_is_reported_in_the_list(furnished: Client, database: Database) -> None:
    """Only what the listed orchestrations run is checked; a save would have rejected the cycle."""
    inner = {"component": "demo-extractor", "configuration": "one"}
    for name, task in (
        ("c", inner),
        ("b", {"component": "orchestrator", "configuration": "c"}),
        ("a", {"component": "orchestrator", "configuration": "b"}),
    ):
        await furnished.put(
            f"orchestrations/{name}", {"phases": [{"name": "A", "tasks": [task]}]}, status=201
        )
    closing = json.dumps({"component": "orchestrator", "configuration": "b"})
    await database.execute(
        "UPDATE catalog.configuration_versions SET parameters_as_written = NULL, parameters = jsonb_set("
        "parameters, '{phases,0,tasks,0}', parameters #> '{phases,0,tasks,0}' || $1::text::jsonb) "
        "WHERE component = 'orchestrator' AND configuration = 'c'",
        closing,
    )
    listed = {each["id"]: each["errors"] for each in (await furnished.get("orchestrations"))["items"]}
    told = "orchestrations run each other in a cycle: "
    assert (listed["a"], listed["b"], listed["c"]) == ([], [f"{told}b → c → b"], [f"{told}c → b → c"])
    for name in "abc":
        assert (await furnished.get(f"orchestrations/{name}"))["errors"] == listed[name]
