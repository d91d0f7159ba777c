"""What the built-ins accept as parameters, and that their definitions say the same."""

from importlib.resources import files
from typing import Any

import pytest
import yaml
from pydantic import BaseModel, ValidationError

from orchestrator_components import command, csv_extractor, csv_writer, sql_transformation
from orchestrator_components.warehouse import TableName, quoted, statement
from orchestrator_shared.domain.urls import without_password
from orchestrator_shared.validation import explain

URL = "postgresql://u:p@h/d"
MODELS: dict[str, type[BaseModel]] = {
    "command": command.Parameters,
    "csv-extractor": csv_extractor.Parameters,
    "sql-transformation": sql_transformation.Parameters,
    "csv-writer": csv_writer.Parameters,
}


def definition(component: str) -> dict[str, Any]:
    text = files("orchestrator_components").joinpath("definitions", f"{component}.yaml").read_text()
    content: dict[str, Any] = yaml.safe_load(text)
    return content


def test_every_definition_has_a_model() -> None:
    folder = files("orchestrator_components").joinpath("definitions")
    assert {file.name.removesuffix(".yaml") for file in folder.iterdir()} == set(MODELS)


@pytest.mark.parametrize("component", MODELS)
def test_a_definition_names_the_models_parameters(component: str) -> None:
    schema = definition(component)["parameters"]
    fields = MODELS[component].model_fields
    secret = {"#connection"} if "connection" in fields else set()

    assert set(schema["properties"]) == set(fields) | secret
    assert schema["additionalProperties"] is False
    required = {name for name, field in fields.items() if field.is_required()}
    assert set(schema["required"]) == required - {"connection"}


@pytest.mark.parametrize("component", MODELS)
def test_a_definition_has_the_agreed_shape(component: str) -> None:
    content = definition(component)

    assert set(content) - {"reads", "writes"} == {
        "component", "name", "type", "executor", "command", "environment", "after_crash", "parameters",
    }  # fmt: skip
    assert set(content.get("reads", [])) | set(content.get("writes", [])) <= set(
        content["parameters"]["properties"]
    )
    assert content["component"] == component
    assert content["command"] == ["{python}", "-m", f"orchestrator_components.{component.replace('-', '_')}"]
    assert content["after_crash"] == ("fail" if component == "command" else "rerun")


def test_the_definitions_column_types_are_the_models() -> None:
    columns = definition("csv-extractor")["parameters"]["properties"]["columns"]

    assert set(columns["additionalProperties"]["enum"]) == set(csv_extractor.SQL_TYPES)


def extractor(**changes: object) -> csv_extractor.Parameters:
    good = {"source": "a.csv", "table": "in.c-a.b", "columns": {"x": "text"}, "#connection": URL}
    return csv_extractor.Parameters.model_validate({**good, **changes})


@pytest.mark.parametrize(
    "changes",
    [
        {"table": "orders"},
        {"table": 'in.c-a.b"; DROP'},
        {"table": f"in.c-a.{'x' * 64}"},
        {"columns": {}},
        {"columns": {"x": "json"}},
        {"columns": {"x" * 64: "text"}},
        {"delimiter": "ab"},
        {"delimiter": '"'},
        {"mode": "merge"},
        {"#connection": "mysql://h/d"},
        {"connection": URL},
        {"sql": "x"},
    ],
)
def test_the_extractor_refuses(changes: dict[str, object]) -> None:
    extractor()
    with pytest.raises(ValidationError):
        extractor(**changes)


def test_the_connection_may_be_plain() -> None:
    assert (
        csv_extractor.Parameters.model_validate(
            {"source": "a", "table": "in.c-a.b", "columns": {"x": "text"}, "connection": URL}
        ).connection
        == URL
    )


@pytest.mark.parametrize(
    "text",
    [
        "COMMIT",
        "  begin;",
        "-- a note\nROLLBACK",
        "/* a */ end",
        "start  transaction",
        "PREPARE TRANSACTION 'x'",
    ],
)
def test_a_transformation_refuses_its_own_transaction(text: str) -> None:
    with pytest.raises(ValidationError, match=r"statement 2(, line 2)?: .* is not allowed"):
        sql_transformation.Parameters.model_validate({"statements": ["SELECT 1", text], "#connection": URL})


