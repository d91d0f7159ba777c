"""The warehouse as used by the built-in components: names, quoting, connections, and error handling."""

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncpg

from orchestrator_components.contract import UserError
from orchestrator_components.fields import Fields
from orchestrator_shared.domain.urls import require_unambiguous, without_password

if TYPE_CHECKING:
    Connection = asyncpg.Connection[asyncpg.Record]

TABLE_PATTERN = r"[A-Za-z0-9_][A-Za-z0-9_.-]*\.[A-Za-z0-9_-]+"
LONGEST_IDENTIFIER = 63
EXAMPLE = "postgresql://user:password@host:5432/database"
CONNECT_SECONDS = 15
CLOSE_SECONDS = 2

# SQLSTATE classes of warehouse faults: connection, resources, intervention, system, internal.
NOT_THE_AUTHORS_FAULT = ("08", "53", "57", "58", "XX")


@dataclass(frozen=True)
class TableName:
    """`in.c-sales.orders` is table `orders` of bucket (schema) `in.c-sales`."""

    bucket: str
    table: str

    @classmethod
    def parse(cls, text: str) -> "TableName":
        if not re.fullmatch(TABLE_PATTERN, text):
            raise ValueError("must be a bucket and a table, such as in.c-sales.orders")
        bucket, _, table = text.rpartition(".")
        if max(len(bucket), len(table)) > LONGEST_IDENTIFIER:
            raise ValueError(f"bucket and table must have at most {LONGEST_IDENTIFIER} characters each")
        return cls(bucket, table)

    def __str__(self) -> str:
        return f"{self.bucket}.{self.table}"

    @property
    def sql(self) -> str:
        return f"{quoted(self.bucket)}.{quoted(self.table)}"


def read_connection(given: Mapping[str, Any], fields: Fields) -> str:
    """The URL of the warehouse, a parameter of every component that uses it."""
    if {"connection", "#connection"} <= given.keys():
        raise UserError("parameters: set either connection or #connection, not both")
    return fields.text("#connection", alias="connection", check=_a_postgresql_url)


def table_name(text: str) -> str:
    """Check a parameter that names a table; raises ValueError."""
    return str(TableName.parse(text))


def _a_postgresql_url(url: str) -> str:
    if not url.startswith(("postgresql://", "postgres://")):
        raise ValueError(f"must be a URL such as {EXAMPLE}")
    require_unambiguous(url, example=EXAMPLE)
    return url


def quoted(identifier: str) -> str:
    return '"' + identifier.replace('"', '""') + '"'


@cache
def _statements() -> dict[str, str]:
    text = Path(__file__).with_name("warehouse.sql").read_text(encoding="utf-8")
    blocks = re.split(r"^-- name: (\w+)$", text, flags=re.MULTILINE)[1:]
    return {name: body.strip() for name, body in zip(blocks[::2], blocks[1::2], strict=True)}


def statement(name: str, **quoted_identifiers: str) -> str:
    """A named block of warehouse.sql; identifiers must come from `quoted` or `TableName.sql`."""
    body = _statements()[name]
    return body.format(**quoted_identifiers) if quoted_identifiers else body


@asynccontextmanager
async def connected(url: str, *, print_notices: bool = False) -> AsyncIterator["Connection"]:
    connection = await _connect(url)
    if print_notices:
        connection.add_log_listener(_print_notice)
    try:
        # Not every server or pooler knows this setting; it helps but is not required.
        with suppress(asyncpg.PostgresError):
            await connection.execute(statement("notice_lost_client"))
        yield connection
    finally:
        with suppress(Exception):
            await connection.close(timeout=CLOSE_SECONDS)


@asynccontextmanager
async def transaction(connection: "Connection", *, readonly: bool = False) -> AsyncIterator[None]:
    """Like asyncpg's, which lets a failing rollback hide the error that closed the connection."""
    block = connection.transaction(readonly=readonly)
    await block.start()
    try:
        yield
    except BaseException:
        with suppress(asyncpg.InterfaceError, asyncpg.PostgresError, OSError):
            await block.rollback()
        raise
    await block.commit()


async def _connect(url: str) -> "Connection":
    # ISO dates only: 01/02/2013 is rejected instead of guessed; times without a zone are UTC.
    # A backslash in '…' is an ordinary character, as it is when we split the statements.
    settings = {
        "application_name": "orchestrator",
        "timezone": "UTC",
        "datestyle": "ISO, YMD",
        "standard_conforming_strings": "on",
    }
    try:
        connection: Connection = await asyncpg.connect(url, timeout=CONNECT_SECONDS, server_settings=settings)
    except TimeoutError:
        raise UserError(
            f"#connection: no response from the database within {CONNECT_SECONDS} seconds"
        ) from None
    except (OSError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise UserError(f"#connection: cannot connect: {without_password(str(error), url)}") from None
    return connection


def _print_notice(connection: Any, message: Any) -> None:
    print(f"{message.severity}: {message.message}")


async def ensure_bucket(connection: "Connection", bucket: str) -> None:
    """Create the schema outside any transaction: otherwise parallel loads into a new bucket would wait."""
    if await connection.fetchval(statement("schema_exists"), bucket):
        return
    # If two run at once, the loser gets a unique violation despite IF NOT EXISTS.
    with suppress(asyncpg.UniqueViolationError, asyncpg.DuplicateSchemaError):
        try:
            await connection.execute(statement("create_schema", schema=quoted(bucket)))
        except asyncpg.InsufficientPrivilegeError:
            raise UserError(
                f"bucket {bucket} does not exist, and the warehouse user may not create it: "
                f"create the schema {quoted(bucket)} or grant CREATE on the database"
            ) from None


def is_authors_fault(error: asyncpg.PostgresError) -> bool:
    if isinstance(error, asyncpg.QueryCanceledError):  # by a time limit, which was set, or by somebody
        return "user request" not in str(error)
    return not (error.sqlstate or "XX").startswith(NOT_THE_AUTHORS_FAULT)


def full_message(error: asyncpg.PostgresError) -> str:
    parts = [error.message or str(error)]
    parts += [f"{label}: {text}" for label, text in (("detail", error.detail), ("hint", error.hint)) if text]
    return " — ".join(parts)
