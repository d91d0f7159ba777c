"""What a task asks for: its settings, Task Parameters over them, parameters of the one run over those."""

from typing import Any

import pytest

from orchestrator_shared.definitions.job_request import job_request, wrong_task_parameters
from orchestrator_shared.definitions.loader import load_text
from orchestrator_shared.domain.errors import UserError
from orchestrator_shared.domain.merging import deep_merge


def task(component: str = "load", **fields: Any) -> dict[str, Any]:
    return {"id": "t", "component": component, "configuration": "a", **fields}


def test_the_last_word_is_that_of_the_run() -> None:
    given = task(attempts=2, parameters={"parameters": {"a": {"x": 1, "y": 1}, "b": [1, 2]}, "timeout": "5m"})
    request = job_request(given, {"a": {"y": 2}, "b": [3]})
    assert request.parameters == {"a": {"x": 1, "y": 2}, "b": [3]}
    assert (request.attempts, request.timeout_seconds, request.version) == (2, 300, None)


def test_defaults_and_unknown_keys() -> None:
    request = job_request(task(parameters={"colour": "red", "attempt_delay": "2d"}), {})
    assert (request.timeout_seconds, request.attempts, request.attempt_delay_seconds) == (86_400, 1, 172_800)
    assert request.model_dump()["colour"] == "red"


def test_a_pinned_version_gives_way_to_the_task_parameters() -> None:
    assert job_request(task(), {}, 3).version == 3
    assert job_request(task(parameters={"version": 2}), {}, 3).version == 2


def test_nested_orchestrations_have_no_time_limit() -> None:
    assert job_request(task("orchestrator"), {}).timeout_seconds is None
    stored_before = task("orchestrator", parameters={"timeout": "1m"})
    assert job_request(stored_before, {}).timeout_seconds is None


def test_the_longest_delay_that_may_be_saved_can_be_run() -> None:
    assert job_request(task(attempt_delay_seconds=604_800), {}).attempt_delay_seconds == 604_800


def test_a_request_that_cannot_be_names_task_and_field() -> None:
    with pytest.raises(UserError, match=r"tasks\.t\.parameters: timeout: 'soon' is not a duration"):
        job_request(task(parameters={"timeout": "soon"}), {})


@pytest.mark.parametrize(
    ("component", "parameters", "keys"),
    [
        ("load", {"parameters": {}, "version": 1, "timeout": "1h", "anything": [1]}, []),
        ("load", {"timeout": "soon"}, ["timeout"]),
        ("load", {"version": 0, "attempts": 99}, ["version", "attempts"]),
        ("load", {"version": "1"}, ["version"]),
        ("load", {"version": True, "timeout_seconds": 1e300}, ["version", "timeout_seconds"]),
        ("load", {"parameters": []}, ["parameters"]),
        ("orchestrator", {"parameters": {"load/a": {"x": 1}}}, []),
        ("orchestrator", {"timeout_seconds": 5}, ["timeout_seconds"]),
    ],
)
def test_wrong_task_parameters(component: str, parameters: dict[str, Any], keys: list[str]) -> None:
    found = wrong_task_parameters(component, parameters)
    assert [key for key, _ in found] == keys
    assert not [reason for _, reason in found if "greater than or" in reason or "should" in reason]


def test_bounds_of_durations_have_their_unit() -> None:
    """Issue 8, number 39: "greater than or equal to 60" did not say of what."""
    found = dict(wrong_task_parameters("load", {"timeout": "0s", "attempt_delay": "8d"}))
    assert found["timeout_seconds"] == "must be more than 0 seconds"
    assert found["attempt_delay_seconds"] == "must be at most 7d (604800 seconds)"


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("{run: a/b, parameters: {timeout: soon}}", "parameters.timeout: 'soon' is not a duration"),
        ("{run: orchestrator/b, timeout: 5m}", "timeout: a nested orchestration has no time limit"),
    ],
)
def test_definitions_in_yaml_are_held_to_the_same(line: str, says: str) -> None:
    text = f"orchestration: x\nphases:\n  - name: P\n    tasks:\n      - {line}\n"
    (problem,) = load_text(text).problems
    assert problem.path == "phases[0].tasks[0]"
    assert says in problem.message


def test_lists_are_replaced_and_objects_merged() -> None:
    assert deep_merge({"a": {"b": 1}, "l": [1]}, {"a": {"c": 2}, "l": []}) == {"a": {"b": 1, "c": 2}, "l": []}
