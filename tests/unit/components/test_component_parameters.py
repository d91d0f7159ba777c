"""What the built-ins accept as parameters, and that their definitions say the same."""

from collections.abc import Callable, Mapping
from importlib.resources import files
from typing import Any

import pytest
import yaml

from orchestrator_components import command, csv_extractor, csv_writer, sql_transformation
from orchestrator_components.contract import UserError
from orchestrator_components.warehouse import EXAMPLE, TableName, quoted, statement
from orchestrator_shared.domain.urls import without_password

URL = "postgresql://u:p@h/d"
PARSERS: dict[str, Callable[[Mapping[str, Any]], object]] = {
    "command": command.parse_parameters,
    "csv-extractor": csv_extractor.parse_parameters,
    "sql-transformation": sql_transformation.parse_parameters,
    "csv-writer": csv_writer.parse_parameters,
}
GOOD: dict[str, dict[str, Any]] = {
    "command": {"argv": ["true"]},
    "csv-extractor": {"source": "a.csv", "table": "in.c-a.b", "columns": {"x": "text"}, "#connection": URL},
    "sql-transformation": {"statements": ["SELECT 1"], "#connection": URL},
    "csv-writer": {"path": "a.csv", "table": "a.b", "#connection": URL},
}


class Asked(dict[str, Any]):
    """Parameters that note which of them the component looks for."""

    def __init__(self, content: Mapping[str, Any]) -> None:
        super().__init__(content)
        self.names: set[str] = set()

    def __contains__(self, name: object) -> bool:
        self.names.add(str(name))
        return super().__contains__(name)

    def get(self, name: str, default: Any = None) -> Any:
        self.names.add(name)
        return super().get(name, default)


def problems(component: str, parameters: Mapping[str, Any]) -> list[str]:
    """What the component says of them, a text per problem."""
    with pytest.raises(UserError) as raised:
        PARSERS[component](parameters)
    return str(raised.value).split("; ")


def definition(component: str) -> dict[str, Any]:
    text = files("orchestrator_components").joinpath("definitions", f"{component}.yaml").read_text()
    content: dict[str, Any] = yaml.safe_load(text)
    return content


def test_every_definition_has_a_parser() -> None:
    folder = files("orchestrator_components").joinpath("definitions")
    assert {file.name.removesuffix(".yaml") for file in folder.iterdir()} == set(PARSERS)


@pytest.mark.parametrize("component", PARSERS)
def test_a_definition_names_the_parameters_that_are_read(component: str) -> None:
    schema = definition(component)["parameters"]
    asked = Asked(GOOD[component])
    PARSERS[component](asked)

    assert set(schema["properties"]) == asked.names
    assert schema["additionalProperties"] is False


@pytest.mark.parametrize("component", PARSERS)
def test_a_definition_requires_what_the_component_does(component: str) -> None:
    missing = {text.removeprefix("parameters.").partition(":")[0] for text in problems(component, {})
               if text.endswith("is missing")}  # fmt: skip

    assert set(definition(component)["parameters"]["required"]) == missing - {"connection", "#connection"}


@pytest.mark.parametrize("component", PARSERS)
def test_an_unknown_parameter_is_named(component: str) -> None:
    assert problems(component, {**GOOD[component], "extra": 1}) == [
        "parameters.extra: is not a known parameter"
    ]


@pytest.mark.parametrize("component", PARSERS)
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


def test_the_definitions_column_types_are_those_that_are_known() -> None:
    columns = definition("csv-extractor")["parameters"]["properties"]["columns"]

    assert set(columns["additionalProperties"]["enum"]) == set(csv_extractor.SQL_TYPES)


def extractor(**changes: object) -> csv_extractor.Parameters:
    return csv_extractor.parse_parameters({**GOOD["csv-extractor"], **changes})


