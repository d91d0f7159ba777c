"""Rows as PostgreSQL COPY text, one line per row, so the server's line number is the row number."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from orchestrator_components.csv_rows import CsvRows, Quoted, find_column

NULL_MARKER = "\x01"
CHUNK_CHARACTERS = 256 * 1024

_ESCAPES = str.maketrans({"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", NULL_MARKER: "\\x01"})


@dataclass(frozen=True)
class Picked:
    """Which fields of a row are loaded, in which order, and which values mean null."""

    positions: Sequence[int]
    texts: frozenset[int]
    """Text columns, where a quoted value is kept as it is, even if empty; numbers and dates never are."""
    nulls: frozenset[str]


def pick(header: Sequence[str], types: Mapping[str, str], null_values: Iterable[str]) -> Picked:
    """The requested columns in order; raises UserError if the header lacks one."""
    positions = [find_column(header, column) for column in types]
    texts = frozenset(at for at, kind in zip(positions, types.values(), strict=True) if kind == "text")
    return Picked(positions, texts, frozenset(null_values))


def copy_text(rows: CsvRows, picked: Picked) -> Iterator[bytes]:
    """Chunks of COPY text with NULL_MARKER for nulls."""
    lines: list[str] = []
    size = 0
    for fields in rows:
        line = _copy_line(fields, picked, rows.has_quotes)
        lines.append(line)
        size += len(line)
        if size > CHUNK_CHARACTERS:
            yield ("\n".join(lines) + "\n").encode()
            lines.clear()
            size = 0
    if lines:
        yield ("\n".join(lines) + "\n").encode()


def _copy_line(fields: list[str], picked: Picked, has_quotes: bool) -> str:
    nulls = picked.nulls
    values = [fields[at] for at in picked.positions]
    plain = "\t".join(values)
    if has_quotes:
        absent = [
            value in nulls and not (type(value) is Quoted and at in picked.texts)
            for at, value in zip(picked.positions, values, strict=True)
        ]
    else:
        absent = [value in nulls for value in values]
    needs_escapes = (
        "\\" in plain
        or "\n" in plain
        or "\r" in plain
        or NULL_MARKER in plain
        or plain.count("\t") != len(values) - 1
    )
    if needs_escapes:
        values = [value.translate(_ESCAPES) for value in values]
    if True not in absent:
        return "\t".join(values) if needs_escapes else plain
    return "\t".join([NULL_MARKER if none else value for value, none in zip(values, absent, strict=True)])
