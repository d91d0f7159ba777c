"""The log of a job as pages show it: in blocks; some are there at once, and scripts fetch the others."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from urllib.parse import urlencode
from uuid import UUID

from markupsafe import Markup, escape
from starlette.datastructures import QueryParams

from orchestrator_api.http.session import Session
from orchestrator_api.runs import logs
from orchestrator_api.runs.log_lines import LogLine
from orchestrator_api.runs.logs import Found
from orchestrator_api.web.address_parts import whole_number
from orchestrator_api.web.runs.ansi import line_html
from orchestrator_api.web.viewer import Viewer

BLOCK: Final = 1000
WINDOW: Final = 100
"""Blocks that one page has: all lines of most logs, so that the browser finds and copies them."""
NEAR: Final = 100
"""Lines around the one that is wanted that are there at once."""
LONGEST_SEARCH: Final = 200
MUCH: Final = 200_000
"""Characters that are made into HTML in a thread."""
_CUT_OFF = re.compile(r"\[log cut off: more than [0-9]+ bytes\]")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an address says about the log."""

    line: int | None = None
    first: int | None = None
    is_end: bool = False
    text: str = ""
    """What is looked for; empty if nothing is."""
    hit: int | None = None
    """Which of the lines found, from 1."""
    is_wrapped: bool = False

    @staticmethod
    def read(query: QueryParams) -> "Wanted":
        """Whatever it may not say is passed over."""
        return Wanted(
            line=whole_number(query.get("line")),
            first=whole_number(query.get("from")),
            is_end=query.get("log") == "end",
            text="".join(query.get("q", "").splitlines())[:LONGEST_SEARCH].strip(),
            hit=whole_number(query.get("hit")),
            is_wrapped=query.get("wrap") == "1",
        )


