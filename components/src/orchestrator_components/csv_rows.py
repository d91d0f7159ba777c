"""The rows of a CSV file. Unlike Python's reader, it tells "" from an empty field, as PostgreSQL does."""

from collections.abc import Iterator, Sequence
from typing import IO

from orchestrator_components.contract import UserError

LONGEST_FIELD = 16 * 1024 * 1024
ENCODING_ADVICE = "set the encoding of the file, for example encoding: cp1252 or encoding: latin-1"


class Quoted(str):
    """A value that was quoted."""

    __slots__ = ()


class CsvRows:
    """The rows below the header of a CSV file, all as wide as the header; tracks its position.

    In a file with one column, a blank line is a row without a value; otherwise it is skipped.
    """

    def __init__(self, file: IO[str], delimiter: str, *, trim: bool = False, encoding: str = "utf-8") -> None:
        self.row = 0
        self.line = 0
        """The line on which the row begins."""
        self.has_quotes = False
        """Whether the row has Quoted values."""
        self._read = 0
        self._delimiter = delimiter
        self._trim = trim
        self._encoding = encoding.upper()
        self._lines = self._bounded_lines(file)
        self.header: list[str] = []
        self.header = self._read_header()

    def __iter__(self) -> Iterator[list[str]]:
        width = len(self.header)
        while (fields := self._next()) is not None:
            if not fields:
                if width != 1:
                    continue
                fields = [""]
            self.row += 1
            if len(fields) != width:
                where = f"row {self.row} (line {self.line})"
                raise UserError(f"source: {where} has {len(fields)} fields, but the header has {width}")
            yield fields

    def _read_header(self) -> list[str]:
        header = self._next()
        if header is None:
            raise UserError("source: the file is empty; its first line must name the columns")
        if not header:
            raise UserError(
                "source: the first line is blank; remove it, as the first line must name the columns"
            )
        return header

    def _next(self) -> list[str] | None:
        """The fields of the next record; empty for a blank line."""
        line = next(self._lines, None)
        if line is None:
            return None
        self.line = self._read
        self.has_quotes = '"' in line
        if self.has_quotes:
            return self._fields(line)
        body = line.rstrip("\r\n")
        fields = body.split(self._delimiter)
        if self._trim:
            fields = [field.strip() for field in fields]
        return fields if len(fields) > 1 or fields[0] else []

    def _fields(self, line: str) -> list[str]:
        """A record with quotes; it may span several lines."""
        fields: list[str] = []
        at = 0
        while True:
            start = self._skip_blanks(line, at)
            if line.startswith('"', start):
                value, line, at = self._quoted(line, start + 1)
                fields.append(Quoted(value))
                at = self._skip_blanks(line, at)
            else:
                end = line.find(self._delimiter, at)
                end = len(line.rstrip("\r\n")) if end < 0 else end
                fields.append(line[at:end].strip() if self._trim else line[at:end])
                at = end
            if not line.startswith(self._delimiter, at):
                break
            at += 1
        if line[at:].rstrip("\r\n"):
            raise UserError(f"source: {self._here()}: {line[at]!r} follows a closing quote; {_QUOTE_ADVICE}")
        return fields

    def _quoted(self, line: str, at: int) -> tuple[str, str, int]:
        """The text up to the closing quote, the line of that quote, and the position after it."""
        opened, size = self._read, 0
        parts: list[str] = []
        while True:
            end = line.find('"', at)
            if end >= 0 and not line.startswith('"', end + 1):
                return "".join([*parts, line[at:end]]), line, end + 1
            stop = len(line) if end < 0 else end + 1
            parts.append(line[at:stop])
            size += stop - at
            at = stop + 1
            if size > LONGEST_FIELD:
                raise UserError(f"source: {self._here(opened)}: {_TOO_LONG.format(LONGEST_FIELD)}")
            if end < 0:
                following = next(self._lines, None)
                if following is None:
                    raise UserError(f"source: {self._here(opened)}: {_UNCLOSED}")
                line, at = following, 0

    def _skip_blanks(self, line: str, at: int) -> int:
        while self._trim and line[at : at + 1].isspace() and line[at] not in (self._delimiter, "\r", "\n"):
            at += 1
        return at

    def _here(self, line: int | None = None) -> str:
        """The place of the record being read."""
        place = f"line {line or self._read}"
        return f"row {self.row + 1} ({place})" if self.header else f"the header ({place})"

    def _bounded_lines(self, file: IO[str]) -> Iterator[str]:
        """Limits the length, so that a file without line breaks is not read into memory whole."""
        try:
            while line := file.readline(LONGEST_FIELD):
                self._read += 1
                if len(line) == LONGEST_FIELD and not line.endswith("\n"):
                    raise UserError(f"source: a line is longer than {LONGEST_FIELD:,} characters")
                if not line.isascii():
                    self._check_encoding(line)
                yield line
        except UnicodeDecodeError as error:
            problem = f"line {self._read + 1}: not valid {self._encoding} ({error.reason})"
            raise UserError(f"source: {problem}; {ENCODING_ADVICE}") from None

    def _check_encoding(self, line: str) -> None:
        """An undecodable byte has become a surrogate; here its position is known."""
        try:
            line.encode()
        except UnicodeEncodeError as error:
            byte = ord(line[error.start]) & 0xFF
            raise UserError(
                f"source: {self._here()}: byte 0x{byte:02X} is not valid {self._encoding}; {ENCODING_ADVICE}"
            ) from None


_QUOTE_ADVICE = "write a quote inside a quoted field twice"
_TOO_LONG = "the quoted field that starts here is longer than {:,} characters; is the closing quote missing?"
_UNCLOSED = "the quoted field that starts here is never closed"


def find_column(header: Sequence[str], column: str) -> int:
    """The position of a column; raises UserError."""
    found = [index for index, name in enumerate(header) if name == column]
    if len(found) > 1:
        raise UserError(f"source: the header contains column {column!r} {len(found)} times")
    if found:
        return found[0]
    advice = _advice(header, column)
    raise UserError(f"source: the header has no column {column!r}; its columns: {_listed(header)}{advice}")


def _advice(header: Sequence[str], column: str) -> str:
    for name in header:
        if name.strip() == column.strip():
            if name == name.strip():
                return f"; write it as {name!r}, without the spaces"
            end = "begins" if name[0].isspace() else "ends"
            return f"; {name!r} {end} with a space: set trim: true, or write the column with its spaces"
    if len(header) == 1 and (other := next((each for each in ";\t|," if each in header[0]), None)):
        return f"; is the delimiter {other!r}?"
    if near := next((name for name in header if name.lower() == column.lower()), None):
        return f"; write it as {near!r}: column names are case-sensitive"
    return ""


def _listed(names: Sequence[str]) -> str:
    shown = [repr(name) if name != name.strip() or not name.isprintable() else name for name in names[:30]]
    return ", ".join(shown) + (", …" if len(names) > 30 else "")
