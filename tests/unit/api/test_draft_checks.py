"""What a draft is warned of, and that each remedy helps."""

from typing import Any

import pytest
from pydantic import TypeAdapter

from orchestrator_api.drafts.checks import Check, find
from orchestrator_api.orchestrations.findings import Facts, TableNames, Target, find_all
from orchestrator_shared.definitions.arranging import arrange
from orchestrator_shared.definitions.operations import Operation
from orchestrator_shared.definitions.orchestration import DraftDefinition
from orchestrator_shared.domain.statuses import ComponentType

TYPES = {
    "load": ComponentType.EXTRACTOR,
    "sql": ComponentType.TRANSFORMATION,
    "app": ComponentType.APPLICATION,
    "send": ComponentType.WRITER,
}
TABLES = {
    **dict.fromkeys(TYPES, TableNames()),
    "orchestrator": TableNames(),
    "sql": TableNames(reads=["source"], writes=["target"]),
}
PARAMETERS = {
    ("sql", "sales"): {"source": "in.orders", "target": "out.sales"},
    ("sql", "report"): {"source": "out.sales", "target": "out.report"},
}


def task(run: str, name: str | None = None, **settings: Any) -> dict[str, Any]:
    component, configuration = run.split("/")
    identifier = settings.pop("id", run)
    return {
        "id": identifier,
        "name": name or identifier,
        "component": component,
        "configuration": configuration,
        **settings,
    }


def board(*phases: list[dict[str, Any]]) -> DraftDefinition:
    return DraftDefinition.model_validate(
        {"phases": [{"name": f"P{number}", "tasks": tasks} for number, tasks in enumerate(phases)]}
    )


def checks(of: DraftDefinition, *kept: str, gone: tuple[str, ...] = (), **facts: Any) -> list[Check]:
    targets = {
        (each.component, each.configuration): Target(
            parameters=PARAMETERS.get((each.component, each.configuration), {}), tasks=1
        )
        for each in of.tasks()
        if each.id not in gone
    }
    phases = of.to_json()["phases"]
    return find(phases, find_all(phases, Facts(targets, TABLES, **facts)), TYPES, kept)


def remedied(of: DraftDefinition, check: Check) -> DraftDefinition:
    assert check.remedy is not None
    operations = TypeAdapter(list[Operation]).validate_python(check.remedy.operations)
    return arrange(of, operations, TYPES)


SALES, REPORT = task("sql/sales", "Sales"), task("sql/report", "Report")
SEND, LOAD, APP = task("send/mail", "Mail"), task("load/orders", "Orders"), task("app/score", "Score")


@pytest.mark.parametrize(
    ("of", "card", "text"),
    [
        (
            board([SALES, REPORT]),
            ("sql/report", 0),
            "Reads out.sales, which Sales writes in this same phase. Their order is not guaranteed.",
        ),
        (
            board([LOAD], [SALES, SEND]),
            ("send/mail", 1),
            "This is a writer, and Sales (transformation) writes in this same phase what it may need. "
            "Their order is not guaranteed.",
        ),
        (
            board([LOAD, SALES]),
            ("sql/sales", 0),
            "This is a transformation, and Orders (extractor) writes in this same phase what it may need. "
            "Their order is not guaranteed.",
        ),
        (
            board([LOAD, task("load/orders", id="again")]),
            ("again", 0),
            "Runs the same configuration as Orders in this same phase. One waits for the other.",
        ),
        (
            board([LOAD, task("load/orders", id="again", parameters={"version": 1})]),
            ("again", 0),
            "Runs the same configuration as Orders in this same phase. One waits for the other.",
        ),
        (
            board([LOAD], [task("load/orders", id="again")]),
            ("again", 1),
            "Runs the same configuration as Orders in P0: it runs twice.",
        ),
        (board([LOAD], []), (None, 1), "This phase is empty. Empty phases are not saved."),
        (
            board([LOAD], [{**SEND, "enabled": False}]),
            (None, 1),
            "All tasks of this phase are inactive, so it is skipped.",
        ),
        (board([{**LOAD, "enabled": False}]), (None, None), "Every task is inactive: a run does nothing."),
    ],
)
def test_a_warning_is_on_its_card_and_its_remedy_helps(
    of: DraftDefinition, card: tuple[str | None, int | None], text: str
) -> None:
    (check,) = checks(of)
    assert (check.level, (check.task, check.phase), check.text) == ("warning", card, text)
    after = remedied(of, check)
    assert checks(after) == []
    assert {each.id for each in after.tasks()} <= {each.id for each in of.tasks()}


def test_the_remedy_of_an_order_is_a_phase_of_its_own_after_it() -> None:
    of = board([LOAD], [SALES, SEND], [APP])
    (check,) = checks(of)
    after = remedied(of, check)
    assert [(phase.name, [each.name for each in phase.tasks]) for phase in after.phases] == [
        ("P0", ["Orders"]),
        ("P1", ["Sales"]),
        ("Writers", ["Mail"]),
        ("P2", ["Score"]),
    ]


@pytest.mark.parametrize(
    "of",
    [
        board([LOAD], [SALES], [SEND]),
        board([LOAD, task("load/other")], [APP, SEND]),
        board([SALES, {**SEND, "enabled": False}]),
        board([{**LOAD, "enabled": False}, SALES]),
        board([LOAD], [task("load/orders", id="again", parameters={"version": 1})]),
    ],
)
def test_what_is_in_order_is_not_warned_of(of: DraftDefinition) -> None:
    assert checks(of) == []


def test_errors_are_what_a_save_would_refuse() -> None:
    nested = task("orchestrator/weekly", "Weekly")
    found = checks(board([nested, LOAD]), gone=("load/orders",), cycle=["daily", "weekly", "daily"])
    assert [(each.level, each.kind, each.task) for each in found] == [
        ("error", "cycle", "orchestrator/weekly"),
        ("error", "missing", "load/orders"),
    ]
    assert "daily → weekly → daily" in found[0].text
    assert found[1].text == "The configuration load/orders is deleted. Restore it, or remove the task."
    for each in found:
        assert each.task not in {one.id for one in remedied(board([nested, LOAD]), each).tasks()}


def test_a_kept_warning_stays_kept_wherever_its_card_moves() -> None:
    of = board([LOAD], [SALES, SEND])
    (check,) = checks(of)
    (kept,) = checks(of, check.id)
    assert kept.kept
    (moved,) = checks(board([SALES, SEND], [LOAD]), check.id)
    assert (moved.kept, moved.phase) == (True, 0)
    missing = checks(board([LOAD]), gone=("load/orders",))
    assert not checks(board([LOAD]), missing[0].id, gone=("load/orders",))[0].kept, "an error is not kept"
