"""Errors and warnings that are found without running an orchestration."""

from typing import Any

import pytest

from orchestrator_api.orchestrations import findings
from orchestrator_api.orchestrations.findings import (
    Facts,
    TableNames,
    Target,
    check_phases,
    tables_matter,
    written_tables,
)

COMPONENTS = {
    "load": TableNames(writes=["table"]),
    "sql": TableNames(reads=["inputs"], writes=["out.tables"]),
    "send": TableNames(reads=["sources.table", "#secret"]),
    "orchestrator": TableNames(),
}


def task(run: str, **more: Any) -> dict[str, Any]:
    component, _, configuration = run.partition("/")
    return {
        "id": more.pop("id", run),
        "component": component,
        "configuration": configuration,
        "enabled": True,
        "continue_on_failure": False,
        "parameters": {},
        **more,
    }


def phases(*parts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"name": f"P{index}", "tasks": tasks} for index, tasks in enumerate(parts)]


def facts(targets: dict[str, dict[str, Any]] | None = None, **more: Any) -> Facts:
    parameters: dict[str, dict[str, Any]] = {"load/a": {}, "load/b": {}, "sql/c": {}, "send/d": {}}
    parameters |= targets or {}
    known = {
        (run.split("/")[0], run.split("/")[1]): Target(parameters=each) for run, each in parameters.items()
    }
    return Facts(targets=known | more.pop("nested", {}), components=COMPONENTS, **more)


def test_a_valid_orchestration_has_no_findings() -> None:
    found = check_phases(phases([task("load/a"), task("load/b")], [task("sql/c")]), facts())
    assert (found.errors, found.warnings) == ([], [])


def test_deleted_configuration_and_what_follows() -> None:
    parts = phases([task("load/a"), task("load/gone")], [task("sql/c")], [task("send/d")])
    found = check_phases(parts, facts())
    assert found.errors == ["task 'load/gone': the configuration load/gone is deleted"]
    assert found.warnings == ["never reached: 'P1' and 'P2', because 'load/gone' cannot run"]
    parts[0]["tasks"][1]["continue_on_failure"] = True
    assert check_phases(parts, facts()).warnings == []
    parts[0]["tasks"][1]["enabled"] = False
    found = check_phases(parts, facts())
    assert (found.errors, len(found.warnings)) == ([], 1)


def test_component_that_is_gone() -> None:
    assert check_phases(phases([task("ghost/a")]), facts()).errors == [
        "task 'ghost/a': there is no component 'ghost'"
    ]


def test_nested_without_tasks_and_disabled() -> None:
    nested = {
        ("orchestrator", "empty"): Target(),
        ("orchestrator", "off"): Target(enabled=False, tasks=1),
    }
    found = check_phases(phases([task("orchestrator/empty"), task("orchestrator/off")]), facts(nested=nested))
    assert found.errors == [
        "task 'orchestrator/empty': the orchestration 'empty' has no tasks, so it cannot be run"
    ]
    assert found.warnings == [
        "task 'orchestrator/off' runs orchestrator/off, which is disabled: it runs anyway"
    ]


def test_a_version_that_does_not_exist() -> None:
    pinned = [task("load/a", parameters={"version": version}) for version in (1, 2)]
    assert check_phases(phases(pinned[:1]), facts()).errors == []
    assert check_phases(phases(pinned[1:]), facts()).errors == [
        "task 'load/a': there is no version 2 of load/a; the newest is 1"
    ]


def test_cycle_is_an_error() -> None:
    found = check_phases(phases([task("load/a")]), facts(cycle=["a", "b", "a"]))
    assert found.errors == ["orchestrations run each other in a cycle: a → b → a"]


def test_same_configuration_twice_in_a_phase() -> None:
    twice = phases([task("load/a"), task("load/a", id="again")])
    assert check_phases(twice, facts()).warnings == [
        "phase 'P0': 'load/a' and 'again' run the same configuration load/a: they will run one after another"
    ]
    apart = phases([task("load/a")], [task("load/a", id="again")])
    inactive = phases([task("load/a"), task("load/a", id="again", enabled=False)])
    assert [check_phases(each, facts()).warnings for each in (apart, inactive)] == [[], []]


