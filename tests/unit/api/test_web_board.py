"""The board of tasks: what its forms ask for, and what is spoken afterwards."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import TypeAdapter

from orchestrator_api.catalog.rows import Component
from orchestrator_api.drafts.board import Board, CardPhase, CardTask
from orchestrator_api.drafts.changes import Change
from orchestrator_api.drafts.checks import Check
from orchestrator_api.http.refusals import Invalid
from orchestrator_api.web.pages import Fields
from orchestrator_api.web.tasks.asked import operations
from orchestrator_api.web.tasks.board import changed, drawn_on, flags_of, judged, prints, shown_name
from orchestrator_api.web.tasks.choices import Choice, grouped
from orchestrator_api.web.tasks.said import gone, said
from orchestrator_api.web.tasks.settings import settings_of, values_of
from orchestrator_shared.definitions.arranging import arrange
from orchestrator_shared.definitions.operations import Operation
from orchestrator_shared.definitions.orchestration import DraftDefinition
from orchestrator_shared.domain.errors import UserError
from orchestrator_shared.domain.statuses import ComponentType

OPERATION: TypeAdapter[Operation] = TypeAdapter(Operation)
TYPES = {
    "extract": ComponentType.EXTRACTOR,
    "sql": ComponentType.TRANSFORMATION,
    "mail": ComponentType.WRITER,
}


def board(**phases: str) -> DraftDefinition:
    """Phases with tasks such as `extract/one`."""
    made = [
        {
            "name": name,
            "tasks": [
                {
                    "component": each.split("/")[0],
                    "configuration": each.split("/")[1],
                    "name": each.split("/")[1].title(),
                }
                for each in tasks.split()
            ],
        }
        for name, tasks in phases.items()
    ]
    return DraftDefinition.model_validate({"phases": made})


BEFORE = board(
    Extract="extract/campaigns extract/index", Transform="sql/performance sql/recipient", Write="mail/new"
)


def after(given: dict[str, str], before: DraftDefinition = BEFORE) -> tuple[dict[str, list[str]], str, str]:
    """The phases after what a form asks for, what is spoken, and where the focus goes."""
    asked = operations(Fields(given), before.phases)
    changed = arrange(before, [OPERATION.validate_python(each) for each in asked], TYPES)
    text, focus = said(asked, before.phases, changed.phases)
    return {each.name: [task.id for task in each.tasks] for each in changed.phases}, text, focus


@pytest.mark.parametrize(
    ("given", "phase", "tasks", "text", "focus"),
    [
        (
            {"down": "sql/recipient"},
            "Write",
            ["mail/new", "sql/recipient"],
            "Recipient moved to phase 3, Write, 2 of 2.",
            "grip-sql/recipient",
        ),
        (
            {"up": "sql/recipient"},
            "Extract",
            ["extract/campaigns", "extract/index", "sql/recipient"],
            "Recipient moved to phase 1, Extract, 3 of 3.",
            "grip-sql/recipient",
        ),
        (
            {"new_down": "sql/recipient"},
            "Recipient",
            ["sql/recipient"],
            "Recipient moved to phase 3, Recipient, 1 of 1.",
            "grip-sql/recipient",
        ),
        (
            {"new_up": "sql/recipient"},
            "Recipient",
            ["sql/recipient"],
            "Recipient moved to phase 2, Recipient, 1 of 1.",
            "grip-sql/recipient",
        ),
        (
            {"move": "mail/new", "to": "0", "at": "1"},
            "Extract",
            ["extract/campaigns", "mail/new", "extract/index"],
            "New moved to phase 1, Extract, 2 of 3.",
            "grip-mail/new",
        ),
        (
            {"move": "sql/recipient", "to": "new"},
            "Recipient",
            ["sql/recipient"],
            "Recipient moved to phase 4, Recipient, 1 of 1.",
            "grip-sql/recipient",
        ),
        (
            {"move": "sql/recipient", "to": "0", "name": " Later "},
            "Later",
            ["sql/recipient"],
            "Recipient moved to phase 4, Later, 1 of 1.",
            "grip-sql/recipient",
        ),
        (
            {"remove": "sql/performance"},
            "Transform",
            ["sql/recipient"],
            "Performance removed.",
            "grip-sql/recipient",
        ),
        (
            {"duplicate": "mail/new"},
            "Write",
            ["mail/new", "mail/new-2"],
            "New (copy) duplicated, phase 3, Write, 2 of 2.",
            "grip-mail/new-2",
        ),
        ({"deactivate": "mail/new"}, "Write", ["mail/new"], "New is inactive.", ""),
        ({"rename": "2", "name": "Publish"}, "Publish", ["mail/new"], "Phase 3 is called Publish.", ""),
        (
            {"merge_next": "0"},
            "Extract",
            ["extract/campaigns", "extract/index", "sql/performance", "sql/recipient"],
            "Phases merged into Extract: 4 tasks.",
            "grip-p0",
        ),
        (
            {"merge_ticked": "", "phase:0": "on", "phase:2": "on", "name": "Both"},
            "Both",
            ["extract/campaigns", "extract/index", "mail/new"],
            "Phases merged into Both: 3 tasks.",
            "grip-p0",
        ),
        (
            {"move_ticked": "", "task:extract/index": "on", "task:mail/new": "on", "to": "1"},
            "Transform",
            ["sql/performance", "sql/recipient", "extract/index", "mail/new"],
            "2 tasks moved to phase 2, Transform.",
            "",
        ),
        (
            {"add_phase": ""},
            "New phase",
            [],
            "New phase added, empty. Empty phases are not saved.",
            "grip-p3",
        ),
        ({"group": "type"}, "Writers", ["mail/new"], "Tasks grouped by component type, in 3 phases.", ""),
        ({"group": "task"}, "New", ["mail/new"], "One task per phase: 5 phases.", ""),
    ],
)
def test_what_a_form_asks_for_and_what_is_spoken(
    given: dict[str, str], phase: str, tasks: list[str], text: str, focus: str
) -> None:
    phases, spoken, focused = after(given)
    assert phases[phase] == tasks
    assert (spoken, focused) == (text, focus)


def test_a_task_that_is_removed_is_said_by_the_name_of_its_configuration() -> None:
    before = DraftDefinition.model_validate(
        {"phases": [{"name": "Load", "tasks": [{"component": "sql", "configuration": "one"}]}]}
    )
    asked = operations(Fields({"remove": "sql/one"}), before.phases)
    (task,) = gone(asked, before.phases)
    assert (task.component, task.configuration) == ("sql", "one")
    names = {("sql", "one"): "Agency report"}
    assert said(asked, before.phases, (), names) == ("Agency report removed.", "add")
    assert said(asked, before.phases, ()) == ("one removed.", "add")
    assert gone(operations(Fields({"add_phase": ""}), before.phases), before.phases) == []


@pytest.mark.parametrize(
    ("given", "order", "text", "focus"),
    [
        ({"phase_up": "2"}, ["Extract", "Write", "Transform"], "Phase Write moved, 2 of 3.", "grip-p1"),
        ({"phase_down": "0"}, ["Transform", "Extract", "Write"], "Phase Extract moved, 2 of 3.", "grip-p1"),
        (
            {"move_phase": "0", "to": "2"},
            ["Transform", "Write", "Extract"],
            "Phase Extract moved, 3 of 3.",
            "grip-p2",
        ),
        ({"remove_phase": "1"}, ["Extract", "Write"], "Phase Transform removed, with 2 tasks.", "grip-p1"),
        (
            {"phase_up": "0"},
            ["Extract", "Transform", "Write"],
            "Nothing to move it to: the board ends here.",
            "",
        ),
    ],
)
def test_phases_move_and_go(given: dict[str, str], order: list[str], text: str, focus: str) -> None:
    phases, spoken, focused = after(given)
    assert (list(phases), spoken, focused) == (order, text, focus)


@pytest.mark.parametrize("step", ["up", "new_up", "new_down"])
def test_a_step_past_the_end_asks_for_nothing(step: str) -> None:
    alone = board(Only="mail/new")
    assert operations(Fields({step: "mail/new"}), alone.phases) == []


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"up": "mail/gone"}, "task"),
        ({"move": "mail/new", "to": "none"}, "to"),
        ({"move_ticked": "", "to": "1"}, "tasks"),
        ({"merge_ticked": "", "phase:0": "on"}, "phases"),
        ({"unknown": ""}, "operation"),
    ],
)
def test_what_cannot_be_read_names_its_field(given: dict[str, str], field: str) -> None:
    with pytest.raises(UserError) as caught:
        operations(Fields(given), BEFORE.phases)
    assert caught.value.field == field


def card(**more: Any) -> CardTask:
    """A task of the board."""
    usual: dict[str, Any] = {
        "id": "sql/one",
        "component": "sql",
        "configuration": "one",
        "name": "One",
        "enabled": True,
        "continue_on_failure": False,
        "timeout_seconds": 86_400,
        "attempts": 1,
        "attempt_delay_seconds": 0,
        "attempt_backoff": 1.0,
        "retry_on": "any",
        "parameters": {},
        "type": ComponentType.TRANSFORMATION,
        "usual_seconds": None,
        "was_in": None,
    }
    return CardTask(**{**usual, **more})


def test_flags_say_only_what_is_unusual() -> None:
    assert flags_of(card()) == []
    changed = card(attempts=3, continue_on_failure=True, timeout_seconds=1800, enabled=False)
    assert flags_of(changed) == ["may fail", "3 tries", "timeout 30 min", "inactive"]


def test_a_task_without_a_name_of_its_own_is_called_like_what_it_runs() -> None:
    unnamed = {"name": "sql/one", "configuration_name": "Agency report"}
    names = [shown_name(card(**more)) for more in ({}, {"name": "sql/one"}, unnamed)]
    assert names == ["One", "one", "Agency report"]
    assert shown_name(card(id="sql/one-2", name="sql/one-2", configuration_name="Report")) == "Report"
    assert values_of(card(**unnamed))["name"] == ""
    (operation,) = settings_of(values_of(card(**unnamed)))
    assert operation["values"]["name"] == "sql/one"


def test_settings_come_back_as_they_were_shown() -> None:
    task = card(timeout_seconds=90, attempts=2, parameters={"parameters": {"rows": 1}}, enabled=False)
    (operation,) = settings_of(values_of(task))
    assert operation["tasks"] == ["sql/one"]
    assert operation["values"] == {
        "name": "One",
        "enabled": False,
        "continue_on_failure": False,
        "attempts": 2,
        "timeout_seconds": 90,
        "parameters": {"parameters": {"rows": 1}},
    }


@pytest.mark.parametrize(
    ("given", "field", "detail"),
    [
        ({"attempts": "two"}, "attempts", "must be a whole number from 1 to 20"),
        ({"timeout": "long"}, "timeout", "must be a number of minutes, such as 30"),
        ({"timeout": "1e999"}, "timeout", "must be a number of minutes, such as 30"),
        ({"timeout": "nan"}, "timeout", "must be a number of minutes, such as 30"),
        ({"parameters": '{\n"a": }'}, "parameters", "line 2, column 6: expecting value"),
        ({"parameters": "[]"}, "parameters", 'must be an object, such as {"parameters": {…}}'),
    ],
)
def test_what_cannot_be_read_is_said_at_its_field(given: dict[str, str], field: str, detail: str) -> None:
    with pytest.raises(Invalid) as caught:
        settings_of(Fields({**values_of(card()), **given}))
    assert [(each.field, each.detail) for each in caught.value.errors] == [(field, detail)]


def shown(*phases: CardPhase, **more: Any) -> Board:
    """A board with these phases."""
    usual: dict[str, Any] = {
        "orchestration": "campaigns",
        "name": "campaigns",
        "etag": "",
        "is_open": True,
        "base_version": 9,
        "version": 9,
        "phases": phases,
        "usual_seconds": None,
        "changes": (Change("moved", "One moved", task="sql/one", was_in="Later"),),
        "checks": (),
        "undo": None,
        "redo": None,
        "conflict": None,
        "opened_at": None,
        "updated_at": None,
    }
    return Board(**{**usual, **more})


def test_only_phases_that_look_different_are_drawn_again() -> None:
    one, two = (CardPhase(name, None, [card(id=name, name=name)]) for name in ("one", "two"))
    board = shown(one, two)
    before = prints(board, judged(board))
    assert changed(before, prints(board, judged(board))) == []
    warned = shown(one, two, checks=(Check("c", "warning", "unordered", "Reads t.", "two", 1),))
    assert changed(before, prints(warned, judged(warned))) == [1]
    assert changed(before, prints(shown(one), judged(shown(one)))) is None
    assert changed([], []) is None


def test_checks_stand_at_their_cards_until_they_are_kept() -> None:
    about = Check("a", "warning", "unordered", "Reads t.", "sql/one", 0)
    error = Check("b", "error", "missing", "It is gone.", "sql/two", 0)
    kept = Check("c", "warning", "twice", "Runs twice.", "sql/one", 0, kept=True)
    found = judged(shown(checks=(about, error, kept)))
    assert (found.tone("sql/one"), found.tone("sql/two"), found.tone("sql/three")) == ("warning", "error", "")
    assert (found.by_task["sql/one"], found.kept) == ([about], [kept])


@pytest.mark.parametrize(
    ("touched", "said_of"),
    [
        (datetime(2026, 11, 30, 6, 50, tzinfo=UTC), ""),
        (datetime(2026, 11, 30, 4, 0, tzinfo=UTC), "05:00"),
        (datetime(2026, 11, 29, 22, 30, tzinfo=UTC), "yesterday"),
        (datetime(2026, 11, 26, 15, 20, tzinfo=UTC), "Thu 26 Nov 16:20"),
    ],
)
def test_an_old_draft_says_when_it_was_touched(touched: datetime, said_of: str) -> None:
    now = datetime(2026, 11, 30, 7, 14, tzinfo=UTC)
    assert drawn_on(shown(updated_at=touched), now, ZoneInfo("Europe/Prague")) == said_of
    assert drawn_on(shown(updated_at=touched, changes=()), now, ZoneInfo("Europe/Prague")) == ""


def test_choices_are_grouped_by_the_types_of_their_components() -> None:
    def component(name: str, kind: str) -> Component:
        return Component(name, name.title(), kind, "process", "fail", {}, datetime.now(UTC))

    keys = [("mail", "a"), ("orchestrator", "b"), ("sql", "c"), ("gone", "d"), ("adform", "e"), ("sql", "f")]
    known = [
        component("adform", "extractor"),
        component("mail", "writer"),
        component("sql", "transformation"),
    ]
    groups = grouped([Choice(*key, name="", in_use=0) for key in keys], known)
    assert [(each.name, each.type, len(each.choices)) for each in groups] == [
        ("Adform", "extractor", 1),
        ("Sql", "transformation", 2),
        ("gone", "application", 1),
        ("Mail", "writer", 1),
        ("Orchestrations", "orchestrator", 1),
    ]
