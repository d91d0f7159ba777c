"""Named queries: what a file may look like, and what is refused."""

import pytest

from orchestrator_shared.database.queries import Queries, QueryError, parse_queries
from orchestrator_shared.database.templates import quote_identifier, quote_literal, render

FILE = """-- About this file.

-- name: first
SELECT 1;  -- one

-- name: second_one
SELECT 2
WHERE true;
"""


def test_blocks_are_cut_at_their_names() -> None:
    blocks = parse_queries(FILE, file="x.sql")
    assert blocks == [("first", "SELECT 1;  -- one"), ("second_one", "SELECT 2\nWHERE true;")]


def test_parts_are_pasted_into_the_queries_of_their_file() -> None:
    text = "-- name: a\nSELECT 2 WHERE {{part two}}\n-- part: one\n$x\n-- part: two\nx = {{part one}}\n"
    blocks = parse_queries(text, file="x.sql")
    assert blocks == [("a", "SELECT 2 WHERE x = $x")]
    assert Queries(dict(blocks)).parameters("a") == ("x",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "begin each query"),
        ("SELECT 1", "begin each query"),
        ("SELECT 1;\n-- name: a\nSELECT 2", "begin each query"),
        ("-- name: \nSELECT 1", "not a valid query name"),
        ("-- name: Two Words\nSELECT 1", "not a valid query name"),
        ("-- name: a\n-- only a comment\n-- name: b\nSELECT 1", "'a' is empty"),
        ("-- part: a\n-- name: b\nSELECT 1", "'a' is empty"),
        ("-- part: a\n1\n-- part: a\n1\n-- name: b\nSELECT 1", "part 'a' is defined twice"),
        ("-- part: a\n1\n-- name: b\nSELECT {{part c}}", "no part 'c'; there are a"),
    ],
)
def test_malformed_files_are_refused(text: str, message: str) -> None:
    with pytest.raises(QueryError, match=message):
        parse_queries(text, file="x.sql")


def test_queries_come_from_packages_and_unknown_names_list_the_known() -> None:
    queries = Queries.load("orchestrator_shared.database", "journal.sql", "roles.sql")
    assert "create_journal" in queries.names()
    with pytest.raises(QueryError, match="no query 'nothing'; there are "):
        queries["nothing"]
    with pytest.raises(QueryError, match="twice"):
        Queries.load("orchestrator_shared.database", "roles.sql", "roles.sql")


def test_identifiers_and_texts_are_quoted() -> None:
    assert quote_identifier('a"b') == '"a""b"'
    assert quote_literal("it's") == "'it''s'"
    assert quote_literal("a\\'b") == " E'a\\\\''b'"
    assert render("GRANT {{api}} TO {{ x }}", {"api": '"a"', "x": '"b"'}) == 'GRANT "a" TO "b"'
    with pytest.raises(KeyError):
        render("{{unknown}}", {})


def test_parameters_have_names_and_are_given_to_postgresql_by_number() -> None:
    sql = "-- by $nobody\nSELECT $a::text, '$[*]' FROM t WHERE x = $b AND y = $a AND z = $body$ $ $body$"
    queries = Queries({"q": sql, "n": "SELECT $1"})
    numbered = "SELECT $1::text, '$[*]' FROM t WHERE x = $2 AND y = $1 AND z = $body$ $ $body$"
    assert queries["q"] == f"-- by $nobody\n{numbered}"
    assert queries.arguments("q", {"b": 2, "a": 1}) == [1, 2]
    for given in ({"a": 1}, {"a": 1, "b": 2, "c": 3}):
        with pytest.raises(QueryError, match="the query 'q' takes a, b; given were a"):
            queries.arguments("q", given)
    with pytest.raises(QueryError, match="mixes named and numbered"):
        Queries({"q": "SELECT $1, $a"})
