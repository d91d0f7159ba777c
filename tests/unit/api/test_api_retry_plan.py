"""What a retry would run, and what changes its plan."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from orchestrator_api.catalog.rows import CurrentVersion
from orchestrator_api.runs.retry_plan import (
    Key,
    Original,
    Target,
    check_plan,
    check_something_to_run,
    plan_retry,
    requested_version,
    saved_since,
    usual_seconds,
    without_notes,
)

ALL: dict[Key, int] = {("loader", name): 7 for name in "abcd"}


def definition(*names: str, disabled: str = "") -> dict[str, Any]:
    tasks = [
        {
            "id": name,
            "name": name.upper(),
            "component": "loader",
            "configuration": name,
            "enabled": name not in disabled,
        }
        for name in names
    ]
    return {"phases": [{"name": "All", "tasks": tasks}]}


def target(
    version: int,
    given: dict[str, Any],
    *,
    without: str = "",
    pins: Mapping[str, Mapping[str, int]] | None = None,
) -> Target:
    existing = {key: number for key, number in ALL.items() if key[1] not in without}
    return Target(version, given, existing, "daily", pins or {})


def saved_version(component: str, name: str, at: datetime, version: int = 7) -> CurrentVersion:
    return CurrentVersion(component, name, version, at, "jana@example.com", "why")


def original(selection: set[str] | None = None, **statuses: str) -> Original:
    chosen = None if selection is None else frozenset(selection)
    return Original(UUID(int=1), "error", statuses, chosen)


@pytest.mark.parametrize(
    ("before", "selected"),
    [
        ("success", False),
        ("warning", False),
        ("error", True),
        ("terminated", True),
        ("cancelled", True),
        ("not_executed", True),
        ("skipped", True),
    ],
)
def test_preselected_is_every_active_task_without_success(before: str, selected: bool) -> None:
    plan = plan_retry(original(a=before), target(1, definition("a")))
    assert plan.tasks[0].selected is selected
    off = plan_retry(original(a=before), target(1, definition("a", disabled="a")))
    assert off.selection == []


def test_run_that_never_started_is_retried_whole() -> None:
    plan = plan_retry(original(), target(1, definition("a", "b", disabled="b")))
    assert (plan.selection, plan.tasks[0].status_before) == (["a"], None)


def test_partial_run_is_retried_within_its_choice() -> None:
    before = original({"a", "b"}, a="error", b="success", c="skipped")
    plan = plan_retry(before, target(1, definition("a", "b", "c", disabled="a")))
    assert plan.selection == ["a"]


def test_tasks_that_are_gone_are_shown_and_not_run() -> None:
    plan = plan_retry(original(a="error", gone="error"), target(2, definition("a", "d"), without="d"))
    assert [(m.id, m.status_before) for m in plan.missing] == [("gone", "error")]
    assert [(t.id, t.selected, t.exists) for t in plan.tasks] == [("a", True, True), ("d", False, False)]
    assert [e.field for e in check_plan(plan, ["a", "d", "gone"], is_run=True)] == ["tasks.1", "tasks.2"]


def test_id_changes_with_what_the_plan_is_based_on() -> None:
    base = plan_retry(original(a="error"), target(1, definition("a", "b")))
    assert plan_retry(original(a="error"), target(1, definition("a", "b"))).id == base.id
    others = [
        plan_retry(original(a="cancelled"), target(1, definition("a", "b"))),
        plan_retry(original(a="error"), target(2, definition("a", "b"))),
        plan_retry(original(a="error"), target(1, definition("a", "b")), ["b"]),
        plan_retry(original(a="error"), target(1, definition("a", "b"), without="b")),
        plan_retry(original(a="error"), target(1, definition("a", "b"), pins={"daily": {"a": 6}})),
        plan_retry(original(a="error"), target(1, definition("a", "b"), pins={"nested": {"x": 6}})),
        plan_retry(replace(original(a="error"), id=UUID(int=2)), target(1, definition("a", "b"))),
    ]
    assert base.id not in {other.id for other in others}


def test_id_contains_which_versions_were_requested() -> None:
    """While nothing has changed, both plans would run the same: their ids still differ."""
    now = target(1, definition("a"))
    made = plan_retry(original(a="error"), now)
    old = plan_retry(original(a="error"), replace(now, requested="original"))
    assert (made.tasks, requested_version(made.id), requested_version(old.id)) == (
        old.tasks,
        "current",
        "original",
    )
    assert [requested_version(text) for text in ("", "0" * 32, "origin", "-current")] == [None] * 4


def test_what_was_saved_since_a_plan_is_named() -> None:
    at = datetime(2026, 11, 21, tzinfo=UTC)
    saved = {key: saved_version(*key, at) for key in (("loader", "a"), ("loader", "b"))}
    saved["orchestrator", "daily"] = saved_version("orchestrator", "daily", at - timedelta(days=1))
    before = replace(target(1, definition("a", "b")), saved=saved)
    made = plan_retry(original(a="error"), before)
    assert saved_since(made.id, before) == []
    newer = saved_version("loader", "b", at + timedelta(microseconds=1))
    later = replace(before, saved={**saved, ("loader", "b"): newer})
    assert saved_since(made.id, later) == [newer]
    for text in ("current", "current-x-y", "original-x"):
        assert saved_since(text, later) == []


def test_plan_pins_the_versions_that_it_shows() -> None:
    tasks = definition("a", "b")
    current = plan_retry(original(a="error", b="success"), target(1, tasks))
    assert [task.version for task in current.tasks] == [7, 7]
    assert current.task_versions == {"daily": {"a": 7}}
    pins = {"daily": {"a": 3, "b": 4}, "nested": {"x": 2}}
    old = plan_retry(original(a="error", b="success"), target(1, tasks, pins=pins))
    assert [task.version for task in old.tasks] == [3, 4]
    assert old.task_versions == {"daily": {"a": 3}, "nested": {"x": 2}}
    tasks["phases"][0]["tasks"][0]["parameters"] = {"version": 5}
    assert plan_retry(original(a="error"), target(1, tasks, pins=pins)).tasks[0].version == 5


def test_component_job_has_no_tasks_to_choose() -> None:
    plan = plan_retry(original(), Target(3, {"rows": 1}, {}))
    assert (plan.tasks, plan.version) == ((), 3)
    assert check_plan(plan, ["a"], is_run=False)
    assert not check_something_to_run(plan, is_run=False)
    assert check_something_to_run(plan, is_run=True)


NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)


def test_a_plan_tells_which_versions_are_newer_than_those_that_ran() -> None:
    saved = {("loader", name): saved_version("loader", name, NOON) for name in "abc"}
    saved["orchestrator", "daily"] = saved_version("orchestrator", "daily", NOON, version=9)
    ran = replace(original(a="error", b="error"), version=8, task_versions={"a": 6, "b": 7})
    now = replace(target(9, definition("a", "b", "c")), saved=saved, own=("orchestrator", "daily"))
    plan = plan_retry(ran, now)
    assert [(task.version_before, task.changed) for task in plan.tasks] == [
        (6, saved["loader", "a"]),
        (7, None),
        (None, None),
    ]
    assert (plan.version_before, plan.changed) == (8, saved["orchestrator", "daily"])
    hidden = without_notes(plan)
    assert (hidden.id, hidden.changed, {task.changed for task in hidden.tasks}) == (plan.id, None, {None})
    pinned = replace(now, version=8, pins={"daily": {"a": 6}}, requested="original")
    then = plan_retry(ran, pinned)
    assert (then.changed, then.tasks[0].version, then.tasks[0].changed) == (None, 6, None)


def test_usual_length_of_a_plan_is_that_of_the_longest_task_of_each_phase() -> None:
    first, second = definition("a", "b")["phases"][0], definition("c", "d")["phases"][0]
    both = target(1, {"phases": [first, second]})
    plan = plan_retry(original(a="error", b="error", c="not_executed", d="success"), both)
    usual = {("loader", "a"): 10.0, ("loader", "b"): 30.0, ("loader", "c"): 5.5, ("loader", "d"): 900.0}
    assert usual_seconds(plan, usual) == 35.5
    assert usual_seconds(plan, {("loader", "a"): 10.0}) is None
    nothing = plan_retry(original(a="success", b="success", c="success", d="success"), both)
    assert usual_seconds(nothing, usual) is None
