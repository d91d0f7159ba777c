"""Parameters against a component's schema: placeholders, and which errors are reported."""

import tracemalloc
from typing import Any

import pytest

from orchestrator_api.catalog.parameters import check_override, check_parameters, check_schema
from orchestrator_api.http.step_budget import MAX_STEPS, StepBudget

SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["table"],
    "properties": {
        "table": {"type": "string", "pattern": "^in\\."},
        "rows": {"type": "integer", "minimum": 1},
        "mode": {"enum": ["full", "delta"]},
        "since": {"anyOf": [{"type": "integer"}, {"type": "string", "maxLength": 10}]},
        "db": {"type": "object", "required": ["host"], "properties": {"host": {"type": "string"}}},
        "#password": {"type": "string", "minLength": 8},
        "columns": {"type": "array", "items": {"type": "string"}},
    },
    "additionalProperties": False,
}
FINE = {"table": "in.c-a.b", "rows": 5}


def fields(merged: dict[str, Any], before: dict[str, Any], brought: dict[str, Any]) -> list[str]:
    return [error.field for error in check_override(merged, before, brought, SCHEMA, "parameters.load")]


@pytest.mark.parametrize("name", ["table", "mode", "since", "#password"])
def test_a_placeholder_stands_for_any_text(name: str) -> None:
    assert check_parameters({**FINE, name: "{{ vars.one_that_is_not_known_yet }}"}, SCHEMA) == []


def test_a_placeholder_is_a_text_and_nothing_else() -> None:
    (error,) = check_parameters({**FINE, "rows": "{{ vars.rows }}"}, SCHEMA)
    assert error.field == "parameters.rows"
    assert "replaced by text" in error.detail
    assert "integer" in error.detail


def test_what_only_looks_like_a_placeholder_is_checked() -> None:
    assert [error.field for error in check_parameters({**FINE, "mode": "{{ vars }"}, SCHEMA)] == [
        "parameters.mode"
    ]


def test_branches_that_a_placeholder_decides_may_all_fit() -> None:
    branches = [{"properties": {"kind": {"const": kind}}, "required": ["kind"]} for kind in ("a", "b")]
    assert check_parameters({"kind": "{{ vars.kind }}"}, {"oneOf": branches}) == []
    assert check_parameters({"kind": "c"}, {"oneOf": branches}) != []


def test_each_missing_item_is_reported_once() -> None:
    schema = {"required": ["a", "b"]}
    assert [error.detail for error in check_parameters({}, schema)] == ["missing 'a', 'b'"]


def test_errors_in_overrides_are_reported_with_their_path() -> None:
    assert fields({**FINE, "rows": "x"}, FINE, {"rows": "x"}) == ["parameters.load.rows"]
    assert fields({**FINE, "color": 1}, FINE, {"color": 1}) == ["parameters.load"]
    assert fields({**FINE, "db": {"port": 1}}, FINE, {"db": {"port": 1}}) == ["parameters.load.db"]
    assert fields({**FINE, "columns": ["a", 1]}, FINE, {"columns": ["a", 1]}) == ["parameters.load.columns.1"]


def test_errors_that_existed_before_are_not_reported() -> None:
    broken = {"rows": "x", "color": 1, "db": {}}
    assert fields({**broken, "mode": "full"}, broken, {"mode": "full"}) == []
    assert fields({**broken, "db": {"port": 1}}, broken, {"db": {"port": 1}}) == []
    assert fields({**broken, "mode": "other"}, broken, {"mode": "other"}) == ["parameters.load.mode"]
    assert fields({**broken, "size": 1}, broken, {"size": 1}) == ["parameters.load"]


def test_an_overriding_value_is_checked_even_where_it_was_invalid_before() -> None:
    before = {**FINE, "rows": "x"}
    assert fields(before, before, {"rows": "x"}) == ["parameters.load.rows"]
    assert fields({**FINE, "rows": "y"}, before, {"rows": "y"}) == ["parameters.load.rows"]


def test_an_override_may_add_what_the_configuration_lacks() -> None:
    assert fields(FINE, {"rows": 5}, {"table": "in.c-a.b"}) == []


@pytest.mark.parametrize(
    "schema", [{"$ref": "#"}, {"$ref": "#/$defs/none"}, {"$ref": "https://example.com/x"}]
)
def test_an_unresolvable_schema_is_reported_as_the_components_fault(schema: dict[str, Any]) -> None:
    (error,) = check_parameters({"a": 1}, schema)
    assert "$ref" in error.detail
    assert check_override({"a": 1}, {}, {"a": 1}, schema, "parameters") == []


