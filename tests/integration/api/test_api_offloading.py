"""Fault 11 of issue 8: whatever may compute for long does so outside the event loop."""

import asyncio
import json
import threading
from collections.abc import Callable
from typing import Any

import pytest
from tests.integration.api.conftest import COMPONENT, Client, RunningApi
from tests.integration.api.people import person_with_password, sign_in
from tests.integration.api.test_api_jobs import Runner
from tests.support.databases import Database

from orchestrator_api.access.browser_sessions import BrowserSessions
from orchestrator_api.catalog import components, configurations, overrides, parameters, secrets
from orchestrator_api.drafts import checks, states
from orchestrator_api.http import bodies
from orchestrator_api.http.step_budget import StepBudget
from orchestrator_api.orchestrations import findings, previews, validation, views
from orchestrator_api.runs import error_history, first_error
from orchestrator_api.triggers import explanations, rhythms
from orchestrator_api.web.tasks import showing
from orchestrator_shared.definitions import arranging

COOKIE = BrowserSessions().cookie_name


def watched(function: Callable[..., Any], seen: dict[str, str]) -> Callable[..., Any]:
    """The same function, which keeps in which thread it is called."""

    def call(*args: Any, **kwargs: Any) -> Any:
        seen[function.__name__] = threading.current_thread().name
        return function(*args, **kwargs)

    return call


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """In which thread each function was called last."""
    seen: dict[str, str] = {}

    for module, function in (
        (components, parameters.check_schema),
        (configurations, parameters.check_parameters),
        (overrides, parameters.check_override),
        (validation, findings.check_phases),
        (previews, arranging.arrange),
        (states, states.changed),
        (states, states.written),
        (checks, checks.find),
        (first_error, error_history.same_error),
        (rhythms, rhythms.starvation),
        (explanations, rhythms.starvation),
    ):
        monkeypatch.setattr(module, function.__name__, watched(function, seen))
    return seen


async def test_schemas_parameters_and_large_orchestrations_are_checked_in_threads(
    furnished: Client, threads: dict[str, str]
) -> None:
    await furnished.put("/v1/components/demo-extractor", {**COMPONENT, "name": "Another name"})
    await furnished.put("configurations/demo-extractor/one", {"parameters": {"rows": 2}})
    task = {"component": "demo-extractor", "configuration": "one", "parameters": {"parameters": {"rows": 3}}}
    tasks = [{**task, "id": f"t{i}"} for i in range(200)]
    await furnished.put("orchestrations/large", {"phases": [{"name": "P", "tasks": tasks}]}, status=201)
    await furnished.post("orchestrations/large/grouping", {"by": "task"}, status=200)
    names = ("check_schema", "check_parameters", "check_override", "check_phases", "arrange")
    assert threads == dict.fromkeys(names, "offload")


async def test_steps_of_large_drafts_are_taken_in_threads(furnished: Client, threads: dict[str, str]) -> None:
    task = {"component": "demo-extractor", "configuration": "one"}
    for count, thread in ((100, "MainThread"), (101, "offload")):
        tasks = [{**task, "id": f"t{i}"} for i in range(count)]
        name = f"orchestrations/large{count}"
        await furnished.put(name, {"phases": [{"name": "P", "tasks": tasks}]}, status=201)
        tag = {"If-Match": (await furnished.get(f"{name}/draft"))["etag"]}
        step = {"operations": [{"operation": "move_tasks", "tasks": ["t1"], "to": "Q"}]}
        threads.clear()
        await furnished.post(f"{name}/draft/steps", step, headers=tag, status=200)
        assert threads == dict.fromkeys(("changed", "written", "find"), thread)


