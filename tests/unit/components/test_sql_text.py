"""SQL is cut as psql cuts it, in linear time, and what needs psql or a client is refused with the way out."""

import resource
import subprocess
import sys

import pytest

from orchestrator_components import csv_writer, sql_transformation
from orchestrator_components.contract import UserError
from orchestrator_components.sql_text import Refused, ends_transaction, read_script

URL = "postgresql://u:p@h/d"


def pieces(text: str) -> list[str]:
    return [text[each.start : each.end] for each in read_script(text).statements]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SELECT 1", ["SELECT 1"]),
        (" SELECT 1 ; ;; SELECT 2; -- end", ["SELECT 1", "SELECT 2"]),
        ("-- a; b\n/* c; /* d; */ e; */ SELECT 1 -- f", ["SELECT 1"]),
        ("SELECT ';', \";\", $$;$$, $a$ ; $$ ; $a$, 'it''s;'; SELECT 2", None),
        (r"SELECT E'a\';b', e'\\'; SELECT 2", [r"SELECT E'a\';b', e'\\'", "SELECT 2"]),
        ("SELECT E'a'\n'b\\';c'; SELECT 2", ["SELECT E'a'\n'b\\';c'", "SELECT 2"]),
        (r"SELECT '\'; SELECT 2", [r"SELECT '\'", "SELECT 2"]),
        ("SELECT a$b$c, $1; SELECT d$b$", ["SELECT a$b$c, $1", "SELECT d$b$"]),
        ("CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2); SELECT 3", None),
        (
            "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN a THEN 1 END; END; SELECT 2",
            ["CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN a THEN 1 END; END", "SELECT 2"],
        ),
        ("", []),
        (" ;\n; -- nothing", []),
        ("/* never closed", ["/* never closed"]),  # for the server to tell
        ("SELECT 1 /* never /* closed */", ["SELECT 1 /* never /* closed */"]),
        ("\ufeffSELECT 1", ["SELECT 1"]),  # as some editors save it
        ("SELECT 'never closed; COMMIT", ["SELECT 'never closed; COMMIT"]),
    ],
)  # fmt: skip
def test_statements_are_found(text: str, expected: list[str] | None) -> None:
    assert pieces(text) == expected if expected is not None else len(pieces(text)) == 2


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("/* a */ -- b\n Begin", "BEGIN"),
        ("START TRANSACTION READ ONLY", "START TRANSACTION"),
        ("prepare transaction 'x'", "PREPARE TRANSACTION"),
        ("ROLLBACK", "ROLLBACK"),
        ("END", "END"),
        ("ROLLBACK WORK TO SAVEPOINT a", None),
        ("ROLLBACK TO a", None),
        ('"commit"', None),
        ("SELECT 'commit'", None),
        ("PREPARE transactions AS SELECT 1", None),
    ],
)
def test_what_ends_a_transaction(text: str, command: str | None) -> None:
    (statement,) = read_script(text).statements
    assert ends_transaction(statement.words) == command


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("COPY t (a) FROM stdin;\n1\t'\n\\.\n", "line 1: COPY … FROM STDIN waits .*pg_dump --inserts"),
        ("SELECT 1;\n\ncopy public.t from STDIN with (format csv)", "line 3: COPY … FROM STDIN"),
        ("/* x */ COPY \"t\" TO STDOUT", "line 1: COPY … TO STDOUT sends .*csv-writer"),
        ("COPY (SELECT stdin FROM t) TO stdout", "COPY … TO STDOUT"),
        ("COPY t FROM STDOUT", "COPY … FROM STDIN"),
        ("SELECT 1;\n\\connect other\nSELECT 2", r"line 2: \\connect is a psql command"),
        ("SELECT 1 \\gset", r"\\gset is a psql command"),
    ],
)  # fmt: skip
def test_what_needs_a_client_or_psql_is_refused(text: str, message: str) -> None:
    """Number 35: such a COPY waited for its client until the time limit."""
    with pytest.raises(Refused, match=message):
        read_script(text)


@pytest.mark.parametrize(
    "text",
    [
        "COPY t FROM '/files/stdin'",
        "COPY stdin FROM PROGRAM 'x'",
        "SELECT 'COPY t FROM STDIN'",
        "DO $$ BEGIN EXECUTE 'COPY t FROM STDIN'; END $$",
        'COPY t FROM "stdin"',
        "INSERT INTO t VALUES ('\\.'), ('\\connect')",
    ],
)
def test_what_only_looks_so_is_run(text: str) -> None:
    assert len(read_script(text).statements) == 1


def test_the_guards_of_a_dump_are_left_out_and_places_stay() -> None:
    text = "--\n\\restrict abc123\n\nSET statement_timeout = 0;\n\\unrestrict abc123\n"
    script = read_script(text)
    assert len(script.statements) == 1
    assert "\\" not in script.text
    assert len(script.text) == len(text)
    assert script.text.index("SET") == text.index("SET")


def test_a_byte_order_mark_is_left_out_and_places_stay() -> None:
    text = "\ufeffSELECT 1; SELECT '\ufeff'"
    assert read_script(text).text == " SELECT 1; SELECT '\ufeff'"
    written = csv_writer.parse_parameters({"query": "\ufeffSELECT 1", "path": "a", "#connection": URL})
    assert written.query == "SELECT 1"


def test_a_transformation_names_statement_and_line() -> None:
    with pytest.raises(UserError, match=r"statement 2, line 3: COMMIT is not allowed"):
        sql_transformation.parse_parameters(
            {"statements": ["SELECT 1", "SELECT 1;\n\nCOMMIT;"], "#connection": URL}
        )
    with pytest.raises(UserError, match=r"statement 1, line 2: COPY"):
        sql_transformation.parse_parameters({"statements": "-- x\nCOPY t FROM STDIN", "#connection": URL})


@pytest.mark.parametrize(("query", "count"), [("SELECT 1; SELECT 2", "2"), ("-- nothing", "none")])
def test_a_writers_query_is_one_statement(query: str, count: str) -> None:
    with pytest.raises(UserError, match=f"must be one statement; it has {count}"):
        csv_writer.parse_parameters({"query": query, "path": "a", "#connection": URL})


HOSTILE = [
    "/* a */ " * 200_000,
    "-- a\n" * 200_000,
    "/*" * 400_000,
    "/* /* */" * 100_000,
    "$a" * 400_000,
    "$" * 800_000,
    "e'" * 400_000,
    "'" * 800_001,
    "\\restrict\n" * 80_000,
    "(" * 800_000,
    "a" * 800_000,
    "SELECT 1;\n" * 80_000,
]


def test_hostile_texts_are_read_within_a_budget_of_cpu() -> None:
    """Number 14: 24 leading comments took 35 seconds; here a process may use 60 for all of these together."""
    code = (
        "from tests.unit.components.test_sql_text import HOSTILE\n"
        "from orchestrator_components.sql_text import read_script\n"
        "for text in HOSTILE: read_script(text)\n"
    )
    limits = (60, 60)
    done = subprocess.run(
        [sys.executable, "-c", code],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, limits),
        capture_output=True,
        text=True,
        timeout=110,
    )
    assert done.returncode == 0, done.stderr
