"""Collecting the data for the report from the API, the mail sink and the warehouse."""

import asyncio
from collections.abc import Sequence
from decimal import Decimal
from http import HTTPStatus

import asyncpg

from orchestrator_cli.client import ApiClient, Json, Refused
from orchestrator_cli.failures import CommandFailure
from orchestrator_local.demo.scenario import BY_EVENT
from orchestrator_shared.database.queries import Queries

CONNECT_SECONDS = 10


def find_delivery(client: ApiClient, project_path: str, job_id: str) -> Json:
    """The notifier's delivery record of the mail, for when we cannot read the mail sink."""
    found = (
        each for each in client.items(f"{project_path}/deliveries", most=100) if each.get("job_id") == job_id
    )
    return next(found, {})


def runs_of(client: ApiClient, project_path: str, orchestration: str) -> list[Json]:
    """The newest runs; empty if the orchestration does not exist yet."""
    try:
        return list(client.items(f"{project_path}/orchestrations/{orchestration}/runs", most=20))
    except Refused as refusal:
        if refusal.status == HTTPStatus.NOT_FOUND:
            return []
        raise


def explain_trigger(client: ApiClient, project_path: str) -> Json:
    found = list(client.items(f"{project_path}/orchestrations/{BY_EVENT}/triggers"))
    return client.get(f"{project_path}/triggers/{found[0]['id']}/explanation") if found else {}


def query_warehouse(url: str, name: str) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """The columns and rows of one of the demo's named queries."""
    sql = Queries.load("orchestrator_local.demo", "warehouse.sql")[name]
    try:
        records = asyncio.run(_fetch(url, sql))
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise CommandFailure(f"cannot read the warehouse: {error}") from None
    columns = tuple(records[0].keys()) if records else ()
    return columns, tuple(tuple(_cell(value) for value in record.values()) for record in records)


async def _fetch(url: str, sql: str) -> Sequence[asyncpg.Record]:
    connection = await asyncpg.connect(url, timeout=CONNECT_SECONDS, command_timeout=30)
    try:
        rows: Sequence[asyncpg.Record] = await connection.fetch(sql)
        return rows
    finally:
        await connection.close(timeout=2)


def _cell(value: object) -> str:
    return f"{value:,}" if isinstance(value, int | Decimal) else str(value)
