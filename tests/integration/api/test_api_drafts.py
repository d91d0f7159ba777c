"""Drafts of tasks: kept on the server, taken back step by step, never saved over someone else's version."""

import asyncio
import random
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.integration.api.conftest import COMPONENT, Client, RunningApi, orchestration
from tests.integration.api.people import person_with_role, token_of_person
from tests.integration.api.test_api_jobs import Runner
from tests.support.databases import Database

from orchestrator_api.drafts import service, states
from orchestrator_api.wiring import RETENTION_QUERIES

DRAFT = "orchestrations/daily/draft"
ONE, TWO = "demo-extractor/one", "demo-extractor/two"


def layout(board: dict[str, Any]) -> list[tuple[str, list[str]]]:
    return [(phase["name"], [task["id"] for task in phase["tasks"]]) for phase in board["phases"]]


def move(task: str, to: str | int | None, **place: Any) -> dict[str, Any]:
    return {"operations": [{"operation": "move_tasks", "tasks": [task], "to": to, **place}]}


async def step(client: Client, board: dict[str, Any], body: dict[str, Any], status: int = 200) -> Any:
    headers = {"If-Match": board["etag"]}
    return await client.post(f"{DRAFT}/steps", body, headers=headers, status=status)


SAVED = [("Phase one", [ONE]), ("Phase two", [TWO])]
TOGETHER = [("Phase one", [ONE, TWO])]


async def test_a_draft_is_opened_by_its_first_step_and_saved(furnished: Client) -> None:
    board = await furnished.get(DRAFT)
    assert (board["is_open"], layout(board), board["changes"], board["undo"]) == (False, SAVED, [], None)
    moved = await step(furnished, board, move(TWO, "Phase one"))
    assert (moved["is_open"], layout(moved), moved["undo"]) == (True, TOGETHER, moved["changes"][1]["text"])
    assert [each["text"] for each in moved["changes"]] == [
        "Phase Phase two is gone",
        "two moved from Phase two to Phase one",
    ]
    assert moved["phases"][0]["tasks"][1]["was_in"] == "Phase two"
    assert await furnished.get(DRAFT) == moved
    assert (await furnished.get("orchestrations/daily"))["version"] == 1
    headers = {"If-Match": moved["etag"]}
    saved = await furnished.post(f"{DRAFT}/save", {"note": "together"}, headers=headers)
    assert (saved["version"], saved["note"], layout(saved)) == (2, "together", TOGETHER)
    after = await furnished.get(DRAFT)
    assert (after["is_open"], after["base_version"], after["changes"]) == (False, 2, [])
    await furnished.post(f"{DRAFT}/save", {}, headers={"If-Match": after["etag"]}, status=409)


async def test_a_new_phase_is_named_as_people_read_it(furnished: Client) -> None:
    """By the names of configurations, where the tasks have none of their own."""
    parameters = (await furnished.get("configurations/demo-extractor/one"))["parameters"]
    body = {"name": "Campaigns", "parameters": parameters}
    await furnished.put("configurations/demo-extractor/one", body)
    board = await step(furnished, await furnished.get(DRAFT), move(TWO, "Phase one"))
    board = await step(furnished, board, move(ONE, None))
    assert layout(board) == [("Phase one", [TWO]), ("Campaigns", [ONE])]
    both = {"operations": [{"operation": "move_tasks", "tasks": [ONE, TWO]}]}
    assert layout(await step(furnished, board, both)) == [("Extractors", [ONE, TWO])]


async def saved(client: Client, board: dict[str, Any], note: str = "", status: int = 200) -> Any:
    return await client.post(
        f"{DRAFT}/save", {"note": note}, headers={"If-Match": board["etag"]}, status=status
    )


def setting(task: str, **values: Any) -> dict[str, Any]:
    return {"operations": [{"operation": "set_tasks", "tasks": [task], "values": values}]}


def rename(name: str) -> dict[str, Any]:
    return {"operations": [{"operation": "rename_phase", "phase": 0, "name": name}]}


