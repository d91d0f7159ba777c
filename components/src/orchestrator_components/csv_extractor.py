"""Component csv-extractor: loads a CSV file or URL into a warehouse table."""

import codecs
import os
import re
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncpg

from orchestrator_components.contract import OutputTable, UserError, main, read_parameters, report
from orchestrator_components.copy_text import NULL_MARKER, copy_text, pick
from orchestrator_components.csv_rows import CsvRows
from orchestrator_components.csv_source import local_copy, opened
from orchestrator_components.fields import Fields
from orchestrator_components.warehouse import (
    LONGEST_IDENTIFIER,
    TableName,
    connected,
    ensure_bucket,
    full_message,
    is_authors_fault,
    quoted,
    read_connection,
    statement,
    table_name,
    transaction,
)

if TYPE_CHECKING:
    from orchestrator_components.warehouse import Connection

# A timestamp is a point in time: the file's time zone is honoured; without one it is UTC.
SQL_TYPES: dict[str, str] = {
    "text": "text",
    "integer": "integer",
    "bigint": "bigint",
    "numeric": "numeric",
    "double": "double precision",
    "boolean": "boolean",
    "date": "date",
    "timestamp": "timestamptz",
}
NOT_OF_FILES = {"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined"}
MOST_COLUMNS = 1600
LOADS_TABLE = "_orchestrator_loads"


@dataclass(frozen=True, slots=True)
class Parameters:
    """The parameters of csv-extractor."""

    connection: str
    source: str
    table: str
    columns: dict[str, str]
    delimiter: str
    null_values: list[str]
    trim: bool
    encoding: str
    mode: str


def parse_parameters(given: Mapping[str, Any]) -> Parameters:
    """Raises UserError."""
    fields = Fields(given)
    parameters = Parameters(
        connection=read_connection(given, fields),
        source=fields.text("source", at_least=1),
        table=fields.text("table", check=table_name),
        columns=fields.choices("columns", tuple(SQL_TYPES), at_most=MOST_COLUMNS, check=_columns),
        delimiter=fields.text("delimiter", ",", at_least=1, at_most=1, check=_delimiter),
        null_values=fields.texts("null_values", ("", "NA")),
        trim=fields.switch("trim", default=False),
        encoding=fields.text("encoding", "utf-8", check=_encoding),
        mode=fields.choice("mode", ("replace", "append"), "replace"),
    )
    fields.require()
    return parameters


def _columns(columns: dict[str, str]) -> dict[str, str]:
    for name in columns:
        if not name or "\0" in name or len(name.encode()) > LONGEST_IDENTIFIER:
            raise ValueError(
                f"column names must have 1 to {LONGEST_IDENTIFIER} bytes and no NUL: {name[:80]!r}"
            )
    return columns


def _delimiter(delimiter: str) -> str:
    if delimiter in '"\r\n\0':
        raise ValueError("must not be a quote, a line break or NUL")
    return delimiter


def _encoding(encoding: str) -> str:
    try:
        known = codecs.lookup(encoding).name
        b"a,b\n".decode(known)
    except (LookupError, UnicodeError):
        raise ValueError(
            "not a known encoding; use a name such as utf-8, cp1252, latin-1 or utf-16"
        ) from None
    if known in NOT_OF_FILES:
        raise ValueError("not a text encoding; use a name such as utf-8, cp1252, latin-1 or utf-16")
    return encoding


async def run() -> None:
    parameters = parse_parameters(read_parameters())
    table = TableName.parse(parameters.table)
    path = await local_copy(parameters.source)
    started = time.monotonic()
    async with connected(parameters.connection) as connection:
        await ensure_bucket(connection, table.bucket)
        rows = await (_replace if parameters.mode == "replace" else _append)(
            connection, path, parameters, table
        )
    print(f"loaded {rows:,} rows into {table} in {time.monotonic() - started:.1f} s")
    report(f"{rows:,} rows loaded into {table}", [OutputTable(table=str(table), rows=rows)])