@pytest.mark.parametrize("text", ["ROLLBACK TO a", "SELECT 'commit'", "endless()", "PREPARE x AS SELECT 1"])
def test_a_transformation_accepts_what_only_looks_so(text: str) -> None:
    parameters = sql_transformation.Parameters.model_validate({"statements": text, "#connection": URL})

    assert parameters.statements == [text]


@pytest.mark.parametrize("wrong", [{}, {"table": "in.c-a.b", "query": "SELECT 1"}])
def test_a_writer_has_one_source(wrong: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="either table or query"):
        csv_writer.Parameters.model_validate({"path": "a.csv", "#connection": URL, **wrong})


def test_table_names_and_quoting() -> None:
    table = TableName.parse("in.c-sales.orders")

    assert (table.bucket, table.table) == ("in.c-sales", "orders")
    assert table.sql == '"in.c-sales"."orders"'
    assert quoted('a"b') == '"a""b"'
    assert statement("count_rows", table=table.sql) == 'SELECT count(*) FROM "in.c-sales"."orders"'


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:Head/Tail@host/w",
        "postgresql://u:Head#Tail@host/w",
        "postgresql://u:Head?Tail@host/w",
        "postgresql://u:Head[Tail@host/w",
        "postgresql://u:[Head]Tail@host/w",
        "postgresql://u:Head@Tail@host/w",
        "postgresql://u:12/Tail@host/w",
        "postgresql://u:Head@Tail?x@host/w",
        "postgresql://u:Head Tail@host/w",
        "postgresql://u:p@host:Tail/w",
        "postgresql://u:p@ho[st/w",
        "postgresql://u:p@host/w?Tail",
        "postgresql://u:\u2100Head@Tail:x@host/w",
    ],
)
def test_nothing_of_a_password_is_in_a_message(url: str) -> None:
    """Issue 8, 30: a parser quoted the part of the password that it took for a port."""
    with pytest.raises(ValidationError) as error:
        csv_writer.Parameters.model_validate({"path": "a.csv", "table": "a.b", "#connection": url})
    text = explain(error.value, prefix="parameters")
    assert "Head" not in text
    assert "Tail" not in text
    assert text.startswith("parameters.#connection: ")
    if "Tail@host" in url:
        assert "percent-encode" in text


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:He%2Fad%23@host/w",
        "postgres://host",
        "postgresql:///w?host=/var/run/postgresql&user=u",
        "postgresql://u:p%5B@[::1]:5432,other:5433/w?sslmode=require&application_name=a%40b",
        "postgresql://u@h:5432/w",
    ],
)
def test_usual_connections_are_accepted(url: str) -> None:
    parameters = {"path": "a.csv", "table": "a.b", "#connection": url}
    assert csv_writer.Parameters.model_validate(parameters).connection == url


def test_a_password_is_not_shown() -> None:
    assert without_password("no h%21de, no h!de", "postgresql://u:h%21de@h/d") == "no ***, no ***"
    assert without_password("bad: u:hunter2", "postgresql://u:hunter2@h/d") == "bad: u:***"


@pytest.mark.parametrize(("position", "place"), [(1, (1, 1)), (8, (1, 8)), (10, (2, 1)), (12, (2, 3))])
def test_positions_become_lines_and_columns(position: int, place: tuple[int, int]) -> None:
    assert sql_transformation.line_and_column("SELECT a\nFROM b", position) == place


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (b"a,NA\n", b'a,"NA"\n'),
        (b"NA\nNA\n", b'"NA"\n"NA"\n'),
        (b'NA,"x,NA,""\nNA\n",NA\n', b'"NA","x,NA,""\nNA\n","NA"\n'),
        (b'NAN, NA,NA ,"NA"\n', b'NAN, NA,NA ,"NA"\n'),
        (b"plain\n", b"plain\n"),
    ],
)
def test_a_text_na_is_written_in_quotes(written: bytes, expected: bytes) -> None:
    """Number 32: else it would come back as nothing."""
    assert csv_writer.with_na_in_quotes(written) == expected
