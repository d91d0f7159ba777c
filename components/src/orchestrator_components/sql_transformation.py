"""Component sql-transformation: runs SQL statements in one warehouse transaction."""

import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import asyncpg

from orchestrator_components.contract import OutputTable, UserError, main, read_parameters, report
from orchestrator_components.fields import Fields
from orchestrator_components.sql_text import Refused, ends_transaction, read_script
from orchestrator_components.warehouse import (
    TableName,
    connected,
    ensure_bucket,
    full_message,
    is_authors_fault,
    read_connection,
    statement,
    table_name,
    transaction,
)

if TYPE_CHECKING:
    from orchestrator_components.warehouse import Connection


@dataclass(frozen=True, slots=True)
class Parameters:
    """The parameters of sql-transformation."""

    connection: str
    statements: list[str]
    output_tables: list[str]


def parse_parameters(given: Mapping[str, Any]) -> Parameters:
    """Raises UserError."""
    fields = Fields(given)
    parameters = Parameters(
        connection=read_connection(given, fields),
        statements=fields.texts("statements", at_least=1, or_one=True, check=_allowed),
        output_tables=fields.texts("output_tables", (), check=_tables),
    )
    fields.require()
    return parameters


def _allowed(statements: list[str]) -> list[str]:
    return [_checked(number, text) for number, text in enumerate(statements, start=1)]


def _tables(names: list[str]) -> list[str]:
    return [table_name(name) for name in names]


def _checked(number: int, text: str) -> str:
    """The text sent to the server; empty if there is nothing but comments."""
    if not text.strip():
        raise ValueError(f"statement {number} is empty")
    if "\0" in text:
        raise ValueError(f"statement {number} contains a NUL character")
    try:
        script = read_script(text)
    except Refused as problem:
        raise ValueError(f"statement {number}, {problem}") from None
    for each in script.statements:
        if command := ends_transaction(each.words):
            place = f", line {each.line}" if each.line > 1 else ""
            raise ValueError(f"statement {number}{place}: {_own_transaction(command)}")
    return script.text if script.statements else ""


def _own_transaction(command: str) -> str:
    return f"{command} is not allowed: all statements run in one transaction, which is committed at the end"


async def run() -> None:
    parameters = parse_parameters(read_parameters())
    tables = [TableName.parse(text) for text in parameters.output_tables]
    async with connected(parameters.connection, print_notices=True) as connection:
        for bucket in dict.fromkeys(table.bucket for table in tables):
            await ensure_bucket(connection, bucket)
        async with transaction(connection):
            await _execute_all(connection, parameters.statements)
            outputs = [OutputTable(table=str(t), rows=await _count(connection, t)) for t in tables]
    for output in outputs:
        print(f"{output['table']}: {output['rows']:,} rows")
    report(_summary(sum(map(bool, parameters.statements)), outputs), outputs)


def _summary(statements: int, outputs: list[OutputTable]) -> str:
    text = "1 statement done" if statements == 1 else f"{statements} statements done"
    tables = ", ".join(f"{output['table']} has {output['rows']:,} rows" for output in outputs)
    return f"{text}; {tables}" if tables else text


async def _execute_all(connection: "Connection", statements: list[str]) -> None:
    own = await connection.fetchval(statement("transaction_id"))
    for number, text in enumerate(statements, start=1):
        if not text:
            print(f"statement {number} of {len(statements)}: nothing to run, just comments or semicolons")
            continue
        started = time.monotonic()
        try:
            status = await connection.execute(text)
        except asyncpg.PostgresError as error:
            raise _explained(error, number, text) from error
        print(f"statement {number} of {len(statements)}: {status} in {time.monotonic() - started:.2f} s")
        # A COMMIT nested inside a statement is detected only afterwards.
        if not connection.is_in_transaction() or own != await connection.fetchval(
            statement("transaction_id")
        ):
            raise UserError(f"statement {number}: {_own_transaction('COMMIT or ROLLBACK')}")
        if _reads_backslashes(connection):
            raise UserError(
                f"statement {number}: standard_conforming_strings must stay on; "
                r"write strings with backslash escapes as E'…\n…'"
            )


def _reads_backslashes(connection: "Connection") -> bool:
    """Whether the server now ends '…' elsewhere than we do, so that a string of ours could hide a COPY."""
    return getattr(connection.get_settings(), "standard_conforming_strings", "on") == "off"


async def _count(connection: "Connection", table: TableName) -> int:
    if not await connection.fetchval(statement("table_exists"), table.bucket, table.table):
        raise UserError(
            f"output_tables: {table} does not exist after the statements; "
            f"create it as {table.sql} (quoted) or remove it from the list"
        )
    return int(await connection.fetchval(statement("count_rows", table=table.sql)))


def _explained(error: asyncpg.PostgresError, number: int, text: str) -> Exception:
    if not is_authors_fault(error):
        return error
    position = int(error.position) if error.position else None
    if position is None:
        return UserError(f"statement {number}: {full_message(error)}")
    line, column = line_and_column(text, position)
    print(f"{text.splitlines()[line - 1]}\n{' ' * (column - 1)}^", file=sys.stderr)
    return UserError(f"statement {number}, line {line}, column {column}: {full_message(error)}")


def line_and_column(text: str, position: int) -> tuple[int, int]:
    """Line and column; PostgreSQL counts characters from 1 over the whole text."""
    before = text[: position - 1]
    return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1


if __name__ == "__main__":
    main(run)
