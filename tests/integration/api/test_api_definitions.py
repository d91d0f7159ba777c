"""Definitions: planned, applied in one transaction, exported, and applied again without a change."""

import base64
import json
from copy import deepcopy
from typing import Any

from tests.integration.api.conftest import KEY, Client, RunningApi
from tests.integration.api.test_api_tokens import bearer
from tests.support.databases import Database

from orchestrator_shared.secret_places import of_parameters
from orchestrator_shared.security import Encryption

COMPONENT: dict[str, Any] = {
    "component": "loader",
    "name": "Loader",
    "type": "extractor",
    "command": ["{python}", "-m", "loader"],
    "parameters": {"type": "object", "properties": {"rows": {"type": "integer"}, "#key": {"type": "string"}}},
}
DOCUMENTS: list[dict[str, Any]] = [
    {
        "orchestration": "weekly",
        "phases": [{"name": "All", "tasks": [{"run": "orchestrator/campaigns"}]}],
    },
    {
        "orchestration": "campaigns",
        "description": "Refresh campaigns",
        "phases": [
            {
                "name": "Extract",
                "tasks": [
                    {"run": "loader/one", "attempts": 3, "retry_on": "internal"},
                    {"run": "loader/two"},
                ],
            },
            {"name": "Write", "tasks": [{"run": "loader/one", "id": "again", "timeout": "30m"}]},
        ],
        "schedules": {"weekdays": {"cron": "30 5 * * 1-5", "timezone": "Europe/Prague"}},
        "triggers": {"crm": {"tables": ["in.c-crm.contacts"], "cool_down": "50m"}},
        "notify": {"team@example.com": ["error", "warning"]},
    },
    {"configuration": "loader/one", "parameters": {"rows": 1, "#key": "hunter2"}},
    {"configuration": "loader/two", "name": "Two"},
    {"variables": {"region": "eu", "#warehouse": "postgres://x"}},
    COMPONENT,
]


async def apply(client: Client, documents: list[dict[str, Any]], **more: Any) -> dict[str, list[str]]:
    """Ids by action."""
    answer = await client.post("definitions/apply", {"documents": documents, **more})
    return by_action(answer)


