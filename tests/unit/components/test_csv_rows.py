"""CSV rows to COPY text: escapes, nulls, columns, and which row is at fault."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator_components.contract import UserError
from orchestrator_components.copy_text import NULL_MARKER, copy_text, pick
from orchestrator_components.csv_rows import CsvRows

ESCAPES = {"\\\\": "\\", "\\n": "\n", "\\r": "\r", "\\t": "\t", "\\x01": "\x01"}


def converted(
    text: str,
    columns: list[str],
    nulls: tuple[str, ...] = ("", "NA"),
    *,
    kind: str = "text",
    trim: bool = False,
) -> str:
    rows = CsvRows(io.StringIO(text, newline=""), ",", trim=trim)
    picked = pick(rows.header, dict.fromkeys(columns, kind), nulls)
    return b"".join(copy_text(rows, picked)).decode()


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


def test_in_quotes_a_text_is_that_text() -> None:
    """Number 32: an empty text and nothing were the same."""
    assert converted('a,b,c\n"NA","",\n', ["a", "b", "c"]) == f"NA\t\t{NULL_MARKER}\n"


def test_in_quotes_nothing_stays_nothing_where_no_text_can_be() -> None:
    line = f"{NULL_MARKER}\t{NULL_MARKER}\n"
    assert converted('a,b\n"NA",""\n', ["a", "b"], kind="integer") == line


def test_a_blank_line_is_a_row_of_a_file_with_one_column() -> None:
    """Number 32: of five rows three came back."""
    assert converted('a\nx\n\n""\n\ny\n', ["a"]) == f"x\n{NULL_MARKER}\n\n{NULL_MARKER}\ny\n"
    assert converted("a\n\n", ["a"], nulls=()) == "\n"


def test_a_row_is_one_line_whatever_is_in_it() -> None:
    assert converted('a\n"x\ty\nz\\"\n', ["a"]) == "x\\ty\\nz\\\\\n"


def test_blank_lines_are_no_rows_of_a_file_with_several_columns() -> None:
    assert converted("a,b\n1,2\n\n3,4\n\n", ["a", "b"]) == "1\t2\n3\t4\n"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_kind_of_line_end(end: str) -> None:
    assert converted(end.join(["a,b", '1,"2"', '"3",4']), ["a", "b"]) == "1\t2\n3\t4\n"


def test_quotes_inside_of_a_plain_value_are_characters() -> None:
    assert converted('a,b\n5" pipe,x"y"\n', ["a", "b"]) == '5" pipe\tx"y"\n'


def test_blanks_are_trimmed_where_asked() -> None:
    text = 'id, name\t\n 1 , "a ""b"" " \n2,\n'
    assert converted(text, ["id", "name"], trim=True) == f'1\ta "b" \n2\t{NULL_MARKER}\n'
    assert converted(" a \n \n x \n", ["a"], trim=True) == f"{NULL_MARKER}\nx\n"


# Surrogates are no UTF-8.
VALUES = st.text(st.characters(exclude_categories=["Cs"]), max_size=8) | st.sampled_from(
    ["NA", "\\N", "\x01"]
)


@given(st.lists(st.tuples(VALUES, VALUES), max_size=8))
def test_every_value_arrives_as_it_was(rows: list[tuple[str, str]]) -> None:
    file = io.StringIO(newline="")
    csv.writer(file, quoting=csv.QUOTE_ALL).writerows([("a", "b"), *rows])

    lines = converted(file.getvalue(), ["a", "b"]).split("\n")[:-1]

    assert [tuple(decoded(field) for field in line.split("\t")) for line in lines] == rows


@given(st.text(alphabet='a,"\n\r x', max_size=30))
def test_what_is_read_is_what_pythons_reader_reads(text: str) -> None:
    """Apart from blank lines and blanks, both read or refuse the same."""
    whole = "a,b\n" + text
    try:
        expected = [row for row in csv.reader(io.StringIO(whole, newline=""), strict=True) if row][1:]
    except csv.Error:
        expected = None
    if expected is not None and any(len(row) != 2 for row in expected):
        expected = None
    try:
        rows = list(CsvRows(io.StringIO(whole, newline=""), ","))
    except UserError:
        assert expected is None
    else:
        assert rows == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n3\n", r"row 2 \(line 3\) has 1 fields, but the header has 2"),
        ('a,b\n"1\n1",2\n3,4,5\n', r"row 2 \(line 4\) has 3 fields"),
        ('a,b\n1,"2\n3,4\n', r"row 1 \(line 2\): the quoted field that starts here is never closed"),
        (
            'a,b\n1,2\n3,"4\n5\n""6\n7,8\n',
            r"row 2 \(line 3\): the quoted field that starts here is never closed",
        ),
        ('a,"b\n', r"the header \(line 1\): the quoted field that starts here is never closed"),
        (
            'a,b\n"1"x,2\n',
            r"row 1 \(line 2\): 'x' follows a closing quote; write a quote inside a quoted field twice",
        ),
        ("", "the file is empty"),
        ("\n", "the first line is blank; remove it"),
        ("\r\na,b\n1,2\n", "the first line is blank; remove it"),
        ("a,c\n1,2\n", "the header has no column 'b'; its columns: a, c$"),
        ("a, b\n1,2\n", "no column 'b'; its columns: a, ' b'; ' b' begins with a space: set trim: true"),
        ("a,b \n1,2\n", "'b ' ends with a space: set trim: true"),
        ("a,\u00a0b\n1,2\n", r"its columns: a, '\\xa0b'; '\\xa0b' begins with a space"),
        ("a,B\n1,2\n", "write it as 'B': column names are case-sensitive"),
        ("a;b\n1;2\n", "is the delimiter ';'?"),
        ("a,b,b\n1,2,3\n", "the header contains column 'b' 2 times"),
    ],
)
def test_the_faulty_place_is_named(text: str, message: str) -> None:
    """Number 38: words that misled."""
    with pytest.raises(UserError, match=message):
        converted(text, ["a", "b"])


def test_a_file_without_line_ends_is_not_read_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orchestrator_components.csv_rows.LONGEST_FIELD", 100)

    with pytest.raises(UserError, match="a line is longer than 100 characters"):
        converted("a" * 1000, ["a"])
    with pytest.raises(UserError, match=r"row 1 \(line 2\): the quoted field that starts here is longer"):
        converted('a\n"' + "x\n" * 200, ["a"])


@pytest.mark.parametrize(
    ("content", "place"),
    [
        (b"a,b\n1,2\n3,caf\xe9\n", r"row 2 \(line 3\): byte 0xE9 is not valid UTF-8; set the encoding"),
        (b'a,b\n1,2\n"3\n4",\xff\n', r"row 2 \(line 4\): byte 0xFF"),
        (b"a,\xe9\n1,2\n", r"the header \(line 1\): byte 0xE9"),
        (b"a,b\n" + b"1,2\n" * 5000 + b"1,\xe9\n", r"row 5001 \(line 5002\): byte 0xE9"),
    ],
)
def test_the_byte_that_is_not_utf8_is_named(content: bytes, place: str) -> None:
    """Number 38: it was "after row 0", wherever it stood."""
    file = io.TextIOWrapper(io.BytesIO(content), encoding="utf-8", errors="surrogateescape", newline="")
    with pytest.raises(UserError, match=place):
        list(CsvRows(file, ","))
