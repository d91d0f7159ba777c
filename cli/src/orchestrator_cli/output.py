"""Output for people and for programs: consoles, tables, JSON, times."""

import json
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

PIPE_WIDTH = 240
MIN_COLUMN_WIDTH = 8
"""Narrower columns break every word."""
_CONTROLS = [*range(0x09), *range(0x0B, 0x20), *range(0x7F, 0xA0)]
_DIRECTIONS = [*range(0x202A, 0x202F), *range(0x2066, 0x206A)]
_HARMFUL = {code: f"\\x{code:02x}" for code in _CONTROLS} | {code: f"\\u{code:04x}" for code in _DIRECTIONS}
_HARMFUL_IN_JSON = {code: f"\\u{code:04x}" for code in (*range(0x7F, 0xA0), *_DIRECTIONS)}
"""Characters that JSON need not escape; escaped, they mean the same to a program."""
STATUS_STYLES = {
    "success": "green",
    "warning": "yellow",
    "error": "bold red",
    "terminated": "red",
    "cancelled": "red",
    "terminating": "red",
    "processing": "cyan",
    "waiting": "blue",
    "created": "blue",
    "skipped": "dim",
    "pending": "dim",
    "not_executed": "dim",
}


def console() -> Console:
    """As wide as the terminal; in a pipe, wide enough for everything."""
    screen = Console(highlight=False)
    if not screen.is_terminal:
        return Console(highlight=False, width=PIPE_WIDTH)
    if screen.is_dumb_terminal:  # Rich assumes 80 columns for these
        columns, lines = shutil.get_terminal_size()
        return Console(highlight=False, width=columns, height=lines)
    return screen


def can_redraw(screen: Console) -> bool:
    """Whether lines that were printed can be replaced; TERM=dumb says that they cannot."""
    return screen.is_terminal and not screen.is_dumb_terminal


def error_console() -> Console:
    return Console(stderr=True, highlight=False, soft_wrap=True)


def print_json(value: Any) -> None:
    text = json.dumps(value, indent=2, ensure_ascii=False).translate(_HARMFUL_IN_JSON)
    print(text if is_writable(text) else json.dumps(value, indent=2))


def print_line(value: Any) -> None:
    """One value of JSON lines."""
    text = json.dumps(value, ensure_ascii=False).translate(_HARMFUL_IN_JSON)
    print(text if is_writable(text) else json.dumps(value))


def is_writable(text: str) -> bool:
    """Whether the encoding of standard output has every character of the text."""
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return False
    return True


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, empty: str = "") -> None:
    """A table for people; the first column names the row and never wraps; in a pipe, nothing wraps.

    A terminal that is too narrow for columns gets one line for each value. Without rows, the sentence `empty`
    goes to standard error, and nothing to standard output.
    """
    screen = console()
    cells = [[cell if isinstance(cell, Text) else Text(_cell(cell)) for cell in row] for row in rows]
    if empty and not cells:
        error_console().print(plain(empty), markup=False)
        return
    names = max((row[0].cell_len for row in cells), default=0)
    if names + MIN_COLUMN_WIDTH * (len(columns) - 1) > screen.width and len(columns) > 2:
        _print_records(screen, columns, cells)
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for number, column in enumerate(columns):
        table.add_column(column, overflow="fold", no_wrap=number == 0)
    for row in cells:
        table.add_row(*row)
    screen.print(table)


def nothing(what: str, filters: Iterable[object], otherwise: str) -> str:
    """What to say instead of a list without items: `No jobs match.` if it was filtered."""
    return f"No {what} match." if any(each is not None for each in filters) else otherwise


def _print_records(screen: Console, columns: Sequence[str], rows: Iterable[Sequence[Text]]) -> None:
    for first, *others in rows:
        screen.print(first, soft_wrap=True)
        for column, cell in zip(columns[1:], others, strict=True):
            if cell.plain:
                screen.print(Text.assemble(f"  {column}: " if column else "  ", cell), soft_wrap=True)


def _cell(value: object) -> str:
    return "" if value is None else plain(str(value))


def plain(text: str) -> str:
    """Text from elsewhere made safe for a terminal: control and text-direction characters are escaped."""
    return text.replace("\r\n", "\n").translate(_HARMFUL)


def print_findings(answer: Mapping[str, Any]) -> None:
    """Errors, then warnings, on standard error."""
    for kind in ("error", "warning"):
        for finding in answer.get(f"{kind}s") or []:
            error_console().print(f"{kind}: {plain(str(finding))}", markup=False)


def status_text(status: str) -> Text:
    return Text(plain(str(status)).replace("_", " "), style=STATUS_STYLES.get(status, ""))


def moment(text: str | None) -> datetime | None:
    """A timestamp of the API (RFC 3339) as a datetime in UTC."""
    if not text:
        return None
    at = datetime.fromisoformat(text)
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)


def counted(number: int, one: str, many: str | None = None) -> str:
    """`1 run`, `2 runs`."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def clock_time(text: str | None, *, fraction: bool = False) -> str:
    at = moment(text)
    if at is None:
        return "-"
    return at.strftime("%H:%M:%S.%f")[:-4] if fraction else at.strftime("%H:%M:%S")


def day_and_time(text: str | None) -> str:
    at = moment(text)
    return at.strftime("%Y-%m-%d %H:%M:%S") if at else ""


def span(started: str | None, finished: str | None, *, now: datetime | None = None) -> str:
    """A duration, as people say it."""
    begin, end = moment(started), moment(finished) or now
    return duration((end - begin).total_seconds()) if begin and end else ""


def duration(seconds: float) -> str:
    seconds = max(0.0, seconds)
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"