def test_patterns_of_schemas_do_not_backtrack() -> None:
    """Number 14: one request with such a text blocked the api for ever."""
    hostile, text = "^(a+)+$", "a" * 100_000 + "!"
    schema = {
        "properties": {"name": {"pattern": hostile}},
        "patternProperties": {hostile: {"type": "integer"}},
        "additionalProperties": {"type": "string"},
    }
    found = check_parameters({"name": text, text: 1, "aaa": "x"}, schema)
    assert [error.field for error in found] == [
        "parameters.name",
        "parameters.aaa",
        f"parameters.{text}",
    ]


def test_patterns_judge_as_before() -> None:
    schema = {"patternProperties": {"^x": {"type": "integer"}}, "additionalProperties": False}
    assert check_parameters({"x1": 1}, schema) == []
    assert [error.field for error in check_parameters({"x1": "a"}, schema)] == ["parameters.x1"]
    (error,) = check_parameters({"y": 1, "z": 2}, schema)
    assert "'y', 'z' were unexpected" in error.detail


@pytest.mark.parametrize("pattern", ["(?=a)b", r"(a)\1", "(?<!a)b", "(", "a{100000}{100000}"])
def test_a_pattern_that_cannot_be_matched_in_linear_time_is_refused(pattern: str) -> None:
    of_value: dict[str, Any] = {"properties": {"x": {"pattern": pattern}}}
    of_name: dict[str, Any] = {"patternProperties": {pattern: {}}}
    for schema in (of_value, of_name):
        (error,) = check_schema(schema)
        assert "unsupported pattern" in error.detail
        assert "look-around and back-references" in error.detail
    assert check_parameters({"x": "a"}, of_value) == []


def test_a_rule_that_would_match_patterns_by_itself_is_refused_beside_them() -> None:
    schema: dict[str, Any] = {
        "allOf": [{"patternProperties": {"^(a+)+$": {}}}],
        "unevaluatedProperties": False,
    }
    (error,) = check_schema(schema)
    assert "use additionalProperties" in error.detail
    assert check_parameters({"a" * 40 + "!": 1}, schema) == []


DIALECTS = ["https://json-schema.org/draft/2020-12/schema", "http://json-schema.org/draft-07/schema#"]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_schema_that_names_its_dialect_is_gone_by_as_any_other(dialect: str) -> None:
    """Behind a $ref, the library used its own rules, which backtrack and know no placeholders."""
    schema = {
        "$schema": dialect,
        "properties": {"inner": {"$ref": "#"}, "name": {"pattern": "^(a+)+$"}},
    }
    assert check_parameters({"inner": {"name": "{{ vars.name }}"}}, schema) == []
    (error,) = check_parameters({"inner": {"name": "a" * 100_000 + "!"}}, schema)
    assert error.field == "parameters.inner.name"


@pytest.mark.parametrize(
    ("items", "is_unique"),
    [
        ([{"a": i, "b": [i]} for i in range(20_000)], True),
        ([[i, i + 0.5] for i in range(20_000)], True),
        ([k * (2**61 - 1) for k in range(20_000)], True),  # one hash for all of them
        ([{"a": 1, "b": 2}, {"b": 2, "a": 1.0}], False),
        ([[1], [True]], True),
        ([0, False, None, "0", [], {}], True),
        ([1, 1.0], False),
        ([{"a": [{}]}, {"a": [{}]}], False),
        ([0.0, -0.0], False),
    ],
)
def test_items_are_found_twice_in_one_pass(items: list[Any], is_unique: bool) -> None:
    """Fault 11: two lists of 20,000 objects under `uniqueItems` occupied the api's threads for ever."""
    budget = StepBudget()
    found = check_parameters({"a": items}, {"properties": {"a": {"uniqueItems": True}}}, budget=budget)
    assert (found == []) == is_unique
    assert MAX_STEPS - budget.remaining < 10 * len(items) + 200


_TREE = {
    "additionalProperties": {"anyOf": [{"$ref": "#/$defs/n"}, {"$ref": "#/$defs/n"}, {"type": "integer"}]}
}
_DEEP: dict[str, Any] = {"a": "leaf"}
for _ in range(40):
    _DEEP = {"a": _DEEP}


