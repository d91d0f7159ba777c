"""Text that a program wrote for a terminal, as HTML: colours and bold as classes, what was looked for marked.

Of all that steers a terminal only these are kept; `plain` removes the rest.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from markupsafe import escape

from orchestrator_api.web.runs.words import plain

MOST_CHANGES: Final = 200
"""Changes of colour in one line that are followed."""
MOST_MARKS: Final = 100
"""Of one line."""
_SGR = re.compile(r"\x1b\[([0-9;:]{0,64})m")
_MORE = {"5": 1, "2": 3}
"""How many numbers follow `38;5` and `38;2`, which choose one of many colours."""


@dataclass(slots=True)
class _Look:
    colour: int | None = None
    is_bold: bool = False

    @property
    def classes(self) -> str:
        names = [f"o-ansi-{self.colour}"] if self.colour is not None else []
        return " ".join([*names, *(["o-ansi-bold"] if self.is_bold else [])])

    def change(self, codes: str) -> None:
        """Colons separate the parts of one code, of which none is known here."""
        rest = iter(codes.split(";"))
        for code in rest:
            if code in ("38", "48", "58"):
                self.colour = None if code == "38" else self.colour
                for _ in range(_MORE.get(next(rest, ""), 0)):
                    next(rest, None)
            elif code.isdigit() or not code:
                self._change(int(code or 0))

    def _change(self, code: int) -> None:
        if code == 0:
            self.colour, self.is_bold = None, False
        elif code in (1, 22):
            self.is_bold = code == 1
        elif code == 39:
            self.colour = None
        elif 30 <= code <= 37 or 90 <= code <= 97:
            self.colour = code


def line_html(text: str, wanted: str = "") -> str:
    """A line of a log; colours end with it."""
    if not wanted and "\x1b" not in text:
        return str(escape(plain(text)))
    pieces = list(_pieces(text))
    marks = _marks("".join(piece for piece, _ in pieces), wanted) if wanted else []
    return "".join(_drawn(pieces, marks))


def _pieces(text: str) -> Iterator[tuple[str, str]]:
    """Parts of the line and their classes."""
    look, at = _Look(), 0
    for count, found in enumerate(_SGR.finditer(text)):
        if count >= MOST_CHANGES:
            break
        if part := plain(text[at : found.start()]):
            yield part, look.classes
        look.change(found[1])
        at = found.end()
    if part := plain(text[at:]):
        yield part, look.classes


def _marks(text: str, wanted: str) -> list[tuple[int, int]]:
    found = re.finditer(re.escape(wanted), text, re.IGNORECASE)
    return [each.span() for each, _ in zip(found, range(MOST_MARKS), strict=False)]


def _drawn(pieces: list[tuple[str, str]], marks: list[tuple[int, int]]) -> Iterator[str]:
    begin, left = 0, list(reversed(marks))
    for text, classes in pieces:
        at, end = begin, begin + len(text)
        while at < end:
            while left and left[-1][1] <= at:
                left.pop()
            is_marked = bool(left) and left[-1][0] <= at
            until = min(end, left[-1][is_marked]) if left else end
            part = escape(text[at - begin : until - begin])
            shown = f"<mark>{part}</mark>" if is_marked else str(part)
            yield f'<span class="{classes}">{shown}</span>' if classes else shown
            at = until
        begin = end
