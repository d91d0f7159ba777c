"""Pure decisions: access, waiting, explanations, selections, masks."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from orchestrator_api.access.permissions import STATUS, Actor, Scope, TokenFacts, check_token
from orchestrator_api.catalog.parameters import check_parameters, check_schema
from orchestrator_api.catalog.phases import check_selection, duplicate_ids, make_definition
from orchestrator_api.catalog.secrets import remaining_masks
from orchestrator_api.http.refusals import Forbidden, Unauthenticated
from orchestrator_api.runs.waiting import WaitingFacts, explain_waiting
from orchestrator_shared.domain.errors import NotFound

NOW = datetime(2026, 11, 21, 8, tzinfo=UTC)


def actor(*scopes: Scope, components: tuple[str, ...] = (), project: str | None = "demo") -> Actor:
    return Actor(uuid4(), "api", "test", project, frozenset(scopes), components)


def test_administrator_may_everything() -> None:
    admin = replace(actor(Scope.ADMIN, project=None), kind="person", is_administrator=True)
    admin.require(Scope.ADMIN)
    admin.enter("anything")
    assert admin.may_run("anything")
    for no_admin in (replace(admin, project="demo"), replace(admin, is_administrator=False)):
        with pytest.raises(NotFound):
            no_admin.enter("anything")


def test_admin_scope_alone_is_not_enough() -> None:
    with pytest.raises(Forbidden):
        replace(actor(Scope.RUN), is_administrator=True).require(Scope.ADMIN)
    with pytest.raises(Forbidden):
        actor(Scope.ADMIN, project=None).require(Scope.ADMIN)


@pytest.mark.parametrize(
    ("components", "orchestrator", "other"),
    [((), True, False), (("orchestrator",), True, False), (("other",), False, True), (("*",), True, True)],
)
def test_list_of_components(components: tuple[str, ...], orchestrator: bool, other: bool) -> None:
    bearer = actor(Scope.RUN, components=components)
    assert (bearer.may_run("orchestrator"), bearer.may_run("other")) == (orchestrator, other)


def test_without_the_scope_no_run() -> None:
    with pytest.raises(Forbidden):
        actor(Scope.CONFIGURE, components=("*",)).require_run("orchestrator", "daily")


def test_single_configurations_can_be_started_and_no_more() -> None:
    bearer = actor(Scope.RUN, Scope.CONFIGURE, components=("orchestrator/daily", "x/one"))
    bearer.require_run("orchestrator", "daily")
    bearer.require_run("orchestrator", None)
    for component, configuration in (("orchestrator", "weekly"), ("x", "two"), ("y", "one"), ("y", None)):
        with pytest.raises(Forbidden):
            bearer.require_run(component, configuration)
    with pytest.raises(Forbidden):
        bearer.require_configure("x")


def test_configure_may_read_but_run_and_publish_may_not() -> None:
    actor(Scope.CONFIGURE).require(Scope.READ)
    actor(Scope.RUN).require(*STATUS)
    for scope in (Scope.RUN, Scope.PUBLISH):
        with pytest.raises(Forbidden):
            actor(scope).require(Scope.READ)


@pytest.mark.parametrize(
    ("scopes", "components", "orchestrator", "other"),
    [
        ((Scope.RUN,), ("*",), False, False),
        ((Scope.CONFIGURE,), (), False, False),
        ((Scope.CONFIGURE,), ("other",), False, True),
        ((Scope.CONFIGURE,), ("*",), True, True),
        ((Scope.CONFIGURE, Scope.RUN), (), True, False),
    ],
)
def test_configuring_needs_the_scope_and_the_component(
    scopes: tuple[Scope, ...], components: tuple[str, ...], orchestrator: bool, other: bool
) -> None:
    bearer = actor(*scopes, components=components)
    for component, may in (("orchestrator", orchestrator), ("other", other)):
        if may:
            bearer.require_configure(component)
        else:
            with pytest.raises(Forbidden):
                bearer.require_configure(component)


def test_token_expires_at_its_instant() -> None:
    check_token(TokenFacts(NOW + timedelta(seconds=1), None), NOW)
    for facts in (None, TokenFacts(NOW, None), TokenFacts(None, NOW - timedelta(days=1))):
        with pytest.raises(Unauthenticated):
            check_token(facts, NOW)


WAITING = WaitingFacts(
    is_delayed=False,
    due_at=NOW,
    kind="component",
    holder_id=None,
    holder_number=None,
    holder_status=None,
    ahead=0,
    parallel_limit=None,
    underway=0,
    runner_is_connected=True,
)


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        (WAITING, "no_free_slot"),
        (replace(WAITING, runner_is_connected=False), "no_runner"),
        (replace(WAITING, parallel_limit=2, underway=2), "project_limit"),
        (replace(WAITING, parallel_limit=2, underway=1), "no_free_slot"),
        (replace(WAITING, parallel_limit=1, underway=1, kind="run"), "no_free_slot"),
        (replace(WAITING, holder_id=uuid4(), holder_number=3, ahead=2), "configuration_busy"),
        (replace(WAITING, is_delayed=True, holder_id=uuid4()), "next_attempt_delayed"),
    ],
)
def test_reason_of_waiting(facts: WaitingFacts, reason: str) -> None:
    waiting = explain_waiting(facts)
    assert (waiting.reason, waiting.place) == (reason, facts.ahead + 1)


TASK = {"component": "x", "configuration": "one"}


def test_stored_form_has_every_default_and_no_empty_phase() -> None:
    nested = {"component": "orchestrator", "configuration": "other"}
    stored = make_definition([{"tasks": []}, {"tasks": [TASK, nested]}]).to_json()
    assert [phase["name"] for phase in stored["phases"]] == ["Phase 1"]
    first, second = stored["phases"][0]["tasks"]
    assert (first["id"], first["timeout_seconds"], first["enabled"]) == ("x/one", 86400, True)
    assert second["timeout_seconds"] is None
    assert make_definition(stored["phases"]).to_json() == stored


def test_selection_is_checked() -> None:
    definition = make_definition([{"tasks": [TASK]}]).to_json()
    assert check_selection(definition, None) == []
    assert check_selection(definition, ["x/one"]) == []
    assert [error.field for error in check_selection(definition, ["x/one", "ghost"])] == ["tasks.1"]
    assert "has no tasks" in check_selection({"phases": []}, None)[0].detail


def test_duplicate_ids_are_reported_at_both_places() -> None:
    errors = duplicate_ids([{"tasks": [TASK]}, {"tasks": [{**TASK, "id": "b"}, TASK]}])
    assert [error.field for error in errors] == ["phases.0.tasks.0.id", "phases.1.tasks.1.id"]


def test_remaining_masks_are_found() -> None:
    value = {"#a": "***", "b": [{"#c": "***", "d": "***"}], "#e": "x"}
    errors = remaining_masks(value, "parameters")
    assert [error.field for error in errors] == ["parameters.#a", "parameters.b.0.#c"]
    assert "none is stored" in errors[0].detail
    assert "the handle that is shown" in errors[1].detail


def test_parameters_never_repeat_a_value() -> None:
    schema = {
        "type": "object",
        "required": ["#key", "rows"],
        "properties": {"#key": {"type": "integer"}, "rows": {"enum": [1, 2]}},
    }
    errors = check_parameters({"#key": "hunter2"}, schema)
    assert {error.field for error in errors} == {"parameters", "parameters.#key"}
    assert "hunter2" not in str(errors)
    assert any("'rows'" in error.detail for error in errors)
    assert check_schema(schema) == []
    assert check_schema({"type": 1})[0].field == "parameters.type"