@dataclass(frozen=True, slots=True)
class Block:
    """Some lines; `html` is None as long as they have not been fetched."""

    first: int
    last: int
    html: Markup | None = None

    @property
    def height(self) -> int:
        """Lines, rounded up: there is a class for each fifty."""
        return -(-(self.last - self.first + 1) // 50) * 50


@dataclass(frozen=True, slots=True)
class ShownLog:
    """A part of a job's log, and the ways to the others."""

    job: UUID
    keep: Mapping[str, str]
    """What each address of a line says, too."""
    wanted: Wanted
    blocks: Sequence[Block] = ()
    total: int = 0
    marked: int | None = None
    """The line that the address names, or else that of the error."""
    error: int | None = None
    found: Found | None = None
    is_finished: bool = False
    """Whether the job has ended, and no line comes any more."""

    @property
    def first(self) -> int:
        return self.blocks[0].first if self.blocks else 1

    @property
    def last(self) -> int:
        return self.blocks[-1].last if self.blocks else 0

    @property
    def earlier(self) -> int | None:
        """Where the part before this one begins."""
        return max(1, self.first - BLOCK * WINDOW) if self.first > 1 else None

    @property
    def later(self) -> int | None:
        """Where the part behind this one begins."""
        return self.last + 1 if self.last < self.total else None

    @property
    def hit(self) -> int:
        """Which of the lines found is shown, from 1; 0 if there is none."""
        if not self.found or not self.found.hits:
            return 0
        if self.wanted.hit:
            return min(self.wanted.hit, self.found.count)
        numbers = [line.number for line in self.found.hits]
        return next((at for at, number in enumerate(numbers, 1) if number >= (self.wanted.line or 1)), 1)

    def query(self, **more: str | int | None) -> str:
        """`?task=…&line=22`: another part of this log."""
        return f"?{urlencode({**self.keep, **{name: each for name, each in more.items() if each}})}"

    @property
    def other_wrap(self) -> str:
        """The address of the same with long lines broken, or no longer."""
        kept = {name: each for name, each in self.keep.items() if name != "wrap"}
        return replace(self, keep=kept).query(
            wrap=None if self.wanted.is_wrapped else 1, q=self.wanted.text, line=self.wanted.line
        )

    def to_hit(self, by: int) -> str:
        """The address of the Previous match or behind this one; the first follows the last."""
        assert self.found
        place = (self.hit - 1 + by) % self.found.count
        line = self.found.hits[place].number
        return f"{self.query(q=self.wanted.text, hit=place + 1, line=line)}#L{line}"


async def shown_log(
    session: Session, job: UUID, keep: Mapping[str, str], wanted: Wanted, error: int | None, viewer: Viewer
) -> ShownLog:
    """The blocks around the line that is wanted, or that of the error; else the last one."""
    found = await logs.search(session, job, text=wanted.text) if wanted.text else None
    log = ShownLog(job, {**keep, **_wrapped(wanted)}, wanted, error=error, found=found)
    marked = wanted.line or (found and log.hit and found.hits[log.hit - 1].number) or None
    place = None if wanted.is_end else wanted.first or marked or error
    near = 0 if wanted.first else NEAR
    part = await _blocks(session, job, place, near)
    log = replace(log, marked=marked or error, total=part.total_lines, is_finished=part.finished)
    lines = await rendered(session, log, part.lines, viewer)
    return replace(log, blocks=blocks(log.total, lines, place))


async def _blocks(session: Session, job: UUID, place: int | None, near: int) -> logs.LinesPart:
    """The lines of the blocks around this one; the last ones if it is None, or behind them."""
    if place is not None:
        first, last = (_begin(max(1, place + by)) for by in (-near, near))
        part = await logs.lines(session, job, first=first, count=last + BLOCK - first)
        if part.lines or not part.total_lines:
            return part
    part = await logs.lines(session, job, first=None, count=BLOCK)
    begin = _begin(part.total_lines)
    return replace(part, lines=[line for line in part.lines if line.number >= begin])


def _begin(line: int) -> int:
    """Where the block of this line begins."""
    return (max(line, 1) - 1) // BLOCK * BLOCK + 1


def _wrapped(wanted: Wanted) -> dict[str, str]:
    return {"wrap": "1"} if wanted.is_wrapped else {}


def blocks(total: int, lines: Mapping[int, str], place: int | None) -> list[Block]:
    """All blocks of the window with this line, or the last one; filled as far as there are lines."""
    if not total:
        return []
    span = BLOCK * WINDOW
    begin = (min(place or total, total) - 1) // span * span + 1
    made = []
    for first in range(begin, min(begin + span, total + 1), BLOCK):
        last = min(first + BLOCK - 1, total)
        html = "".join(lines[number] for number in range(first, last + 1)) if last in lines else None
        made.append(Block(first, last, None if html is None else Markup(html)))  # noqa: S704  made by `_item`
    return made


async def rendered(
    session: Session, log: ShownLog, lines: Sequence[LogLine], viewer: Viewer
) -> dict[int, str]:
    """Each line as HTML by its number."""
    if sum(len(line.text) for line in lines) > MUCH:
        return await session.offload.run(_rendered, log, lines, viewer)
    return _rendered(log, lines, viewer)


def _rendered(log: ShownLog, lines: Sequence[LogLine], viewer: Viewer) -> dict[int, str]:
    start = str(escape(f"?{urlencode(log.keep)}&" if log.keep else "?"))
    times = {at: _time(at, viewer) for at in {line.at for line in lines}}
    return {line.number: _item(line, log, start, times[line.at]) for line in lines}


def _time(at: datetime, viewer: Viewer) -> str:
    """Of a piece of the log, and so of many lines."""
    exact = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return f'<time datetime="{exact}">{viewer.exact(at)}</time>'


def _item(line: LogLine, log: ShownLog, start: str, time: str) -> str:
    """`<li>`; with a hundred thousand of them on a page, each says only what it must."""
    number = line.number
    is_error = line.level == "error" or number == log.error
    more = ' data-level="error"' if is_error else ' data-cut=""' if _CUT_OFF.fullmatch(line.text) else ""
    more += " data-marked" if number == log.marked else ""
    text, rest = line_html(line.text, log.wanted.text), " …" if line.is_cut else ""
    return (
        f'<li id="L{number}"{more}><a href="{start}line={number}#L{number}">{number}</a>'
        f"{time}<span>{text}{rest}</span></li>\n"
    )


async def part_from(
    session: Session, job: UUID, keep: Mapping[str, str], wanted: Wanted, viewer: Viewer
) -> ShownLog:
    """The lines from one on, to the end of its block."""
    first = wanted.first or 1
    part = await logs.lines(session, job, first=first, count=_begin(first) + BLOCK - first)
    log = ShownLog(
        job, {**keep, **_wrapped(wanted)}, wanted, total=part.total_lines, is_finished=part.finished
    )
    if not part.lines:
        return log
    lines = await rendered(session, log, part.lines, viewer)
    return replace(log, blocks=[Block(min(lines), max(lines), Markup("".join(lines.values())))])  # noqa: S704