async def test_undo_takes_every_step_back_and_redo_does_them_again(furnished: Client) -> None:
    board = await furnished.get(DRAFT)
    start, steps = board, random.Random(11)
    boards = []
    for number in range(8):
        task = steps.choice([ONE, TWO])
        body = steps.choice(
            [
                move(task, f"Phase {number}", before=0),
                move(task, 0, at=0),
                rename(f"Renamed {number}"),
                {"operations": [{"operation": "duplicate_task", "task": task}]},
                {
                    "operations": [
                        {"operation": "set_tasks", "tasks": [task], "values": {"attempts": number + 1}}
                    ]
                },
            ]
        )
        board = await step(furnished, board, body)
        boards.append(board)
    for expected in [*reversed(boards[:-1]), start]:
        board = await step(furnished, board, {"undo": True})
        assert (layout(board), board["changes"]) == (layout(expected), expected["changes"])
    assert (board["undo"], board["redo"]) == (None, boards[0]["undo"])
    await step(furnished, board, {"undo": True}, status=409)
    for expected in boards:
        board = await step(furnished, board, {"redo": True})
        assert (board["phases"], board["undo"]) == (expected["phases"], expected["undo"])
    await step(furnished, board, {"redo": True}, status=409)
    back = await step(furnished, board, {"undo": True})
    other = await step(furnished, back, rename("Another way"))
    assert other["redo"] is None, "a new step takes the place of those that were undone"


async def test_a_step_is_never_done_twice(furnished: Client) -> None:
    board = await furnished.get(DRAFT)
    body = {"operations": [{"operation": "duplicate_task", "task": ONE}]}
    headers = {"If-Match": board["etag"]}
    url = f"/v1/projects/demo/{DRAFT}/steps"
    first = await asyncio.gather(*(furnished.http.post(url, json=body, headers=headers) for _ in range(4)))
    assert sorted(each.status_code for each in first) == [200, 412, 412, 412]
    board = await furnished.get(DRAFT)
    headers = {"If-Match": board["etag"]}
    again = await asyncio.gather(*(furnished.http.post(url, json=body, headers=headers) for _ in range(4)))
    assert sorted(each.status_code for each in again) == [200, 412, 412, 412]
    assert [len(phase["tasks"]) for phase in (await furnished.get(DRAFT))["phases"]] == [3, 1]
    problem = await step(furnished, board, body, status=412)
    assert "no longer as you have seen it" in problem["detail"]
    await furnished.post(f"{DRAFT}/steps", body, status=428, headers={"If-None-Match": '"x"'})


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "body"),
        ({"undo": True, "redo": True}, "body"),
        ({"operations": [{"operation": "remove_tasks", "tasks": ["x"]}]}, "operations.0.tasks.0"),
        (
            {
                "operations": [
                    {"operation": "one_task_per_phase"},
                    {
                        "operation": "add_tasks",
                        "tasks": [{"component": "demo-extractor", "configuration": "three"}],
                        "to": 0,
                    },
                ]
            },
            "operations.1.tasks.0.configuration",
        ),
        (
            setting(ONE, parameters={"parameters": {"rows": "many"}}),
            "operations.0.values.parameters.parameters.rows",
        ),
        (
            setting(ONE, parameters={"parameters": {"#password": "***"}}),
            "operations.0.values.parameters.parameters.#password",
        ),
    ],
)
async def test_refused_steps_leave_no_draft(furnished: Client, body: dict[str, Any], field: str) -> None:
    board = await furnished.get(DRAFT)
    problem = await step(furnished, board, body, status=422)
    assert problem["errors"][0]["field"] == field
    assert await furnished.get(DRAFT) == board


async def test_everyone_has_a_draft_of_their_own(
    api: RunningApi, furnished: Client, database: Database
) -> None:
    people = [
        await person_with_role(furnished, database, f"{name}@example.com", role=role)
        for name, role in (("eva", "editor"), ("jan", "editor"), ("vera", "viewer"))
    ]
    async with AsyncExitStack() as stack:
        eva, jan, vera = [Client(await stack.enter_async_context(api.http(token))) for token in people]
        evas = await step(eva, await eva.get(DRAFT), move(TWO, 0))
        jans = await jan.get(DRAFT)
        assert (jans["is_open"], layout(jans)) == (False, SAVED)
        await step(jan, jans, rename("Jan's"))
        assert layout(await eva.get(DRAFT)) == layout(evas) == TOGETHER
        await step(jan, evas, {"undo": True}, status=412)
        looking = await vera.get(DRAFT)
        assert (looking["is_open"], layout(looking)) == (False, SAVED)
        await step(vera, looking, {"undo": True}, status=403)
        person = await database.fetchval("SELECT id FROM catalog.people WHERE email = 'eva@example.com'")
        async with api.http(await token_of_person(database, person)) as other:
            assert layout(await Client(other).get(DRAFT)) == TOGETHER, "on another device"
        await eva.delete(DRAFT, headers={"If-Match": evas["etag"]}, status=204)
        assert (await eva.get(DRAFT))["is_open"] is False
        await step(eva, evas, {"undo": True}, status=412)
    await furnished.post("/v1/projects", {"id": "other"})
    elsewhere = Client(furnished.http, "other")
    await elsewhere.get(DRAFT, status=404)
    await elsewhere.post(f"{DRAFT}/steps", {"undo": True}, headers={"If-Match": "*"}, status=404)


