"""A schema becomes a form, the form becomes parameters again; hostile schemas cost little."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from orchestrator_api.http.refusals import FieldError
from orchestrator_api.web.configurations import fields as made
from orchestrator_api.web.configurations.editor import Editor, begun, read, shown
from orchestrator_api.web.configurations.fields import Field, Form, form_of, name_of
from orchestrator_api.web.configurations.json_places import line_of, lines_of, parsed
from orchestrator_api.web.configurations.sent import filled

DEFINITIONS = Path(__file__).parents[3] / "components/src/orchestrator_components/definitions"
CSV = yaml.safe_load((DEFINITIONS / "csv-extractor.yaml").read_text())["parameters"]
SQL = yaml.safe_load((DEFINITIONS / "sql-transformation.yaml").read_text())["parameters"]
ALL = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "title": "The name", "description": "What it is called."},
        "rows": {"type": "integer", "default": 10},
        "share": {"type": "number"},
        "trim": {"type": "boolean"},
        "keep": {"type": "boolean", "default": True},
        "mode": {"enum": ["replace", "append", 3]},
        "tags": {"type": "array", "items": {"type": "string"}},
        "sizes": {"type": "array", "items": {"type": "integer"}},
        "limits": {"type": "object", "properties": {"a/b": {"type": "integer"}}},
        "columns": {"type": "object", "additionalProperties": {"type": "string"}},
        "#password": {"type": "string"},
    },
    "required": ["name"],
}
VALUES: dict[str, Any] = {
    "name": "Orders",
    "rows": 5,
    "share": 0.25,
    "trim": False,
    "keep": False,
    "mode": 3,
    "tags": ["", "NA", "two\nlines"],
    "sizes": [1, 2],
    "limits": {"a/b": 7, "other": None},
    "columns": {"id": "text"},
    "#password": "***",
    "beyond": {"the": "schema"},
}


def by_key(form: Form) -> dict[str, Field]:
    return {each.key: each for each in form.fields}


def sent(form: Form) -> dict[str, str]:
    """What a browser sends of the form as it is shown."""
    found: dict[str, str] = {}
    for each in form.fields:
        if each.kind == "group":
            found |= sent(Form(each.fields))
        elif each.kind == "list":
            found[each.name] = ""
            found |= {row.name: row.value.replace("\n", "\r\n") for row in each.rows}
        elif each.kind == "flag":
            found[each.name] = "on" if each.is_on else "off"
        else:
            found[each.name] = each.value.replace("\n", "\r\n")
    return found


def test_every_kind_of_property_has_its_field() -> None:
    form = form_of(ALL, VALUES)
    fields = by_key(form)
    assert {key: each.kind for key, each in fields.items()} == {
        "name": "text",
        "rows": "integer",
        "share": "number",
        "trim": "flag",
        "keep": "flag",
        "mode": "choice",
        "tags": "list",
        "sizes": "list",
        "limits": "group",
        "columns": "json",
        "#password": "secret",
    }
    assert (fields["name"].label, fields["name"].hint) == ("The name", "What it is called.")
    assert (fields["name"].is_required, fields["rows"].is_required) == (True, False)
    assert (fields["rows"].placeholder, by_key(form_of(ALL, {}))["keep"].is_on) == ("10", True)
    assert [option.label for option in fields["mode"].options] == ["replace", "append", "3"]
    assert [row.value for row in fields["tags"].rows] == ["", "NA", "two\nlines", ""]
    assert (fields["#password"].value, fields["#password"].is_set) == ("", True)
    assert form.others == ["limits.other", "beyond"]


@pytest.mark.parametrize("values", [VALUES, {}, {"rows": None, "tags": [], "name": ""}])
def test_a_form_that_is_sent_as_it_is_changes_nothing(values: dict[str, Any]) -> None:
    found = filled(sent(form_of(ALL, values)), values, values)
    assert json.dumps(found.parameters) == json.dumps(values)
    assert found.errors == []


def test_what_is_typed_replaces_what_was_there() -> None:
    typed = {
        "p:text:/name": "Returns",
        "p:integer:/rows": "",
        "p:number:/share": "0.5",
        "p:flag:/trim": "on",
        "p:flag-on:/keep": "off",
        "p:choice:/mode": '"append"',
        "p:list:/tags": "",
        "p:list-text:/tags/0": "a",
        "p:list-text:/tags/-": "b",
        "p:list:/sizes": "",
        "p:list-integer:/sizes/-": "",
        "p:integer:/limits/a~1b": "{{ vars.limit }}",
        "p:json:/columns": '{"id": "bigint"}',
        "p:secret:/#password": "hunter2",
    }
    found = filled(typed, VALUES, VALUES)
    assert found.parameters == {
        "name": "Returns",
        "share": 0.5,
        "trim": True,
        "keep": False,
        "mode": "append",
        "tags": ["a", "b"],
        "sizes": [],
        "limits": {"a/b": "{{ vars.limit }}", "other": None},
        "columns": {"id": "bigint"},
        "#password": "hunter2",
        "beyond": {"the": "schema"},
    }


def test_an_empty_secret_keeps_the_stored_one_and_is_never_shown() -> None:
    field = name_of("secret", ("#password",))
    assert filled({field: ""}, {"#password": "***"}, {"#password": "***"}).parameters == {"#password": "***"}
    assert filled({field: ""}, {"#password": "***"}, {}).parameters == {}
    assert filled({field: ""}, {}, {}).parameters == {}
    (shown,) = [each for each in form_of(ALL, VALUES).fields if each.kind == "secret"]
    assert "***" not in (shown.value, shown.placeholder)


def test_a_reference_to_a_variable_is_no_secret() -> None:
    values = {"#password": "{{ vars.warehouse }}"}
    field = by_key(form_of(ALL, values))["#password"]
    assert (field.value, field.is_set) == ("{{ vars.warehouse }}", False)
    assert filled(sent(form_of(ALL, values)), values, values).parameters == values


def test_what_cannot_be_read_is_said_and_stays_typed() -> None:
    columns = name_of("json", ("columns",))
    found = filled({columns: '{"id": }', name_of("integer", ("rows",)): "many"}, VALUES, VALUES)
    assert [(each.field, each.detail) for each in found.errors] == [
        ("parameters.columns", "malformed JSON at line 1, column 8: Expecting value")
    ]
    assert (found.parameters["columns"], found.parameters["rows"]) == (VALUES["columns"], "many")
    shown = by_key(form_of(ALL, found.parameters, {columns: '{"id": }'}))
    assert (shown["columns"].value, shown["rows"].kind, shown["rows"].value) == (
        '{"id": }',
        "integer",
        "many",
    )


def test_the_forms_of_our_own_components() -> None:
    csv = form_of(CSV, {"columns": {"id": "bigint"}, "null_values": ["", "NA"]})
    kinds = {each.key: each.kind for each in csv.fields}
    assert (kinds["columns"], kinds["mode"], kinds["#connection"]) == ("json", "choice", "secret")
    assert list(map(list, csv.alternatives)) == [["connection", "#connection"]]
    one = by_key(form_of(SQL, {}))["statements"]
    several = by_key(form_of(SQL, {"statements": ["SELECT 1", "SELECT\n2"]}))["statements"]
    assert (one.kind, several.kind, several.item) == ("lines", "list", "lines")


@pytest.mark.parametrize(
    ("schema", "kind"),
    [
        ({"$ref": "#/$defs/size"}, "integer"),
        ({"allOf": [{"$ref": "#/$defs/size"}], "description": "How large"}, "integer"),
        ({"$ref": "#/$defs/loop"}, "json"),
        ({"$ref": "#/$defs/nowhere"}, "json"),
        ({"$ref": "https://example.com/schema"}, "json"),
        ({"type": ["string", "null"]}, "text"),
        ({"anyOf": [{"type": "null"}, {"type": "number"}]}, "number"),
        ({"type": "array", "items": {"type": "object"}}, "json"),
        ({"type": "string", "contentMediaType": "application/sql"}, "lines"),
        ({"enum": list(range(1000))}, "json"),
        (True, "json"),
        ({"type": 3, "enum": "abc", "oneOf": {"x": 1}, "properties": []}, "json"),
    ],
)
def test_other_schemas(schema: object, kind: str) -> None:
    defs = {"size": {"type": "integer"}, "loop": {"$ref": "#/$defs/loop"}}
    (field,) = form_of({"$defs": defs, "properties": {"x": schema}}, {}).fields
    assert field.kind == kind


def test_hostile_schemas_end_after_a_few_fields() -> None:
    looping = {"properties": {"a": {"$ref": "#"}, "b": {"$ref": "#"}}}
    huge = {"properties": {f"p{number}": {"type": "string"} for number in range(50_000)}}
    deep: dict[str, Any] = {"type": "string"}
    for _ in range(90):
        deep = {"type": "object", "properties": {"x": deep}}
    schemas: list[Any] = [looping, huge, deep, [], None]
    schemas.append({"properties": {"x": {"$ref": "#/" + "a/" * 10_000}}})
    for schema in schemas:
        form = form_of(schema, {"a": {"a": {"b": 1}}, "x": {"x": {}}})
        assert count(form.fields) <= made.MAX_FIELDS
    assert form_of(huge, {}).is_cut


def count(fields: Any) -> int:
    return sum(1 + count(each.fields) for each in fields)


def test_a_value_has_a_line() -> None:
    text = '{\n  "a": {"b": [1,\n    {"c": "}, [\\""}]},\n  "d": 2\n}'
    lines = lines_of(text)
    assert {path: lines[path] for path in ("", "a", "a.b", "a.b.0", "a.b.1.c", "d")} == {
        "": 1,
        "a": 2,
        "a.b": 2,
        "a.b.0": 2,
        "a.b.1.c": 3,
        "d": 4,
    }
    assert line_of("parameters.a.b.1.nothing", lines) == 3
    assert line_of("parameters", lines) == 1


def test_a_text_that_is_no_object_is_refused() -> None:
    assert parsed('{"a": 1}') == ({"a": 1}, [])
    assert parsed("[1]")[1][0].detail == 'must be a JSON object: {"name": "value"}'
    assert parsed('{"a": 1,}')[1][0].detail.startswith("malformed JSON at line 1, column")


def fields_of(editor: Editor, **changes: str) -> dict[str, str]:
    """What a browser sends of the editor."""
    own = sent(editor.form) if editor.side == "form" else {}
    return {"side": editor.side, "json": editor.text, **own, **changes}


def test_turning_between_form_and_json_keeps_what_was_typed() -> None:
    editor = begun(ALL, VALUES)
    changes = {"p:text:/name": "Returns", "p:secret:/#password": "hunter2", "turn": "json"}
    as_json = shown(ALL, read(fields_of(editor, **changes), VALUES), [], "json")
    assert json.loads(as_json.text) == {**VALUES, "name": "Returns", "#password": "hunter2"}
    longer = {**json.loads(as_json.text), "share": 0.75}
    back = shown(ALL, read(fields_of(as_json, json=json.dumps(longer)), VALUES), [], "form")
    assert (back.side, by_key(back.form)["share"].value) == ("form", "0.75")
    assert by_key(back.form)["#password"].value == "hunter2"
    assert read(fields_of(back), VALUES).parameters == longer


def test_beside_the_form_a_typed_secret_is_not_shown() -> None:
    sent_now = read(fields_of(begun(ALL, {}), **{"p:secret:/#password": "hunter2"}), {})
    assert sent_now.parameters == {"#password": "hunter2"}
    assert "hunter2" not in sent_now.text
    cleared = {"side": "form", "json": sent_now.text, "p:secret:/#password": ""}
    assert read(cleared, {}).parameters == {}


def test_json_that_cannot_be_read_stays_on_its_side() -> None:
    editor = shown(ALL, read({"side": "json", "json": '{"name": }'}, {}), [], "form")
    assert (editor.side, editor.text) == ("json", '{"name": }')
    assert [each.text for each in editor.problems] == ["malformed JSON at line 1, column 10: Expecting value"]


def test_rows_are_added_and_removed() -> None:
    editor = begun(ALL, {"tags": ["a", "b"]})
    added = read(fields_of(editor, turn="add:/tags"), {})
    assert added.parameters["tags"] == ["a", "b", ""]
    typed = read(fields_of(editor, turn="drop:/tags/0", **{"p:list-text:/tags/-": "c"}), {})
    rows = by_key(shown(ALL, typed, []).form)["tags"].rows
    assert [row.value for row in rows] == ["b", "c", ""]
    assert typed.parameters["tags"] == ["b", "c"]
    for turn in ("drop:/tags/9", "drop:/tags/x", "add:", "drop:", "add:/name/x"):
        assert read(fields_of(begun(ALL, VALUES), turn=turn), VALUES).parameters["tags"] == VALUES["tags"]


def test_an_error_stands_at_its_field_or_line() -> None:
    errors = [
        FieldError("parameters", "missing 'name', 'rows'"),
        FieldError("parameters.tags.1", "is wrong"),
        FieldError("parameters.beyond", "is unknown"),
    ]
    editor = begun(ALL, VALUES)
    in_form = shown(ALL, read(fields_of(editor), VALUES), errors)
    ids = {key: each.id for key, each in by_key(in_form.form).items()}
    assert [(each.text, each.anchor) for each in in_form.problems] == [
        ("The name is missing", ids["name"]),
        ("Rows is missing", ids["rows"]),
        ("Tags: is wrong", ids["tags"]),
        ("beyond: is unknown", "json"),
    ]
    in_json = shown(ALL, read({"side": "json", "json": editor.text}, VALUES), errors)
    assert [each.line for each in in_json.problems] == [1, 10, 25]