async def test_large_pages_are_rendered_in_threads(
    api: RunningApi, furnished: Client, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: dict[str, str] = {}
    for module, function in ((showing, showing.values_of), (views, secrets.masked_phases)):
        monkeypatch.setattr(module, function.__name__, watched(function, seen))
    await person_with_password(furnished, database, "eva@example.com", role="editor")
    task = {"component": "demo-extractor", "configuration": "one"}
    async with api.http(None) as http:
        http.cookies.set(COOKIE, (await sign_in(http, "eva@example.com")).cookies[COOKIE])
        for count, thread in ((100, "MainThread"), (101, "offload")):
            tasks = [{**task, "id": f"t{i}"} for i in range(count)]
            name = f"orchestrations/large{count}"
            await furnished.put(name, {"phases": [{"name": "P", "tasks": tasks}]}, status=201)
            seen.clear()
            for page in ("", "/tasks"):
                answer = await http.get(f"/projects/demo/{name}{page}")
                assert answer.status_code == 200, answer.text
            assert seen == dict.fromkeys(("values_of", "masked_phases"), thread)


async def test_long_messages_and_many_tables_are_judged_in_threads(
    furnished: Client, database: Database, threads: dict[str, str]
) -> None:
    runner = Runner(database)
    for number in range(1, 12):
        failed = {"error_kind": "user", "attempt": 1, "message": f"{number} " * 2000}
        job = await runner.job("two", number, "error", **failed)
    await furnished.get(f"jobs/{job}/first-error")
    for count, thread in ((50, "MainThread"), (51, "offload")):
        tables = [f"in.c-crm.t{number}" for number in range(count)]
        await furnished.post("trigger-previews", {"tables": tables, "cool_down_seconds": 900}, status=200)
        assert threads == {"same_error": "offload", "starvation": thread}
    body = {"tables": tables, "cool_down_seconds": 900, "mode": "ignore"}
    trigger = (await furnished.put("orchestrations/daily/triggers/many", body, status=201))["id"]
    threads.clear()
    await furnished.get(f"triggers/{trigger}/explanation")
    assert threads == {"starvation": "offload"}


async def test_one_request_has_one_budget_for_judging(
    furnished: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(StepBudget.__init__, "__defaults__", (300,))
    tasks = [
        {
            "id": f"t{i}",
            "component": "demo-extractor",
            "configuration": "one",
            "parameters": {"parameters": {"rows": i}},
        }
        for i in range(100)
    ]
    few = {"phases": [{"name": "P", "tasks": tasks[:10]}]}
    await furnished.put("orchestrations/few", few, status=201)
    many = {"phases": [{"name": "P", "tasks": tasks}]}
    refused = await furnished.put("orchestrations/many", many, status=422)
    assert "steps in one request" in refused["errors"][0]["detail"]


async def test_one_token_cannot_take_the_turns_of_all(
    furnished: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, body = threading.Event(), {"documents": [{"variables": {"v": "x" * 20_000}}]}

    def held(*_: Any) -> dict[str, Any]:
        gate.wait(60)
        return {"documents": []}

    with monkeypatch.context() as patched:
        patched.setattr(bodies, "validate", held)
        calls = [
            asyncio.create_task(furnished.http.post("/v1/projects/demo/definitions/plan", json=body))
            for _ in range(24)
        ]
        while sum(call.done() for call in calls) < 8:
            await asyncio.sleep(0.01)
        gate.set()
        answers = await asyncio.gather(*calls)
    refused = [each for each in answers if each.status_code == 429]
    assert len(refused) == 8
    assert refused[0].headers["Retry-After"] == "2"
    assert "which is the limit" in refused[0].json()["detail"]


WITHOUT_TASKS = (
    "/schedules",
    "/triggers",
    "/notifications",
    "/notifications/recipients",
    "/token",
    "/runs",
    "/run-counts",
    "/overlaps",
    "/usages",
)
"""Who asks only whether the orchestration exists."""
PAGES_WITHOUT_TASKS = ("/new-schedule", "/notifications")
"""Who asks for its name."""


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """In which thread each stored definition with the phase `Marked` is parsed."""
    seen, decode = list[str](), json.JSONDecoder.decode

    def watching(self: json.JSONDecoder, text: str, *rest: Any) -> Any:
        if "Marked" in text:
            seen.append(threading.current_thread().name)
        return decode(self, text, *rest)

    monkeypatch.setattr(json.JSONDecoder, "decode", watching)
    return seen


async def test_no_definition_is_parsed_in_the_loop_that_is_not_shown(
    api: RunningApi, furnished: Client, database: Database, parsed: list[str]
) -> None:
    await person_with_password(furnished, database, "eva@example.com", role="editor")
    task = {"component": "demo-extractor", "configuration": "one"}
    for attempts, status in ((1, 201), (2, 200)):
        phases = [{"name": "Marked", "tasks": [{**task, "attempts": attempts}]}]
        await furnished.put("orchestrations/marked", {"phases": phases}, status=status)
    under, page = "/v1/projects/demo/orchestrations/marked", "/projects/demo/orchestrations/marked"
    expected: dict[str, list[str]] = {
        **{under + path: [] for path in WITHOUT_TASKS},
        f"{under}/versions": ["offload"] * 2,
        f"{under}/versions/1/diff/2": ["offload"] * 2,
        **{page + path: [] for path in PAGES_WITHOUT_TASKS},
        f"{page}/versions": ["offload"] * 2,
        f"{page}/versions/1...2": ["offload"] * 2,
    }
    found: dict[str, list[str]] = {}
    async with api.http(None) as browser:
        browser.cookies.set(COOKIE, (await sign_in(browser, "eva@example.com")).cookies[COOKIE])
        for url in expected:
            parsed.clear()
            answer = await (furnished.http if url.startswith("/v1") else browser).get(url)
            assert answer.status_code == 200, answer.text
            found[url] = list(parsed)
    assert found == expected
