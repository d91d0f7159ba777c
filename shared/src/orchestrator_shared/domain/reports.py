"""What a component reports: result.json and state.json, and the same in the answers of services."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator_shared.domain.errors import UserError
from orchestrator_shared.domain.tables import TableName

MAX_FILE_BYTES = 1024 * 1024
MAX_OUTPUT_TABLES = 10_000


class InvalidReport(ValueError):
    """A report that breaks the contract; the message names the file and the field."""


@dataclass(frozen=True, slots=True)
class OutputTable:
    """A table that the task reports as written."""

    table: TableName
    rows: int | None = None


def parse_result(content: bytes | None) -> tuple[str, tuple[OutputTable, ...]]:
    """Message and output tables of result.json; unknown fields are left alone."""
    if content is None:
        return "", ()
    result = parse_object("result.json", content)
    message = result.get("message") or ""
    if not isinstance(message, str):
        raise InvalidReport("result.json: message: must be a string")
    return message, parse_tables(result.get("output_tables"), where="result.json: output_tables")


def parse_tables(value: object, *, where: str) -> tuple[OutputTable, ...]:
    """The tables that a task reports; raises InvalidReport naming `where`."""
    tables = value or []
    if not isinstance(tables, list) or len(tables) > MAX_OUTPUT_TABLES:
        raise InvalidReport(f"{where}: must be a list of at most {MAX_OUTPUT_TABLES} tables")
    return tuple(_parse_table(f"{where}[{n}]", table) for n, table in enumerate(tables))


def _parse_table(where: str, value: object) -> OutputTable:
    entry = {"table": value} if isinstance(value, str) else value
    if not isinstance(entry, dict) or not isinstance(entry.get("table"), str):
        raise InvalidReport(f'{where}: must be "bucket.table" or an object with "table"')
    try:
        name = TableName.parse(entry["table"], field=where)
    except UserError as error:
        raise InvalidReport(str(error)) from error
    rows = entry.get("rows")
    if rows is not None and (isinstance(rows, bool) or not isinstance(rows, int) or not 0 <= rows < 2**63):
        raise InvalidReport(f"{where}.rows: must be a number of rows, 0 or more")
    return OutputTable(name, rows)


def parse_object(name: str, content: bytes) -> Mapping[str, Any]:
    """A JSON object that PostgreSQL can store."""
    if len(content) > MAX_FILE_BYTES:
        raise InvalidReport(f"{name}: is larger than {MAX_FILE_BYTES} bytes")
    try:
        value = json.loads(content.decode(), parse_constant=_refuse_constant)
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
        text.encode()
    except (ValueError, RecursionError) as error:
        raise InvalidReport(f"{name}: not valid JSON: {error}") from error
    if not isinstance(value, dict):
        raise InvalidReport(f"{name}: must be an object")
    if re.search(r"(?<!\\)(?:\\\\)*\\u0000", text):
        raise InvalidReport(f"{name}: contains a NUL character (\\u0000), which cannot be stored")
    return value


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON number")
