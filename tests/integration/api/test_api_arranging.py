"""Previews of another layout: saved by a PUT, but never over someone else's change."""

from typing import Any

from tests.integration.api.conftest import COMPONENT, Client, orchestration


async def mixed(client: Client) -> None:
    """A writer, an extractor and a nested orchestration, each in a phase of its own."""
    await client.put("/v1/components/sink", {**COMPONENT, "type": "writer"}, status=201)
    await client.put("configurations/sink/mail", {"parameters": {}}, status=201)
    tasks: list[dict[str, Any]] = [
        {"component": "orchestrator", "configuration": "daily"},
        {
            "component": "sink",
            "configuration": "mail",
            "parameters": {"parameters": {"#password": "hunter2"}},
        },
        {"component": "demo-extractor", "configuration": "one"},
    ]
    phases = [{"name": f"P{i}", "tasks": [task]} for i, task in enumerate(tasks)]
    await client.put("orchestrations/mixed", {"phases": phases}, status=201)


def layout(answer: dict[str, Any]) -> list[tuple[str, list[str]]]:
    return [(phase["name"], [task["id"] for task in phase["tasks"]]) for phase in answer["phases"]]


async def test_grouping_is_a_proposal(furnished: Client) -> None:
    await mixed(furnished)
    proposal = await furnished.post("orchestrations/mixed/grouping", {"by": "type"}, status=200)
    assert layout(proposal) == [
        ("Extractors", ["demo-extractor/one"]),
        ("Writers", ["sink/mail"]),
        ("Orchestrations", ["orchestrator/daily"]),
    ]
    assert (proposal["changed"], proposal["version"]) == (True, 1)
    assert layout(await furnished.get("orchestrations/mixed"))[0][0] == "P0"
    single = await furnished.post("orchestrations/daily/grouping", {"by": "task"})
    assert [name for name, _ in layout(single)] == ["one", "two"]
    await furnished.post("orchestrations/mixed/grouping", {"by": "colour"}, status=422)
    await furnished.post("orchestrations/ghost/grouping", {"by": "type"}, status=404)


async def test_saved_proposal_keeps_the_secrets_of_moved_tasks(furnished: Client) -> None:
    await mixed(furnished)
    proposal = await furnished.post("orchestrations/mixed/grouping", {"by": "type"})
    assert "hunter2" not in str(proposal)
    body, based = {"phases": proposal["phases"]}, {"If-Match": proposal["etag"]}
    saved = await furnished.put("orchestrations/mixed", body, status=200, headers=based)
    assert (saved["version"], layout(saved)) == (2, layout(proposal))
    again = await furnished.put("orchestrations/mixed", {"phases": saved["phases"]}, status=200)
    assert again["changed"] is False
    exported = (await furnished.get("definitions"))["documents"]
    answer = await furnished.post("definitions/plan", {"documents": exported})
    assert {change["action"] for change in answer["changes"]} == {"unchanged"}
    problem = await furnished.put("orchestrations/mixed", body, status=412, headers=based)
    assert problem["errors"][0]["field"] == "If-Match"


async def test_applied_documents_keep_the_secrets_of_moved_tasks(furnished: Client) -> None:
    await mixed(furnished)
    documents = (await furnished.get("definitions"))["documents"]
    (document,) = [each for each in documents if each.get("orchestration") == "mixed"]
    document["phases"].reverse()
    answer = await furnished.post("definitions/apply", {"documents": documents})
    changed = [change["id"] for change in answer["changes"] if change["action"] != "unchanged"]
    assert changed == ["mixed"]


async def test_operations_follow_one_another(furnished: Client) -> None:
    operations = [
        {"operation": "move_tasks", "tasks": ["demo-extractor/two"], "to": "First", "before": "Phase one"},
        {"operation": "rename_phase", "phase": 1, "name": "Second"},
        {"operation": "move_phase", "phase": "Second", "before": "First"},
    ]
    answer = await furnished.post("orchestrations/daily/arrangement", {"operations": operations})
    assert layout(answer) == [("Second", ["demo-extractor/one"]), ("First", ["demo-extractor/two"])]
    merged = {"operations": [{"operation": "merge_phases", "phases": [0, 1], "name": "All"}]}
    answer = await furnished.post("orchestrations/daily/arrangement", {**merged, "phases": answer["phases"]})
    assert layout(answer) == [("All", ["demo-extractor/one", "demo-extractor/two"])]


async def test_invalid_operations_are_named(furnished: Client) -> None:
    path = "orchestrations/daily/arrangement"
    ghost = {"operation": "move_tasks", "tasks": ["ghost"], "to": "x"}
    problem = await furnished.post(path, {"operations": [ghost]}, status=422)
    assert problem["errors"][0]["field"] == "operations.0.tasks.0"
    await furnished.post(path, {"operations": [{"operation": "shuffle"}]}, status=422)
    problem = await furnished.post(
        path, {"operations": [{"operation": "one_task_per_phase"}] * 101}, status=422
    )
    assert (problem["detail"]) == "operations: must have at most 100 entries"
    both = {"operation": "move_tasks", "tasks": ["a"], "to": "x", "before": "x", "after": "y"}
    await furnished.post(path, {"operations": [both]}, status=422)
    twice = orchestration("one")["phases"][0]
    body = {"operations": [{"operation": "one_task_per_phase"}], "phases": [twice, twice]}
    problem = await furnished.post(path, body, status=422)
    assert problem["errors"][0]["field"] == "phases.0.tasks.0.id"