ONE_OF_THE_TYPES = (
    "must be 'text', 'integer', 'bigint', 'numeric', 'double', 'boolean', 'date' or 'timestamp'"
)
A_TABLE = "must be a bucket and a table, such as in.c-sales.orders"


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"source": ""}, "source: must have at least 1 character"),
        ({"source": 7}, "source: must be a string"),
        (
            {"source": "\ud800"},
            "source: must be valid Unicode text",
        ),
        ({"table": "orders"}, f"table: {A_TABLE}"),
        ({"table": 'in.c-a.b"; DROP'}, f"table: {A_TABLE}"),
        ({"table": f"in.c-a.{'x' * 64}"}, "table: bucket and table must have at most 63 characters each"),
        ({"columns": {}}, "columns: must have at least 1 entry"),
        ({"columns": []}, "columns: must be an object"),
        ({"columns": {"x": "json"}}, f"columns.x: {ONE_OF_THE_TYPES}"),
        ({"columns": {"x": []}}, f"columns.x: {ONE_OF_THE_TYPES}"),
        (
            {"columns": {"x" * 64: "text"}},
            f"columns: column names must have 1 to 63 bytes and no NUL: {'x' * 64!r}",
        ),
        (
            {"columns": {f"c{n}": "text" for n in range(1601)}},
            "columns: must have at most 1600 entries",
        ),
        ({"delimiter": ""}, "delimiter: must have at least 1 character"),
        ({"delimiter": "ab"}, "delimiter: must have at most 1 character"),
        ({"delimiter": '"'}, "delimiter: must not be a quote, a line break or NUL"),
        ({"null_values": "NA"}, "null_values: must be a list"),
        ({"null_values": ["a", 1]}, "null_values.1: must be a string"),
        ({"mode": "merge"}, "mode: must be 'replace' or 'append'"),
        ({"trim": "perhaps"}, "trim: must be true or false"),
        ({"trim": 2}, "trim: must be true or false"),
        ({"trim": None}, "trim: must be true or false"),
        (
            {"encoding": "utf-9"},
            "encoding: not a known encoding; use a name such as utf-8, cp1252, latin-1 or utf-16",
        ),
        ({"#connection": "mysql://h/d"}, "#connection: must be a URL such as " + EXAMPLE),
        ({"sql": "x"}, "sql: is not a known parameter"),
    ],
)
def test_the_extractor_refuses(changes: dict[str, object], problem: str) -> None:
    extractor()
    with pytest.raises(UserError) as raised:
        extractor(**changes)
    assert str(raised.value) == f"parameters.{problem}"


def test_there_is_one_connection() -> None:
    assert problems("csv-extractor", {**GOOD["csv-extractor"], "connection": URL}) == [
        "parameters: set either connection or #connection, not both"
    ]


def test_all_problems_are_told_at_once() -> None:
    assert problems("csv-extractor", {"x": 1, "source": "", "columns": {"a": "text"}, "connection": 1}) == [
        "parameters.connection: must be a string",
        "parameters.source: must have at least 1 character",
        "parameters.table: is missing",
        "parameters.x: is not a known parameter",
    ]


@pytest.mark.parametrize(
    ("written", "meant"), [(True, True), (0, False), (1.0, True), ("Yes", True), ("off", False), ("f", False)]
)
def test_a_switch_is_read_as_people_write_it(written: object, meant: bool) -> None:
    assert extractor(trim=written).trim is meant


def test_what_is_absent_has_its_usual_value() -> None:
    found = extractor()
    assert (found.delimiter, found.null_values, found.trim) == (",", ["", "NA"], False)
    assert (found.encoding, found.mode) == ("utf-8", "replace")


def test_the_connection_may_be_plain() -> None:
    parameters = {"source": "a", "table": "in.c-a.b", "columns": {"x": "text"}, "connection": URL}
    assert csv_extractor.parse_parameters(parameters).connection == URL


@pytest.mark.parametrize(
    ("argv", "problem"),
    [
        ([], "argv: must have at least 1 entry"),
        ("true", "argv: must be a list"),
        (["true", 1], "argv.1: must be a string"),
        ([""], "argv: the first element must be the name of a program"),
        (["a\0"], "argv: must not contain a NUL character"),
    ],
)
def test_a_command_refuses(argv: object, problem: str) -> None:
    assert problems("command", {"argv": argv}) == [f"parameters.{problem}"]


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
    with pytest.raises(UserError, match=r"statement 2(, line 2)?: .* is not allowed"):
        sql_transformation.parse_parameters({"statements": ["SELECT 1", text], "#connection": URL})


@pytest.mark.parametrize("text", ["ROLLBACK TO a", "SELECT 'commit'", "endless()", "PREPARE x AS SELECT 1"])
def test_a_transformation_accepts_what_only_looks_so(text: str) -> None:
    parameters = sql_transformation.parse_parameters({"statements": text, "#connection": URL})

    assert parameters.statements == [text]


@pytest.mark.parametrize("wrong", [{}, {"table": "in.c-a.b", "query": "SELECT 1"}])
def test_a_writer_has_one_source(wrong: dict[str, str]) -> None:
    with pytest.raises(UserError, match="either table or query"):
        csv_writer.parse_parameters({"path": "a.csv", "#connection": URL, **wrong})


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
    with pytest.raises(UserError) as error:
        csv_writer.parse_parameters({"path": "a.csv", "table": "a.b", "#connection": url})
    text = str(error.value)
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
    assert csv_writer.parse_parameters(parameters).connection == url


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