@pytest.mark.parametrize("keep", ["mine", "theirs"])
async def test_a_version_of_someone_else_is_seen_and_not_overwritten(furnished: Client, keep: str) -> None:
    mine = await step(furnished, await furnished.get(DRAFT), rename("Mine"))
    await furnished.put("orchestrations/daily", orchestration("two", note="only two"))
    board = await furnished.get(DRAFT)
    conflict = board["conflict"]
    assert (board["etag"], board["base_version"], board["version"]) == (mine["etag"], 1, 2)
    assert (conflict["version"], conflict["author"], conflict["note"]) == (2, "admin@example.com", "only two")
    assert [each["text"] for each in conflict["changes"]] == [
        "Phase Phase one is gone",
        "one is gone from Phase one",
    ]
    problem = await saved(furnished, board, status=409)
    assert [(each["version"], each["author"]) for each in problem["saved"]] == [(2, "admin@example.com")]
    await step(furnished, board, {"resolve": {"keep": keep, "version": 1}}, status=409)
    board = await step(furnished, board, {"resolve": {"keep": keep, "version": 2}})
    assert (board["conflict"], board["base_version"]) == (None, 2)
    if keep == "theirs":
        assert (layout(board), board["changes"]) == ([("Phase two", [TWO])], [])
        board = await step(furnished, board, {"undo": True})
    version = await saved(furnished, board)
    assert (version["version"], layout(version)) == (3, [("Mine", [ONE]), ("Phase two", [TWO])])


async def test_secrets_are_encrypted_in_the_draft_and_stay_what_they_are_for(
    furnished: Client, database: Database
) -> None:
    def given(parameters: dict[str, Any]) -> dict[str, Any]:
        return setting(ONE, parameters={"parameters": parameters})

    board = await furnished.get(DRAFT)
    board = await step(furnished, board, given({"#password": "swordfish"}))
    shown = board["phases"][0]["tasks"][0]["parameters"]
    assert shown == {"parameters": {"#password": "***"}}
    board = await step(furnished, board, given({"rows": 2, "#password": "***"}))
    copied = {"operations": [{"operation": "duplicate_task", "task": ONE}, *move(TWO, 0)["operations"]]}
    board = await step(furnished, board, copied)
    for table in ("catalog.draft_states", "catalog.drafts"):
        assert "swordfish" not in str(await database.fetch(f"SELECT t::text FROM {table} t"))
    version = await saved(furnished, board)
    assert [task["parameters"] for task in version["phases"][0]["tasks"]] == [
        {"parameters": {"rows": 2, "#password": "***"}},
        {"parameters": {"rows": 2, "#password": "***"}},
        {},
    ]
    run = await furnished.post("orchestrations/daily/runs", {})
    assert run["job_id"]


async def test_a_board_argues_and_a_remedy_can_be_sent_as_it_is(
    furnished: Client, database: Database
) -> None:
    await furnished.put("/v1/components/sink", {**COMPONENT, "type": "writer"}, status=201)
    await furnished.put("configurations/sink/mail", {"name": "Mail to all", "parameters": {}}, status=201)
    board = await furnished.get(DRAFT)
    add = {"operation": "add_tasks", "tasks": [{"component": "sink", "configuration": "mail"}]}
    board = await step(furnished, board, {"operations": [{**add, "to": "Phase one"}]})
    assert board["phases"][0]["tasks"][1]["configuration_name"] == "Mail to all"
    assert [each["text"] for each in board["changes"]] == ["Mail to all is new in Phase one"]
    (check,) = board["checks"]
    assert (check["task"], check["phase"], board["warnings"]) == ("sink/mail", 0, 1)
    assert "writes in this same phase" in check["text"]
    kept = await step(furnished, board, {"keep": check["id"]})
    assert (kept["checks"][0]["kept"], kept["warnings"]) == (True, 0)
    mended = await step(furnished, kept, {"operations": check["remedy"]["operations"]})
    assert mended["checks"] == []
    assert layout(mended) == [("Phase one", [ONE]), ("Writers", ["sink/mail"]), ("Phase two", [TWO])]


