"""Component csv-writer: a table or the result of a query into a CSV file."""

import os
import re
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Self

import asyncpg
from pydantic import Field, field_validator, model_validator

from orchestrator_components.contract import UserError, load_parameters, main, report
from orchestrator_components.file_access import allowed_path, prepare_parent
from orchestrator_components.sql_text import Refused, read_script
from orchestrator_components.warehouse import (
    TableName,
    WarehouseParameters,
    connected,
    full_message,
    is_authors_fault,
    transaction,
)

if TYPE_CHECKING:
    from orchestrator_components.warehouse import Connection


_BARE_NA = re.compile(rb"(?<![^,\n])NA(?![^,\n])")


class Parameters(WarehouseParameters):
    """What a configuration of csv-writer may say."""

    table: str | None = None
    query: str | None = Field(default=None, min_length=1)
    path: str = Field(min_length=1)

    @field_validator("table")
    @classmethod
    def _a_table(cls, text: str | None) -> str | None:
        return None if text is None else str(TableName.parse(text))

    @field_validator("query")
    @classmethod
    def _one_statement(cls, text: str | None) -> str | None:
        """Without comments and semicolons around it: it is sent inside of a COPY."""
        if text is None:
            return None
        try:
            script = read_script(text)
        except Refused as problem:
            raise ValueError(str(problem)) from None
        if len(script.statements) != 1:
            raise ValueError(f"must be one statement; it has {len(script.statements) or 'none'}")
        return script.text[script.statements[0].start : script.statements[0].end]

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.table is None) == (self.query is None):
            raise ValueError("give either table or query")
        return self


async def run() -> None:
    parameters = load_parameters(Parameters)
    path = allowed_path(parameters.path, field="path")
    if path.is_dir():
        raise UserError(f"path: {parameters.path} is a folder")
    prepare_parent(path, field="path")
    async with connected(parameters.connection) as connection:
        rows = await _write(connection, parameters, path)
    print(f"wrote {rows:,} rows to {parameters.path}")
    report(f"{rows:,} rows written to {parameters.path}")


async def _write(connection: "Connection", parameters: Parameters, path: Path) -> int:
    """Readers of the file see the old one or the whole new one."""
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
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
            os.unlink(temporary)
        raise
    return rows


def with_na_in_quotes(rows: bytes) -> bytes:
    """A text NA in quotes, as csv-extractor and many programs take one without them for a missing value.

    The server sends whole rows: between an even and an odd quote there is nothing but quoted text.
    """
    if b"NA" not in rows:
        return rows
    parts = rows.split(b'"')
    parts[::2] = [_BARE_NA.sub(b'"NA"', part) for part in parts[::2]]
    return b'"'.join(parts)


async def _copy(connection: "Connection", parameters: Parameters, file: BinaryIO) -> int:
    """Read only: a query that changes data is refused by the server."""
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
