"""Numbers the lines of a log, whose pieces end anywhere.

A line ends with "\\n", or where the log goes on with another attempt or the other stream.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, Protocol

LINE_CHARACTERS: Final = 4096
"""How much of a line is shown: 1,000 lines fit into one answer."""


class Piece(Protocol):
    """A piece of a log."""

    @property
    def attempt(self) -> int: ...
    @property
    def at(self) -> datetime: ...
    @property
    def stream(self) -> str: ...
    @property
    def text(self) -> str: ...


class Level(StrEnum):
    """How serious a line says it is."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"
    DEBUG = "debug"


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line of a log, without its end."""

    number: int
    at: datetime
    attempt: int
    stream: str
    text: str
    is_cut: bool = False
    """Whether there is more of this line than `text`."""
    beginning: str = ""
    """Of the line, if `text` is another part of it."""

    @property
    def level(self) -> Level | None:
        """None if it does not say. Of most lines that are read nobody asks."""
        return level_of(self.beginning or self.text)


class Lines:
    """Puts the pieces of a log together into lines; `number` is that of the first one."""

    def __init__(self, number: int = 1) -> None:
        self.number = number
        """Of the line that comes next, or goes on."""
        self._begun: Piece | None = None
        """The piece in which the current line began."""
        self._text = ""
        self._is_cut = False

    def feed(self, piece: Piece) -> Iterator[LogLine]:
        """The lines that end in this piece, or before it."""
        if self._begun is not None and source_of(self._begun) != source_of(piece):
            yield self._end()
        *ended, rest = piece.text.split("\n")
        for text in ended:
            self._add(piece, text)
            yield self._end()
        if rest:
            self._add(piece, rest)

    def finish(self) -> Iterator[LogLine]:
        """The last line, if it has no end."""
        if self._begun is not None:
            yield self._end()

    def _add(self, piece: Piece, text: str) -> None:
        self._begun = self._begun or piece
        room = LINE_CHARACTERS - len(self._text)
        self._is_cut = self._is_cut or len(text) > room
        self._text += text[:room]

    def _end(self) -> LogLine:
        assert self._begun is not None
        line = line_of(self.number, self._begun, self._text, is_cut=self._is_cut)
        self.number += 1
        self._begun, self._text, self._is_cut = None, "", False
        return line


def source_of(piece: Piece) -> tuple[int, str]:
    """What wrote a piece: where it changes, a new line begins."""
    return piece.attempt, piece.stream


def line_of(number: int, begun: Piece, text: str, *, is_cut: bool = False) -> LogLine:
    """The line as it is shown."""
    return LogLine(number, begun.at, begun.attempt, begun.stream, text.removesuffix("\r"), is_cut)


HEAD = 200
"""Characters of a line in which its level is looked for."""
_COLOUR = re.compile(r"\x1b\[[0-9;]{0,20}m")
_WORD = re.compile(
    r"(?<![\w.-])(FATAL|CRITICAL|SEVERE|PANIC|ERROR|WARNING|WARN|NOTICE|INFO|DEBUG|TRACE)(?![\w.-])"
)
_FIELD = re.compile(r'\b(?:level|severity|levelname)"? ?[=:] ?"?([a-zA-Z]{4,8})\b', re.IGNORECASE)
_BEGINNING = re.compile(r"(fatal|error|warning)(?: \w+)?:")
_RAISED = re.compile(r"(?:\w+\.){0,10}[A-Z]\w{0,80}(?:Error|Exception)(?::|$)")
"""How Python and Java name what was raised."""
_LEVELS: Final = {
    **dict.fromkeys(("fatal", "critical", "severe", "panic", "error"), Level.ERROR),
    **dict.fromkeys(("warning", "warn"), Level.WARNING),
    **dict.fromkeys(("notice", "info"), Level.INFO),
    **dict.fromkeys(("debug", "trace"), Level.DEBUG),
}


def level_of(text: str) -> Level | None:
    """The level that a line names: as a word in capitals, as a field, or as an error at its beginning."""
    head = _COLOUR.sub("", text[:HEAD])
    if field := _FIELD.search(head):
        return _LEVELS.get(field[1].lower())
    if found := _BEGINNING.match(head) or _WORD.search(head):
        return _LEVELS[found[1].lower()]
    return Level.ERROR if _RAISED.match(head) else None


class WholeText:
    """Puts the pieces of a log together into one text that has the same lines."""

    def __init__(self) -> None:
        self._last: Piece | None = None

    def feed(self, piece: Piece) -> str:
        """The text to append; it begins with the line end that another attempt or stream implies."""
        last, self._last = self._last, piece
        breaks = last is not None and source_of(last) != source_of(piece) and not last.text.endswith("\n")
        return f"\n{piece.text}" if breaks else piece.text
