"""CSV into PostgreSQL's COPY text: one line per row, so that the server's line number is the row's number."""

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import itemgetter
from typing import IO

from orchestrator_components.contract import UserError

LONGEST_FIELD = 16 * 1024 * 1024
NULL_MARKER = "\x01"
CHUNK_CHARACTERS = 256 * 1024

_ESCAPES = str.maketrans({"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", NULL_MARKER: "\\x01"})


class CsvRows:
    """The rows below the header of a CSV file, all as wide as the header; knows where it stands."""

    def __init__(self, file: IO[str], delimiter: str) -> None:
        self.row = 0
        csv.field_size_limit(LONGEST_FIELD)
        self._reader = csv.reader(_bounded_lines(file), delimiter=delimiter, strict=True)
        self.header = self._next() or []
        if not self.header:
            raise UserError("source: the file is empty; its first line must name the columns")

    @property
    def line(self) -> int:
        return self._reader.line_num

    def __iter__(self) -> Iterator[list[str]]:
        width = len(self.header)
        while (fields := self._next()) is not None:
            if not fields:
                continue
            self.row += 1
            if len(fields) != width:
                where = f"row {self.row} (line {self.line})"
                raise UserError(f"source: {where} has {len(fields)} fields where the header has {width}")
            yield fields

    def _next(self) -> list[str] | None:
        try:
            return next(self._reader, None)
        except csv.Error as error:
            hint = " (is a quote not closed?)" if "limit" in str(error) or "end of data" in str(error) else ""
            raise UserError(f"source: row {self.row + 1} (line {self.line}): {error}{hint}") from None
        except UnicodeDecodeError as error:
            raise UserError(f"source: after row {self.row}: not valid UTF-8 ({error.reason})") from None


def _bounded_lines(file: IO[str]) -> Iterator[str]:
    """A file without line ends must not be read into memory whole."""
    while line := file.readline(LONGEST_FIELD):
        if len(line) == LONGEST_FIELD and not line.endswith("\n"):
            raise UserError(f"source: a line is longer than {LONGEST_FIELD:,} characters")
        yield line


def pick_columns(header: Sequence[str], columns: Iterable[str]) -> Callable[[list[str]], Sequence[str]]:
    """A function that takes the wanted columns, in their order, out of a row."""
    positions = [_position(header, column) for column in columns]
    if len(positions) == 1:
        only = positions[0]
        return lambda fields: (fields[only],)
    return itemgetter(*positions)


def _position(header: Sequence[str], column: str) -> int:
    found = [index for index, name in enumerate(header) if name == column]
    if not found:
        raise UserError(f"source: the header has no column {column!r}; it has: {_listed(header)}")
    if len(found) > 1:
        raise UserError(f"source: the header has the column {column!r} {len(found)} times")
    return found[0]


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:30]) + (", …" if len(names) > 30 else "")


def copy_text(
    rows: CsvRows, pick: Callable[[list[str]], Sequence[str]], null_values: Iterable[str]
) -> Iterator[bytes]:
    """Chunks of COPY text with NULL_MARKER for nulls."""
    nulls = frozenset(null_values)
    lines: list[str] = []
    size = 0
    for fields in rows:
        line = _copy_line(pick(fields), nulls)
        lines.append(line)
        size += len(line)
        if size > CHUNK_CHARACTERS:
            yield ("\n".join(lines) + "\n").encode()
            lines.clear()
            size = 0
    if lines:
        yield ("\n".join(lines) + "\n").encode()


def _copy_line(values: Sequence[str], nulls: frozenset[str]) -> str:
    plain = "\t".join(values)
    needs_escapes = (
        "\\" in plain
        or "\n" in plain
        or "\r" in plain
        or NULL_MARKER in plain
        or plain.count("\t") != len(values) - 1
    )
    if needs_escapes:
        return "\t".join([NULL_MARKER if v in nulls else v.translate(_ESCAPES) for v in values])
    return "\t".join([NULL_MARKER if v in nulls else v for v in values])
