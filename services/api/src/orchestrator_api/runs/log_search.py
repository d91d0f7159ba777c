"""Searches a log piece by piece: plain text, in upper or lower case, whole lines as hits."""

from dataclasses import replace
from typing import Final

from orchestrator_api.runs.log_lines import HEAD, LogLine, Piece, line_of, source_of

MAX_HITS: Final = 1000
OPEN_CHARACTERS: Final = 1024
"""How much of a line that goes on is kept: what is looked for is shorter, and there may be many pieces."""
EXCERPT: Final = 400
"""Characters of a long line that are shown, around what was found."""
BEFORE: Final = 100


class LogSearch:
    """Finds the lines that contain a text.

    `number` is that of the line in which the first piece begins; lines before `first` are passed over.
    """

    def __init__(self, wanted: str, number: int = 1, *, first: int = 1, most: int = MAX_HITS) -> None:
        self._wanted = wanted.lower()
        self._first = first
        self._most = most
        self.hits: list[LogLine] = []
        self._number = number
        """Of the line that comes next, or goes on."""
        self._begun: Piece | None = None
        """The piece in which the current line began; None between two lines."""
        self._open = ""
        """The end of the current line, as far as it has been read."""
        self._is_cut = False
        """Whether `_open` is not all of it."""
        self._is_hit = False
        """Whether the current line is a hit already."""

    @property
    def is_full(self) -> bool:
        """Whether there are as many hits as were wanted, so that the search ends."""
        return len(self.hits) >= self._most

    @property
    def next_line(self) -> int:
        """The first line that has not been searched to its end."""
        return self._number + self._is_hit

    def feed(self, piece: Piece) -> None:
        """Look at the next piece; does nothing once the search is full."""
        if self._begun is not None and source_of(self._begun) != source_of(piece):
            self._end_line()
        text = self._open + piece.text
        if self._wanted in text.lower():
            self._look(piece, text)
        else:
            self._pass(piece, text)

    def _pass(self, piece: Piece, text: str) -> None:
        """Count the lines of a text without hits."""
        ends = piece.text.count("\n")
        if ends:
            self._number += ends
            self._begun, self._is_cut, self._is_hit = None, False, False
        self._keep(piece, text[text.rfind("\n") + 1 :])

    def _look(self, piece: Piece, text: str) -> None:
        *ended, rest = text.split("\n")
        for line in ended:
            self._check(piece, line)
            if self.is_full:
                return
            self._end_line()
        self._check(piece, rest)
        self._keep(piece, rest)

    def _check(self, piece: Piece, line: str) -> None:
        if self._is_hit or self._number < self._first:
            return
        at = line.lower().find(self._wanted)
        if at < 0:
            return
        start = max(0, at - BEFORE) if len(line) > EXCERPT else 0
        shown = line[start : start + EXCERPT]
        hit = line_of(
            self._number, self._begun or piece, shown, is_cut=self._is_cut or len(shown) < len(line)
        )
        self.hits.append(replace(hit, beginning=line[:HEAD]))
        self._is_hit = True

    def _keep(self, piece: Piece, rest: str) -> None:
        if rest:
            self._begun = self._begun or piece
        self._is_cut = self._is_cut or len(rest) > OPEN_CHARACTERS
        self._open = rest[-OPEN_CHARACTERS:]

    def _end_line(self) -> None:
        self._number += 1
        self._begun, self._open, self._is_cut, self._is_hit = None, "", False, False
