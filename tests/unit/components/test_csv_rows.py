"""CSV rows to COPY text: escapes, nulls, columns, and which row is at fault."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator_components.contract import UserError
from orchestrator_components.csv_rows import NULL_MARKER, CsvRows, copy_text, pick_columns

ESCAPES = {"\\\\": "\\", "\\n": "\n", "\\r": "\r", "\\t": "\t", "\\x01": "\x01"}


def converted(text: str, columns: list[str], nulls: tuple[str, ...] = ("", "NA")) -> str:
    rows = CsvRows(io.StringIO(text, newline=""), ",")
    return b"".join(copy_text(rows, pick_columns(rows.header, columns), nulls)).decode()


def decoded(field: str) -> str | None:
    """What PostgreSQL makes of a field of COPY text."""
    if field == NULL_MARKER:
        return None
    out, rest = "", field
    while rest:
        escape = next((known for known in ESCAPES if rest.startswith(known)), None)
        out += ESCAPES[escape] if escape else rest[0]
        rest = rest[len(escape) if escape else 1 :]
    return out


def test_columns_are_picked_in_the_wanted_order() -> None:
    assert converted("a,b,c\n1,2,3\n", ["c", "a"]) == "3\t1\n"
    assert converted("a,b\n1,2\n", ["b"]) == "2\n"


def test_null_values_become_nulls() -> None:
    assert converted("a,b,c\nNA,,x\n", ["a", "b", "c"]) == f"{NULL_MARKER}\t{NULL_MARKER}\tx\n"
    assert converted("a,b\nNA,\n", ["a", "b"], nulls=()) == "NA\t\n"


def test_a_row_is_one_line_whatever_is_in_it() -> None:
    assert converted('a\n"x\ty\nz\\"\n', ["a"]) == "x\\ty\\nz\\\\\n"


def test_blank_lines_are_no_rows() -> None:
    assert converted("a,b\n1,2\n\n3,4\n\n", ["a", "b"]) == "1\t2\n3\t4\n"


# Surrogates are no UTF-8.
VALUES = st.text(st.characters(exclude_categories=["Cs"]), max_size=8) | st.sampled_from(
    ["NA", "\\N", "\x01"]
)


@given(st.lists(st.tuples(VALUES, VALUES), max_size=8))
def test_every_value_arrives_as_it_was(rows: list[tuple[str, str]]) -> None:
    file = io.StringIO(newline="")
    csv.writer(file, quoting=csv.QUOTE_ALL).writerows([("a", "b"), *rows])

    lines = converted(file.getvalue(), ["a", "b"]).split("\n")[:-1]

    expected = [[None if value in ("", "NA") else value for value in row] for row in rows]
    assert [[decoded(field) for field in line.split("\t")] for line in lines] == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n3\n", r"row 2 \(line 3\) has 1 fields where the header has 2"),
        ('a,b\n"1\n1",2\n3,4,5\n', r"row 2 \(line 4\) has 3 fields"),
        ('a,b\n1,"2\n3,4\n', r"row 1 \(line 3\).*is a quote not closed"),
        ('a,b\n"1"x,2\n', r"row 1 \(line 2\)"),
        ("", "the file is empty"),
        ("\n", "the file is empty"),
        ("a,c\n1,2\n", "the header has no column 'b'; it has: a, c"),
        ("a,b,b\n1,2,3\n", "the header has the column 'b' 2 times"),
    ],
)
def test_the_faulty_place_is_named(text: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        converted(text, ["a", "b"])


def test_a_file_without_line_ends_is_not_read_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orchestrator_components.csv_rows.LONGEST_FIELD", 100)

    with pytest.raises(UserError, match="a line is longer than 100 characters"):
        converted("a" * 1000, ["a"])


def test_broken_utf8_is_a_user_error() -> None:
    file = io.TextIOWrapper(io.BytesIO(b"a,b\n1,\xff\n"), encoding="utf-8", newline="")
    with pytest.raises(UserError, match="not valid UTF-8"):
        list(CsvRows(file, ","))
