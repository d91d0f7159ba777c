"""Issue 8.25: applying converges, and `validate` offline agrees with `apply`."""

from copy import deepcopy
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.integration.api.conftest import COMPONENT, Client

from orchestrator_shared.definitions.loader import load_text
from orchestrator_shared.definitions.yaml_text import to_yaml

DAILY: dict[str, Any] = {
    "orchestration": "daily",
    "description": "Every day",
    "enabled": False,
    "phases": [{"name": "One", "tasks": [{"run": "demo-extractor/one"}]}],
    "schedules": {"mornings": {"cron": "15 6 * * *"}},
    "triggers": {"crm": {"tables": ["in.c-crm.contacts"]}},
    "notify": {"a@example.com": ["error", {"waiting_long": {"minutes": 45}}], "b@example.com": ["success"]},
}


async def applied(client: Client, *documents: dict[str, Any]) -> dict[str, str]:
    """What happens to each item, and that applying again changes nothing."""
    made = []
    for _ in range(2):
        answer = await client.post("definitions/apply", {"documents": list(documents)})
        made.append({f"{change['kind']} {change['id']}": change["action"] for change in answer["changes"]})
    assert set(made[1].values()) <= {"unchanged"}
    return made[0]


async def subscribers(client: Client) -> list[tuple[str, str]]:
    found = (await client.get("orchestrations/daily/notifications"))["subscriptions"]
    return [(each["event"], each["address"]) for each in found]


async def test_who_is_taken_out_of_notify_is_no_longer_subscribed(furnished: Client) -> None:
    await applied(furnished, DAILY)
    assert len(await subscribers(furnished)) == 3
    fewer = {**DAILY, "notify": {"b@example.com": ["success"]}}
    assert (await applied(furnished, fewer))["notifications daily"] == "update"
    assert await subscribers(furnished) == [("success", "b@example.com")]
    without = {key: value for key, value in DAILY.items() if key != "notify"}
    assert (await applied(furnished, without))["notifications daily"] == "delete"
    assert await subscribers(furnished) == []
    await applied(furnished, DAILY)
    await applied(furnished, {**DAILY, "notify": {}})
    assert await subscribers(furnished) == []


async def test_a_document_without_notify_leaves_the_creator_subscribed(
    furnished: Client,
) -> None:
    document = {**DAILY, "orchestration": "other"}
    del document["notify"]
    answer = await furnished.post("definitions/apply", {"documents": [document]})
    assert not any("no one is notified" in each for each in answer["warnings"])
    assert "notifications other" not in await applied(furnished, document)
    shown = await furnished.get("orchestrations/other/notifications")
    assert [each["address"] for each in shown["subscriptions"]] == ["admin@example.com"]
    # Said once, it is the document's: it goes with it.
    said = {**document, "notify": {"admin@example.com": ["error"]}}
    await applied(furnished, said)
    assert (await applied(furnished, document))["notifications other"] == "delete"
    answer = await furnished.post("definitions/plan", {"documents": [document]})
    assert any("no one is notified" in each for each in answer["warnings"])


async def test_everything_else_that_is_taken_out_goes_or_has_its_default(furnished: Client) -> None:
    await applied(furnished, DAILY)
    bare = {"orchestration": "daily", "phases": DAILY["phases"]}
    made = await applied(furnished, bare)
    assert made == {
        "orchestration daily": "update",
        "schedule daily/mornings": "delete",
        "trigger daily/crm": "delete",
        "notifications daily": "delete",
    }
    shown = await furnished.get("orchestrations/daily")
    assert (shown["description"], shown["enabled"]) == ("", True)


async def test_true_for_one_is_a_change(furnished: Client) -> None:
    await furnished.put("/v1/components/demo-extractor", {**COMPONENT, "parameters": {}})
    document = {"configuration": "demo-extractor/one", "parameters": {"x": 1, "list": [0]}}
    await applied(furnished, document)
    changed = {**document, "parameters": {"x": True, "list": [False]}}
    assert await applied(furnished, changed) == {"configuration demo-extractor/one": "update"}
    stored = await furnished.get("configurations/demo-extractor/one")
    assert stored["parameters"]["x"] is True
    assert stored["parameters"]["list"][0] is False


async def test_a_component_keeps_its_description(admin: Client) -> None:
    await admin.put("/v1/components/demo-extractor", {**COMPONENT, "description": "Reads"}, status=201)
    document = {**COMPONENT, "component": "demo-extractor", "name": "Demo", "description": "Reads"}
    assert await applied(admin, document) == {"component demo-extractor": "update"}
    assert (await admin.get("/v1/components/demo-extractor"))["definition"]["description"] == "Reads"
    del document["description"]
    assert await applied(admin, document) == {"component demo-extractor": "update"}


