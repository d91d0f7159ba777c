"""Text of others is made fit for a mail."""

import unicodedata
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from orchestrator_notifier.domain.text import instant, lines, one_line, paragraph, span

ANYTHING = st.text(st.characters(codec=None, exclude_categories=()), max_size=400)


@given(ANYTHING)
@example("a\r\nBcc: b@example.com")
@example("\x1b[31mred\x1b[0m \u202egnp.exe \ud800 \x00\u2028next\x85")
def test_one_line_is_one_printable_line(text: str) -> None:
    made = one_line(text, 80)
    assert len(made) <= 80
    assert len(made.splitlines()) <= 1
    assert not any(unicodedata.category(character) in {"Cc", "Cf", "Cs"} for character in made)
    made.encode()


@given(ANYTHING)
def test_lines_are_bounded_and_printable(text: str) -> None:
    made = lines(text, limit=5, width=40)
    assert len(made) <= 5
    for line in made:
        assert len(line) <= 40
        assert not any(unicodedata.category(character) in {"Cc", "Cf", "Cs"} for character in line)


def test_what_is_left_is_what_people_wrote() -> None:
    assert one_line("it  broke\n\tbadly: “ž”", 80) == "it broke badly: “ž”"
    assert one_line("\x1b[1;31mred\x1b[0m \x1b]0;title\x07text", 80) == "red text"
    assert one_line("abcdef", 4) == "abc…"
    assert lines("\n\n1\n\n2\t3\n\n", limit=20, width=80) == ["1", "", "2   3"]
    assert paragraph("one\r\ntwo\u2028three", 80) == "one\ntwo\nthree"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.04, "0.0 s"),
        (9.94, "9.9 s"),
        (42, "42 s"),
        (59.7, "1 min"),
        (61, "1 min 1 s"),
        (3600, "1 h"),
        (3700, "1 h 1 min"),
        (90000, "1 d 1 h"),
        (172799.9, "2 d"),
        (-5, "0.0 s"),
    ],
)
def test_spans(seconds: float, text: str) -> None:
    begin = datetime(2026, 3, 1, tzinfo=UTC)
    assert span(begin, begin + timedelta(seconds=seconds)) == text


def test_times_are_in_utc() -> None:
    assert instant(datetime.fromisoformat("2026-03-01T06:30:00+01:00")) == "2026-03-01 05:30:00 UTC"
    assert span(None, None) is None
