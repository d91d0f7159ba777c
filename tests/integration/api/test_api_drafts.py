"""Drafts of tasks: kept on the server, taken back step by step, never saved over someone else's version."""

from typing import Any

from tests.integration.api.conftest import Client

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
        f"{TWO} moved from Phase two to Phase one",
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