async def _replace(connection: "Connection", path: Path, parameters: Parameters, table: TableName) -> int:
    new = TableName(table.bucket, f"_load_{os.urandom(8).hex()}")
    try:
        async with transaction(connection):
            columns = _definition(parameters)
            await connection.execute(statement("create_table", table=new.sql, columns=columns))
            rows = await _copy(connection, path, parameters, new)
            await connection.execute(statement("lock_table_name"), str(table))
            await connection.execute(statement("drop_table", table=table.sql))
            await connection.execute(statement("rename_table", table=new.sql, new_name=quoted(table.table)))
            return rows
    except asyncpg.PostgresError as error:
        raise _as_user_error(error, table) from error


async def _append(connection: "Connection", path: Path, parameters: Parameters, table: TableName) -> int:
    """Commit rows and a record of the load together, so that a job rerun after a crash adds nothing twice."""
    loads = TableName(table.bucket, LOADS_TABLE).sql
    job = os.environ.get("ORCHESTRATOR_JOB_ID", "")
    try:
        # Outside the transaction, which would block other first loads into this bucket until it ends.
        with suppress(asyncpg.UniqueViolationError, asyncpg.DuplicateTableError):
            await connection.execute(statement("create_load_record", loads=loads))
        async with transaction(connection):
            await connection.execute(statement("lock_table_name"), str(table))
            done = await connection.fetchval(statement("rows_already_loaded", loads=loads), job, str(table))
            if job and done is not None:
                print(f"job {job} has already loaded {table}")
                return int(done)
            columns = _definition(parameters)
            await connection.execute(statement("create_table_if_missing", table=table.sql, columns=columns))
            rows = await _copy(connection, path, parameters, table)
            if job:
                await connection.execute(statement("record_load", loads=loads), job, str(table), rows)
            return rows
    except asyncpg.PostgresError as error:
        raise _as_user_error(error, table) from error


def _definition(parameters: Parameters) -> str:
    return ", ".join(f"{quoted(name)} {SQL_TYPES[kind]}" for name, kind in parameters.columns.items())


@contextmanager
def _rows(path: Path, parameters: Parameters) -> Iterator[CsvRows]:
    with opened(path, parameters.encoding) as file:
        yield CsvRows(file, parameters.delimiter, trim=parameters.trim, encoding=parameters.encoding)


async def _copy(connection: "Connection", path: Path, parameters: Parameters, table: TableName) -> int:
    with _rows(path, parameters) as rows:
        picked = pick(rows.header, parameters.columns, parameters.null_values)

        async def chunks() -> AsyncIterator[bytes]:
            for chunk in copy_text(rows, picked):
                yield chunk

        try:
            status = await connection.copy_to_table(
                table.table,
                schema_name=table.bucket,
                columns=list(parameters.columns),
                source=chunks(),
                format="text",
                null=NULL_MARKER,
            )
        except asyncpg.PostgresError as error:
            raise _bad_value(error, path, parameters) from error
    return int(status.rpartition(" ")[2])


def _bad_value(error: asyncpg.PostgresError, path: Path, parameters: Parameters) -> Exception:
    """PostgreSQL reports `COPY t, line 3, column c: "x"`, where lines are rows of the file."""
    place = re.search(r"line (\d+)(?:, column ([^:]+))?", error.context or "")
    if not place or not is_authors_fault(error):
        return error
    row, column = int(place.group(1)), place.group(2)
    where = f"row {row} (line {_line_of(path, parameters, row)})"
    if column is None:
        return UserError(f"source: {where}: {full_message(error)}")
    kind = parameters.columns.get(column, "text")
    return UserError(f"source: {where}, column {column}: {full_message(error)} (the column is {kind})")


def _line_of(path: Path, parameters: Parameters, row: int) -> int:
    with _rows(path, parameters) as rows:
        for _ in rows:
            if rows.row == row:
                break
        return rows.line


def _as_user_error(error: asyncpg.PostgresError, table: TableName) -> Exception:
    if not is_authors_fault(error):
        return error
    return UserError(f"table {table}: {full_message(error)}")


if __name__ == "__main__":
    main(run)
