"""Lines of a log that comes in pieces: numbered, searched, and put together."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from orchestrator_api.runs.log_lines import LINE_CHARACTERS, Level, Lines, LogLine, WholeText, level_of
from orchestrator_api.runs.log_search import OPEN_CHARACTERS, LogSearch

START = datetime(2026, 11, 30, 5, 30, tzinfo=UTC)


@dataclass(frozen=True)
class APiece:
    text: str
    stream: str = "stdout"
    attempt: int = 1
    at: datetime = START


def lines_of(pieces: Sequence[APiece], number: int = 1) -> list[LogLine]:
    lines = Lines(number)
    return [line for piece in pieces for line in lines.feed(piece)] + list(lines.finish())


def shown(pieces: Sequence[APiece]) -> list[tuple[int, str]]:
    return [(line.number, line.text) for line in lines_of(pieces)]


def test_lines_are_put_together_across_pieces() -> None:
    later = START + timedelta(seconds=1)
    lines = lines_of([APiece("one\ntw"), APiece("o\r\n", at=later), APiece("\nlast")], 7)
    assert [(line.number, line.text, line.at) for line in lines] == [
        (7, "one", START),
        (8, "two", START),
        (9, "", START),
        (10, "last", START),
    ]


def test_another_stream_or_attempt_begins_a_line() -> None:
    pieces = [
        APiece("reading"),
        APiece("ERROR: x\n", "stderr"),
        APiece(" done\n"),
        APiece("cut"),
        APiece("again\n", attempt=2),
    ]
    assert shown(pieces) == [(1, "reading"), (2, "ERROR: x"), (3, " done"), (4, "cut"), (5, "again")]
    assert [(line.stream, line.attempt) for line in lines_of(pieces)][1::3] == [("stderr", 1), ("stdout", 2)]


def test_a_very_long_line_is_cut_and_counted_once() -> None:
    pieces = [APiece("x" * LINE_CHARACTERS), APiece("y\nnext\n")]
    long, following = lines_of(pieces)
    assert (long.text, long.is_cut) == ("x" * LINE_CHARACTERS, True)
    assert (following.number, following.is_cut) == (2, False)


def test_the_whole_text_has_the_same_lines() -> None:
    chance = random.Random(11)
    pieces = [
        APiece("".join(chance.choices("ab\n", k=chance.randint(1, 9))), chance.choice(("stdout", "stderr")))
        for _ in range(500)
    ]
    whole = WholeText()
    text = "".join(whole.feed(piece) for piece in pieces)
    assert text.removesuffix("\n").split("\n") == [line for _, line in shown(pieces)]


def test_search_finds_what_reading_every_line_finds() -> None:
    chance = random.Random(12)
    for _ in range(200):
        pieces = [
            APiece(
                "".join(chance.choices("aB\n", k=chance.randint(1, 12))), chance.choice(("stdout", "stderr"))
            )
            for _ in range(20)
        ]
        wanted = "".join(chance.choices("Ab", k=chance.randint(1, 3)))
        first = chance.randint(1, 4)
        search = LogSearch(wanted, first=first)
        for piece in pieces:
            search.feed(piece)
        expected = [
            (number, text)
            for number, text in shown(pieces)
            if wanted.lower() in text.lower() and number >= first
        ]
        assert [hit.number for hit in search.hits] == [number for number, _ in expected]


def test_a_hit_in_a_long_line_is_shown_with_what_is_around_it() -> None:
    search = LogSearch("Needle")
    for text in (
        "ERROR " + "x" * 300,
        "y" * 3 * OPEN_CHARACTERS,
        "NEE",
        "dle" + "z" * 5000,
        "needle\nnext\n",
    ):
        search.feed(APiece(text))
    (hit,) = search.hits
    assert (hit.number, hit.is_cut) == (1, True)
    assert "NEEdle" in hit.text
    assert len(hit.text) <= 400


def test_a_short_line_is_shown_whole_with_its_level() -> None:
    search = LogSearch("opted_in")
    search.feed(APiece("connected\nERROR: column r.opt", "stderr"))
    search.feed(APiece("ed_in does not exist\r\n", "stderr"))
    (hit,) = search.hits
    assert (hit.number, hit.text) == (2, "ERROR: column r.opted_in does not exist")
    assert (hit.level, hit.stream, hit.is_cut) == (Level.ERROR, "stderr", False)


def test_search_ends_when_it_is_full_and_says_where() -> None:
    search = LogSearch("a", most=3)
    search.feed(APiece("a\nb\na\na\na\n"))
    assert search.is_full
    assert [hit.number for hit in search.hits] == [1, 3, 4]
    assert search.next_line == 5


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("ERROR: column r.opted_in does not exist", Level.ERROR),
        ("2026-11-30 05:36:52,874 [main] WARN  slow query", Level.WARNING),
        ("\x1b[31mERROR\x1b[0m no such table", Level.ERROR),
        ('{"level": "warning", "event": "retry"}', Level.WARNING),
        ("time=05:30 level=info msg=done", Level.INFO),
        ("ValueError: 3 is not a date", Level.ERROR),
        ("psycopg.errors.UndefinedColumnError: x", Level.ERROR),
        ("error: pathspec 'x' did not match", Level.ERROR),
        ("fatal error: too many rows", Level.ERROR),
        ("DEBUG:root:asked", Level.DEBUG),
        ("0 errors, 3 warnings", None),
        ("reading ERROR_LOG.csv", None),
        ("the level: of the water", None),
        ("done in 18 ms", None),
        ("", None),
    ],
)
def test_level_of_a_line(text: str, level: Level | None) -> None:
    assert level_of(text) == level