ODD = st.sampled_from(
    ["", "a", "a@b", "a@example.com", "https://example.com/hook", "x y@example.com", "docker", "daily", "-1"]
)
ANYTHING = st.one_of(ODD, st.integers(-2, 10**10), st.none(), st.booleans(), st.floats(0, 3), st.just([]))
PLACES: list[tuple[Any, ...]] = [
    ("orchestration",),
    ("name",),
    ("description",),
    ("enabled",),
    ("phases",),
    ("phases", 0, "name"),
    ("phases", 0, "tasks", 0, "run"),
    ("phases", 0, "tasks", 0, "timeout"),
    ("phases", 0, "tasks", 0, "attempts"),
    ("phases", 0, "tasks", 0, "attempt_delay"),
    ("phases", 0, "tasks", 0, "parameters"),
    ("schedules", "mornings", "cron"),
    ("schedules", "mornings", "every"),
    ("schedules", "mornings", "timezone"),
    ("schedules", "mornings", "catch_up"),
    ("schedules", "mornings", "overlap"),
    ("triggers", "crm", "tables"),
    ("triggers", "crm", "cool_down"),
    ("triggers", "crm", "mode"),
    ("notify",),
    ("notify", "a@example.com"),
    ("notify", "https://example.com/hook"),
    ("notify", "nobody"),
]
VALUES = st.one_of(
    ANYTHING,
    st.sampled_from(
        [
            "0 6 * * *",
            "0 0 30 2 *",
            "90m",
            "400d",
            "Europe/Prague",
            "orchestrator/daily",
            "demo-extractor/one",
            ["error"],
            ["deadline_missed"],
            [{"processing_long": {"percent": 30}}],
            ["in.c-a.b", "in.c-a.b"],
            {"parameters": {"rows": 2}},
            {"version": 0},
        ]
    ),
)


async def test_what_validate_accepts_apply_accepts_and_the_other_way_round(furnished: Client) -> None:
    documents = [edited(edits) for edits in examples(150)]
    documents.append({**DAILY, "phases": [{"name": "x", "tasks": [{"run": "orchestrator/daily"}]}]})
    documents += [
        {**COMPONENT, "component": "c", "name": "C", "executor": executor}
        for executor in ("docker", "process")
    ]
    differing = []
    for document in documents:
        offline = load_text(to_yaml([document])).problems
        response = await furnished.http.post(
            "/v1/projects/demo/definitions/plan", json={"documents": [document]}
        )
        assert response.status_code in (200, 422), response.text
        if missing(response.text):
            continue  # what a document refers to is known to the server alone
        if bool(offline) != (response.status_code == 422):
            differing.append((document, list(map(str, offline)), response.text[:500]))
    assert differing == []


def missing(text: str) -> bool:
    return "there is no c" in text


def edited(edits: list[tuple[tuple[Any, ...], Any]]) -> dict[str, Any]:
    document = deepcopy(DAILY)
    for place, value in edits:
        target: Any = document
        for part in place[:-1]:
            target = target[part] if isinstance(target, dict | list) and part in _keys(target) else None
        if isinstance(target, dict):
            target[place[-1]] = value
    return document


def _keys(target: Any) -> Any:
    return target if isinstance(target, dict) else range(len(target))


def examples(count: int) -> list[list[tuple[tuple[Any, ...], Any]]]:
    found: list[list[tuple[tuple[Any, ...], Any]]] = []

    @settings(max_examples=count, deadline=None, database=None, derandomize=True)
    @given(st.lists(st.tuples(st.sampled_from(PLACES), VALUES), min_size=1, max_size=2))
    def collect(edits: list[tuple[tuple[Any, ...], Any]]) -> None:
        found.append(edits)

    collect()
    return found


async def test_exported_numbers_are_applied_as_they_are_stored(furnished: Client) -> None:
    """Issue 8.37: `export | apply` turned 1.0e+22 into a string."""
    await furnished.put("/v1/components/demo-extractor", {**COMPONENT, "parameters": {}})
    numbers = [1e22, 10**22, 1e308, 5e-324, 0.1, 0.00012345678901234567, -0.0, 3.1, 10**30]
    texts = ["3.10", "1e5", "1e22", "null", "10000000000000000000000", "on", "<<"]
    path = "configurations/demo-extractor/one"
    await furnished.put(path, {"parameters": {"numbers": numbers, "texts": texts, "1e5": 1}})
    before = await furnished.get(path)
    documents = (await furnished.get("definitions"))["documents"]
    again = [document.raw for document in load_text(to_yaml(documents)).require()]
    answer = await furnished.post("definitions/apply", {"documents": again})
    assert {change["action"] for change in answer["changes"]} == {"unchanged"}
    after = await furnished.get(path)
    assert after == before
    assert after["parameters"]["texts"] == texts
    assert after["parameters"]["numbers"] == numbers


async def test_a_number_in_place_of_a_string_is_reported_with_the_way_out(furnished: Client) -> None:
    schema = {"properties": {"version": {"type": "string"}}}
    await furnished.put("/v1/components/demo-extractor", {**COMPONENT, "parameters": schema})
    wish = {"parameters": {"version": 3.1}}
    problem = await furnished.put("configurations/demo-extractor/one", wish, status=422)
    assert problem["errors"][0]["detail"].endswith("type 'string'; put it in quotes")