@pytest.mark.parametrize(
    ("parameters", "schema"),
    [
        (_DEEP, {"$defs": {"n": {"type": "object", **_TREE}}, "$ref": "#/$defs/n"}),
        (
            {},
            {
                "$defs": {f"n{i}": {"allOf": [{"$ref": f"#/$defs/n{i + 1}"}] * 2} for i in range(40)}
                | {"n40": {}}
            }
            | {"$ref": "#/$defs/n0"},
        ),
        (
            {},
            {
                "$defs": {f"n{i}": {"oneOf": [{"$ref": f"#/$defs/n{i + 1}"}] * 3} for i in range(30)}
                | {"n30": {}}
            }
            | {"$ref": "#/$defs/n0", "unevaluatedProperties": False},
        ),
        ({"a": list(range(50_000))}, {"properties": {"a": {"items": {"enum": list(range(50_000))}}}}),
        ({f"k{i}": 1 for i in range(80_000)}, {"unevaluatedProperties": {"type": "integer"}}),
        (
            {"a": [1] * 50_000},
            {"properties": {"a": {"anyOf": [{"type": "string"}] * 10_000}}},
        ),
        (
            {"k" * 1000 + str(i): 1 for i in range(900)},
            {"patternProperties": {f"x{i}": {} for i in range(900)}},
        ),
    ],
)
def test_checks_that_would_never_end_are_refused(parameters: dict[str, Any], schema: dict[str, Any]) -> None:
    """Fault 11: a few lines of schema and parameters can mean 2^40 comparisons."""
    budget = StepBudget(MAX_STEPS // 10)
    found = check_parameters(parameters, schema, budget=budget)
    assert budget.remaining < 0
    assert "takes more than 1,000,000 steps" in found[-1].detail
    assert check_parameters({}, {"type": "object"}, budget=budget) != []  # one request, one budget


def test_large_parameters_are_checked_with_steps_to_spare() -> None:
    item = {
        "type": "object",
        "properties": {"n": {"type": "integer", "minimum": 0}, "s": {"enum": ["a", "b"]}},
    }
    schema = {"properties": {"a": {"type": "array", "items": {**item, "required": ["n"]}}}}
    budget = StepBudget()
    assert check_parameters({"a": [{"n": 1, "s": "b"}] * 33_000}, schema, budget=budget) == []
    assert budget.remaining > MAX_STEPS / 3


def test_branches_that_do_not_fit_leave_no_errors_behind() -> None:
    """Fault 11: errors of 3^30 branches, which were never reported, took 700 MB."""
    branches = {f"n{i}": {"oneOf": [{"$ref": f"#/$defs/n{i + 1}"}] * 3} for i in range(30)}
    schema = {"$defs": {**branches, "n30": {"required": ["a"]}}, "$ref": "#/$defs/n0"}
    tracemalloc.start()
    try:
        check_parameters({}, schema, budget=StepBudget(MAX_STEPS // 50))
        assert tracemalloc.get_traced_memory()[1] < 2 * 1024 * 1024
    finally:
        tracemalloc.stop()


def test_thousands_of_missing_names_are_reported_briefly() -> None:
    (error,) = check_parameters({}, {"required": [f"name{i}" for i in range(10_000)]})
    assert error.detail.startswith("missing 'name0', 'name1'")
    assert len(error.detail) < 400


@pytest.mark.parametrize(
    ("schema", "parameters", "detail"),
    [
        (
            {"oneOf": [{"required": ["connection"]}, {"required": ["#connection"]}]},
            {},
            "give exactly one of 'connection' or '#connection'",
        ),
        (
            {"anyOf": [{"required": ["a", "b"]}, {"required": ["c"]}]},
            {},
            "give at least one of 'a' and 'b' or 'c'",
        ),
        (
            {"properties": {"x": {"oneOf": [{"type": "string"}, {"type": "array", "minItems": 1}]}}},
            {"x": 1},
            "must be of type string or array",
        ),
    ],
)
def test_alternatives_say_what_they_ask_for(schema: Any, parameters: Any, detail: str) -> None:
    assert [error.detail for error in check_parameters(parameters, schema)] == [detail]


def test_an_alternative_of_the_right_type_says_its_rule() -> None:
    schema = {"properties": {"x": {"oneOf": [{"type": "string"}, {"type": "array", "minItems": 1}]}}}
    (error,) = check_parameters({"x": []}, schema)
    assert error.detail.startswith("does not match the component's schema: oneOf")