@pytest.mark.parametrize(
    ("targets", "written", "reads"),
    [
        ({"load/a": {"table": "in.c-x.t"}, "sql/c": {"inputs": ["in.c-y.u", "in.c-x.t"]}}, {}, True),
        ({"sql/c": {"inputs": "in.c-x.t"}}, {("load", "a"): frozenset({"in.c-x.t"})}, True),
        ({"load/a": {"table": "in.c-x.other"}, "sql/c": {"inputs": ["in.c-x.t"]}}, {}, False),
        ({"load/a": {"table": "{{ vars.t }}"}, "sql/c": {"inputs": ["{{ vars.t }}"]}}, {}, False),
        ({"sql/c": {"inputs": ["in.c-x.t"], "out": {"tables": ["in.c-x.t"]}}}, {}, False),
    ],
)
def test_reader_beside_a_writer(
    targets: dict[str, Any], written: dict[tuple[str, str], frozenset[str]], reads: bool
) -> None:
    beside = phases([task("load/a"), task("sql/c")])
    expected = (
        "phase 'P0': 'sql/c' reads in.c-x.t, which 'load/a' writes at the same time: move it to a later phase"
    )
    assert check_phases(beside, facts(targets, written=written)).warnings == ([expected] if reads else [])
    apart = phases([task("load/a")], [task("sql/c")])
    assert check_phases(apart, facts(targets, written=written)).warnings == []
    assert check_phases(beside, facts(targets, written=written, with_tables=False)).warnings == []


def test_task_parameters_go_before_those_of_the_configuration() -> None:
    known = facts({"load/a": {"table": "in.c-x.t"}, "send/d": {"sources": [{"table": "in.c-x.t"}]}})
    assert len(check_phases(phases([task("load/a"), task("send/d")]), known).warnings) == 1
    elsewhere = task("load/a", parameters={"parameters": {"table": "in.c-x.u"}})
    assert check_phases(phases([elsewhere, task("send/d")]), known).warnings == []


def test_secrets_are_never_revealed() -> None:
    known = facts({"load/a": {"table": "hunter2"}, "send/d": {"#secret": "hunter2"}})
    assert check_phases(phases([task("load/a"), task("send/d")]), known).warnings == []


def test_inactive_phases() -> None:
    parts = phases([task("load/a", enabled=False)], [task("load/b")])
    assert check_phases(parts, facts()).warnings == [
        "phase 'P0': all of its tasks are inactive, so it is skipped"
    ]
    assert check_phases(parts[:1], facts()).warnings == ["every task is inactive: a run does nothing"]
    assert check_phases([], facts()).warnings == []


def test_only_tasks_beside_others_are_looked_at() -> None:
    parts = phases([task("load/a")], [task("load/b"), task("sql/c"), task("send/d", enabled=False)])
    assert tables_matter(parts) == {("load", "b"), ("sql", "c")}


def test_many_readers_beside_many_writers_are_visited_once_each(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fault 11: 7,000 tasks of one table blocked the api for 7 seconds at each read."""
    looks = [0]

    def counted(each: Any) -> tuple[str, str]:
        looks[0] += 1
        return each["component"], each["configuration"]

    monkeypatch.setattr(findings, "_key", counted)
    both = {"inputs": "t", "out": {"tables": "t"}}
    same = [task("sql/c", id=f"t{i}", parameters={"parameters": both}) for i in range(1000)]
    assert check_phases(phases(same), facts()).warnings[1:] == []
    different = [task(f"sql/c{i}") for i in range(1000)]
    found = check_phases(phases(different), facts({f"sql/c{i}": both for i in range(1000)}))
    assert looks[0] < 30 * 2000
    assert len(found.warnings) == 101
    assert "'sql/c0' reads t, which 'sql/c1', 'sql/c2'" in found.warnings[0]
    assert found.warnings[-1] == "and more of this kind: fix these first"


def test_tasks_that_share_thousands_of_tables_are_not_multiplied_with_them() -> None:
    tables = [f"t{i}" for i in range(10_000)]
    known = facts({"sql/c": {"inputs": tables, "out": {"tables": tables}}, "load/a": {"table": "t1"}})
    shared = phases([task("load/a"), *(task("sql/c", id=f"t{i}") for i in range(1000))])
    (_, warning) = check_phases(shared, known).warnings
    assert "too many tables" in warning
    assert written_tables(shared, known) == set(tables)