def by_action(answer: dict[str, Any]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for change in answer["changes"]:
        found.setdefault(change["action"], []).append(f"{change['kind']} {change['id']}")
    return found


EVERYTHING = [
    "component loader",
    "variable region",
    "variable warehouse",
    "configuration loader/one",
    "configuration loader/two",
    "orchestration campaigns",
    "orchestration weekly",
    "schedule campaigns/weekdays",
    "trigger campaigns/crm",
    "notifications campaigns",
]


async def test_plan_changes_nothing_and_apply_does_as_planned(admin: Client, database: Database) -> None:
    plan = by_action(await admin.post("definitions/plan", {"documents": DOCUMENTS}))
    assert plan == {"create": EVERYTHING}
    assert await database.fetchval("SELECT count(*) FROM catalog.configurations") == 0
    assert await database.fetchval("SELECT count(*) FROM catalog.outbox") == 0
    assert await apply(admin, DOCUMENTS) == plan
    shown = await admin.get("orchestrations/campaigns")
    assert [phase["name"] for phase in shown["phases"]] == ["Extract", "Write"]
    assert shown["phases"][1]["tasks"][0]["timeout_seconds"] == 1800
    assert shown["triggers"][0]["cool_down_seconds"] == 3000
    told = {(s["event"], s["address"]) for s in shown["notifications"]}
    assert told == {("error", "team@example.com"), ("warning", "team@example.com")}
    assert "hunter2" not in str(await database.fetch("SELECT * FROM catalog.configuration_versions"))


async def test_applying_twice_changes_nothing(admin: Client, database: Database) -> None:
    await apply(admin, DOCUMENTS)
    query = (
        "SELECT (SELECT count(*) FROM catalog.audit), (SELECT count(*) FROM catalog.configuration_versions)"
    )
    before = await database.fetch(query)
    assert await apply(admin, DOCUMENTS) == {"unchanged": EVERYTHING}
    assert await database.fetch(query) == before


async def test_export_reads_back_as_the_same(admin: Client) -> None:
    await apply(admin, DOCUMENTS)
    exported = (await admin.get("definitions"))["documents"]
    assert "hunter2" not in str(exported)
    (campaigns,) = [each for each in exported if each.get("orchestration") == "campaigns"]
    assert campaigns["phases"][0]["tasks"][0]["retry_on"] == "internal"
    again = await apply(admin, exported)
    assert set(again) == {"unchanged"}
    assert len(again["unchanged"]) == len(EVERYTHING) - 1  # a component stays out


async def test_update_names_the_fields(admin: Client) -> None:
    await apply(admin, DOCUMENTS)
    changed = deepcopy(DOCUMENTS)
    changed[2]["parameters"] = {"rows": 2, "#key": "***"}
    del changed[1]["schedules"]
    changed[1]["triggers"]["crm"]["cool_down"] = "1h"
    answer = await admin.post("definitions/apply", {"documents": changed})
    fields = {f"{c['kind']} {c['id']}": c["fields"] for c in answer["changes"] if c["action"] == "update"}
    assert fields == {
        "configuration loader/one": ["parameters.rows"],
        "trigger campaigns/crm": ["cool_down_seconds"],
    }
    assert by_action(answer)["delete"] == ["schedule campaigns/weekdays"]


async def test_prune_deletes_what_no_document_has(admin: Client) -> None:
    await apply(admin, DOCUMENTS)
    only = [{"variables": {"region": "us"}}]
    kept = await apply(admin, only)
    assert kept == {"update": ["variable region"]}
    gone = await apply(admin, [], prune=True)
    assert gone["delete"] == [
        "orchestration weekly",
        "orchestration campaigns",
        "configuration loader/one",
        "configuration loader/two",
        "variable region",
    ]
    assert [v["name"] for v in (await admin.get("variables"))["items"]] == ["warehouse"]
    restored = await apply(admin, DOCUMENTS)
    assert "orchestration campaigns" in restored["create"]
    assert set(await apply(admin, DOCUMENTS)) == {"unchanged"}


async def test_unknown_targets_are_reported_by_document_and_path(admin: Client, database: Database) -> None:
    documents = deepcopy(DOCUMENTS)
    documents[1]["phases"][0]["tasks"][1]["run"] = "loader/ghost"
    documents[2]["parameters"]["rows"] = "many"
    documents[3]["configuration"] = "ghost/two"
    documents[0]["triggers"] = {"rates": {"tables": ["finance/in.c-x.t"]}}
    documents.append({"orchestration": "nothing", "triggers": {"rates": {"tables": ["finance/in.c-x.t"]}}})
    for action in ("plan", "apply"):
        problem = await admin.post(f"definitions/{action}", {"documents": documents}, status=422)
        fields = {error["field"]: error["detail"] for error in problem["errors"]}
        assert "documents[1].phases[0].tasks[1].run" in fields
        assert "loader/ghost" in fields["documents[1].phases[0].tasks[1].run"]
        assert "documents[2].parameters.rows" in fields
        assert "documents[6].triggers.rates.tables[0]" in fields
        assert "documents[3].configuration" in fields
        assert len(fields) == 4
    assert await database.fetchval("SELECT count(*) FROM catalog.configurations") == 0


async def test_an_export_makes_the_same_in_an_empty_project(admin: Client, database: Database) -> None:
    """A value under a #key that is only a reference to a variable is no secret: the variable holds it."""
    documents, reference = deepcopy(DOCUMENTS), "{{ vars.warehouse }}"
    parameters = {"rows": 1, "#key": reference, "hosts": [{"#password": reference}]}
    documents[2]["parameters"] = parameters
    documents[1]["phases"][0]["tasks"][1]["parameters"] = {"parameters": {"#key": reference}}
    await apply(admin, documents)
    exported = (await admin.get("definitions"))["documents"]
    assert next(each for each in exported if "configuration" in each)["parameters"] == parameters
    assert set(await apply(admin, exported)) == {"unchanged"}

    await admin.post("/v1/projects", {"id": "empty"}, status=201)
    empty = Client(admin.http, "empty")
    await empty.put("variables/warehouse", {"value": "postgres://y", "secret": True}, status=201)
    await apply(empty, exported)
    assert (await empty.get("definitions"))["documents"] == exported
    assert set(await apply(empty, exported)) == {"unchanged"}

    # As an earlier release has stored it.
    place = of_parameters("demo", "loader", "one")
    sealed = {**parameters, "#key": Encryption([base64.b64decode(KEY)]).encrypt_value(reference, place)}
    await database.execute(
        "UPDATE catalog.configuration_versions"
        " SET parameters = $1::json::jsonb, parameters_as_written = $1::json"
        " WHERE (project, configuration) = ('demo', 'one')",
        json.dumps(sealed),
    )
    assert (await admin.get("configurations/loader/one"))["parameters"]["#key"] == "***"
    assert (await admin.get("definitions"))["documents"] == exported
    again = await admin.post("definitions/plan", {"documents": exported})
    assert [each for each in again["changes"] if each["action"] != "unchanged"] == []


async def test_malformed_documents_are_reported_by_path(admin: Client) -> None:
    documents = [{"orchestraton": "x"}, {"orchestration": "x", "schedules": {"a": {"cron": "61 * * * *"}}}]
    problem = await admin.post("definitions/plan", {"documents": documents}, status=422)
    fields = [error["field"] for error in problem["errors"]]
    assert fields[0].startswith("documents[0]")
    assert fields[1].startswith("documents[1].schedules.a")


async def test_a_cycle_is_reported(admin: Client) -> None:
    documents = [
        {"orchestration": "a", "phases": [{"name": "1", "tasks": [{"run": "orchestrator/b"}]}]},
        {"orchestration": "b", "phases": [{"name": "1", "tasks": [{"run": "orchestrator/a"}]}]},
    ]
    problem = await admin.post("definitions/apply", {"documents": documents}, status=422)
    assert "a" in problem["detail"]
    assert (await admin.get("orchestrations"))["items"] == []


async def test_components_only_by_the_administrator(api: RunningApi, admin: Client) -> None:
    await apply(admin, DOCUMENTS)
    others = [document for document in DOCUMENTS if document != COMPONENT]
    async with bearer(api, admin, scopes=["configure"], components=["*"]) as client:
        assert set(await apply(client, others)) == {"unchanged"}
        await client.post("definitions/apply", {"documents": DOCUMENTS}, status=403)
        changed = [{**COMPONENT, "name": "Other"}]
        await client.post("definitions/apply", {"documents": changed}, status=403)