async def test_lengths_are_known_once_every_task_has_run_often_enough(
    furnished: Client, database: Database
) -> None:
    runner = Runner(database)
    await runner.connect()
    start = datetime(2026, 11, 30, 4, 30, tzinfo=UTC)
    for name, seconds in (("one", 30), ("two", 12)):
        for number in range(1, 6):
            end = start + timedelta(seconds=seconds)
            await runner.job(name, number, "success", started_at=start, finished_at=end)
    board = await furnished.get(DRAFT)
    assert [phase["usual_seconds"] for phase in board["phases"]] == [30.0, 12.0]
    assert board["usual_seconds"] == 42.0
    grouped = await furnished.post(f"{DRAFT}/previews", {"operations": [{"operation": "group_by_type"}]})
    assert (grouped["usual_seconds"], grouped["etag"]) == (30.0, board["etag"])
    assert [each["text"] for each in grouped["changes"]] == [
        "Phase Phase one is called Extractors",
        "Phase Phase two is gone",
        "two moved from Phase two to Extractors",
    ]
    assert await furnished.get(DRAFT) == board
    await furnished.put("configurations/demo-extractor/new", {"parameters": {}}, status=201)
    new = {"operation": "add_tasks", "tasks": [{"component": "demo-extractor", "configuration": "new"}]}
    board = await step(furnished, board, {"operations": [{**new, "to": 0}]})
    assert (board["usual_seconds"], board["phases"][0]["usual_seconds"]) == (None, None)


async def test_a_cycle_is_named_and_not_saved(furnished: Client) -> None:
    nested = [{"component": "orchestrator", "configuration": "daily"}]
    await furnished.put("orchestrations/weekly", {"phases": [{"tasks": nested}]}, status=201)
    weekly = {"component": "orchestrator", "configuration": "weekly"}
    add = {"operation": "add_tasks", "tasks": [weekly], "to": "Nested"}
    board = await step(furnished, await furnished.get(DRAFT), {"operations": [add]})
    assert board["errors"] == 1
    assert "daily → weekly → daily" in board["checks"][0]["text"]
    problem = await saved(furnished, board, status=422)
    assert "daily → weekly → daily" in problem["detail"]


async def test_what_drafts_keep_is_bounded(
    furnished: Client, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(states, "MAX_STATES", 3)
    monkeypatch.setattr(service, "MAX_DRAFTS", 1)
    board = await furnished.get(DRAFT)
    for number in range(6):
        board = await step(furnished, board, rename(f"Name {number}"))
    positions = "SELECT array_agg(position ORDER BY position) FROM catalog.draft_states"
    assert await database.fetchval(positions) == [4, 5, 6]
    monkeypatch.setattr(states, "MAX_BYTES_OF_ALL", 1)
    board = await step(furnished, board, rename("Last"))
    assert await database.fetchval(positions) == [6, 7], "one step can always be undone"
    board = await step(furnished, board, {"undo": True})
    assert (board["undo"], board["redo"] is None) == (None, False)

    await furnished.put("orchestrations/second", orchestration("one"), status=201)
    second = await furnished.get("orchestrations/second/draft")
    headers = {"If-Match": second["etag"]}
    await furnished.post("orchestrations/second/draft/steps", rename("x"), headers=headers, status=409)
    monkeypatch.setattr(states, "MAX_BYTES", 100)
    await step(furnished, board, rename("Too large"), status=422)


async def test_forgotten_and_purged_drafts_are_gone(furnished: Client, database: Database) -> None:
    board = await step(furnished, await furnished.get(DRAFT), rename("Mine"))
    await database.execute(RETENTION_QUERIES["forget_drafts"], 90, 10)
    assert await furnished.get(DRAFT) == board
    await database.execute("UPDATE catalog.drafts SET updated_at = updated_at - interval '91 days'")
    await database.execute(RETENTION_QUERIES["forget_drafts"], 90, 10)
    assert (await furnished.get(DRAFT))["is_open"] is False

    await step(furnished, await furnished.get(DRAFT), rename("Mine"))
    await furnished.delete("orchestrations/daily", headers={"If-Match": "*"})
    await furnished.get(DRAFT, status=404)
    await furnished.delete("trash/orchestrator/daily", headers={"If-Match": "*"})
    assert await database.fetchval("SELECT count(*) FROM catalog.draft_states") == 0
