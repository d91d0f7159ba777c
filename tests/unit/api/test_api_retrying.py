"""What a retry would run, and when its plan is another one."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from orchestrator_api.domain.retrying import Original, check_plan, check_something_to_run, plan_retry

ALL = {("loader", name) for name in "abcd"}


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
    plan = plan_retry(original(a=before), 1, definition("a"), ALL)
    assert plan.tasks[0].selected is selected
    off = plan_retry(original(a=before), 1, definition("a", disabled="a"), ALL)
    assert off.selection == []


def test_run_that_never_started_is_retried_whole() -> None:
    plan = plan_retry(original(), 1, definition("a", "b", disabled="b"), ALL)
    assert (plan.selection, plan.tasks[0].status_before) == (["a"], None)


def test_partial_run_is_retried_within_its_choice() -> None:
    before = original({"a", "b"}, a="error", b="success", c="skipped")
    plan = plan_retry(before, 1, definition("a", "b", "c", disabled="a"), ALL)
    assert plan.selection == ["a"]


def test_tasks_that_are_gone_are_shown_and_not_run() -> None:
    plan = plan_retry(original(a="error", gone="error"), 2, definition("a", "d"), ALL - {("loader", "d")})
    assert [(m.id, m.status_before) for m in plan.missing] == [("gone", "error")]
    assert [(t.id, t.selected, t.exists) for t in plan.tasks] == [("a", True, True), ("d", False, False)]
    assert [e.field for e in check_plan(plan, ["a", "d", "gone"], is_run=True)] == ["tasks.1", "tasks.2"]


def test_id_changes_with_what_the_plan_rests_on() -> None:
    base = plan_retry(original(a="error"), 1, definition("a", "b"), ALL)
    assert plan_retry(original(a="error"), 1, definition("a", "b"), ALL).id == base.id
    others = [
        plan_retry(original(a="cancelled"), 1, definition("a", "b"), ALL),
        plan_retry(original(a="error"), 2, definition("a", "b"), ALL),
        plan_retry(original(a="error"), 1, definition("a", "b"), ALL, ["b"]),
        plan_retry(original(a="error"), 1, definition("a", "b"), ALL - {("loader", "b")}),
        plan_retry(replace(original(a="error"), id=UUID(int=2)), 1, definition("a", "b"), ALL),
    ]
    assert base.id not in {other.id for other in others}


def test_component_job_has_no_tasks_to_choose() -> None:
    plan = plan_retry(original(), 3, {"rows": 1}, set())
    assert (plan.tasks, plan.version) == ((), 3)
    assert check_plan(plan, ["a"], is_run=False)
    assert not check_something_to_run(plan, is_run=False)
    assert check_something_to_run(plan, is_run=True)
