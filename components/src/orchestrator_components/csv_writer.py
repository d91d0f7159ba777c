"""Component csv-writer: writes a table or the result of a query to a CSV file."""

import os
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import asyncpg

from orchestrator_components.contract import UserError, main, new_file_beside, read_parameters, report
from orchestrator_components.fields import Fields
from orchestrator_components.file_access import allowed_path, prepare_parent
from orchestrator_components.sql_text import Refused, read_script
from orchestrator_components.warehouse import (
    TableName,
    connected,
    full_message,
    is_authors_fault,
    read_connection,
    table_name,
    transaction,
)

if TYPE_CHECKING:
    from orchestrator_components.warehouse import Connection


_BARE_NA = re.compile(rb"(?<![^,\n])NA(?![^,\n])")


@dataclass(frozen=True, slots=True)
class Parameters:
    """The parameters of csv-writer."""

    connection: str
    table: str | None
    query: str | None
    path: str


def parse_parameters(given: Mapping[str, Any]) -> Parameters:
    """Raises UserError."""
    fields = Fields(given)
    parameters = Parameters(
        connection=read_connection(given, fields),
        table=fields.optional_text("table", check=table_name),
        query=fields.optional_text("query", at_least=1, check=_one_statement),
        path=fields.text("path", at_least=1),
    )
    fields.require()
    if (parameters.table is None) == (parameters.query is None):
        raise UserError("parameters: set either table or query")
    return parameters


def _one_statement(text: str) -> str:
    """The query without surrounding comments and semicolons, because it is sent inside a COPY."""
    try:
        script = read_script(text)
    except Refused as problem:
        raise ValueError(str(problem)) from None
    if len(script.statements) != 1:
        raise ValueError(f"must be one statement; it has {len(script.statements) or 'none'}")
    return script.text[script.statements[0].start : script.statements[0].end]


async def run() -> None:
    parameters = parse_parameters(read_parameters())
    path = allowed_path(parameters.path, field="path")
    if path.is_dir():
        raise UserError(f"path: {parameters.path} is a folder")
    prepare_parent(path, field="path")
    async with connected(parameters.connection) as connection:
        rows = await _write(connection, parameters, path)
    print(f"wrote {rows:,} rows to {parameters.path}")
    report(f"{rows:,} rows written to {parameters.path}")


async def _write(connection: "Connection", parameters: Parameters, path: Path) -> int:
    """Replaces the file atomically: readers see the old one or the complete new one."""
    try:
        handle, temporary = new_file_beside(path)
    except OSError as error:
        raise UserError(f"path: cannot write into {path.parent}: {error.strerror}") from None
    try:
        with os.fdopen(handle, "wb") as file:
            rows = await _copy(connection, parameters, file)
            os.fchmod(file.fileno(), 0o644)
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise
    return rows


def with_na_in_quotes(rows: bytes) -> bytes:
    """Quote the text NA: csv-extractor and many programs treat an unquoted NA as a missing value.

    The server sends whole rows, so text between an odd quote and the next one is quoted.
    """
    if b"NA" not in rows:
        return rows
    parts = rows.split(b'"')
    parts[::2] = [_BARE_NA.sub(b'"NA"', part) for part in parts[::2]]
    return b'"'.join(parts)


async def _copy(connection: "Connection", parameters: Parameters, file: BinaryIO) -> int:
    """Read-only: the server rejects a query that changes data."""
    query = parameters.query or f"TABLE {TableName.parse(parameters.table or '').sql}"

    async def write(rows: bytes) -> None:
        file.write(with_na_in_quotes(rows))

    try:
        async with transaction(connection, readonly=True):
            status = await connection.copy_from_query(query, output=write, format="csv", header=True)
    except asyncpg.PostgresError as error:
        if not is_authors_fault(error):
            raise
        field = "query" if parameters.query else "table"
        raise UserError(f"{field}: {full_message(error)}") from None
    return int(status.rpartition(" ")[2])


if __name__ == "__main__":
    main(run)
