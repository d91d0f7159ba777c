"""Runs that ended, straight into the database, and notifiers as real processes."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from tests.support.brokers import BrokerVhost
from tests.support.databases import Database
from tests.support.pipelines import PROJECT, Pipelines
from tests.support.service_process import ServiceProcess
from tests.support.smtp_sink import ReceivedMail, SmtpSink
from tests.support.stack_settings import LINK_KEY
from tests.support.waiting import eventually

from orchestrator_shared.contracts.events import RunFinished
from orchestrator_shared.domain.ids import new_id
from orchestrator_shared.domain.statuses import JobStatus, Origin

StartNotifier = Callable[..., ServiceProcess]
MAIL_FROM = "Orchestrator <orchestrator@example.com>"


@dataclass
class Stage:
    """What the api and the runner would have written."""

    pipelines: Pipelines
    runs: dict[UUID, dict[str, Any]] = field(default_factory=dict)

    @property
    def database(self) -> Database:
        return self.pipelines.database

    async def subscribe(self, orchestration: str, **events: str) -> None:
        """`subscribe("campaigns", error="a@example.com")`; several addresses with spaces between."""
        for event, addresses in events.items():
            for address in addresses.split():
                await self.database.execute(
                    """INSERT INTO catalog.subscriptions (id, project, orchestration, event, address)
                       VALUES ($1, $2, $3, $4, $5)""",
                    new_id(),
                    PROJECT,
                    orchestration,
                    event,
                    address,
                )

    async def ended_run(self, orchestration: str, status: str = "error", **fields: Any) -> UUID:
        """A finished run without tasks; `parent=` nests it. Nobody is told of it yet."""
        run, parent = new_id(), self.runs.get(fields.pop("parent", None))
        row = {
            "origin": "schedule" if parent is None else "parent",
            "parent_id": parent["id"] if parent else None,
            "root_id": parent["root_id"] if parent else run,
            "depth": parent["depth"] + 1 if parent else 0,
            "attended": parent["attended"] if parent else False,
            "attempt": 0 if status == "cancelled" else 1,
            "message": "it broke" if status == "error" else None,
            "error_kind": "user" if status == "error" else None,
            "started_at": None if status == "cancelled" else datetime.now(UTC),
            "finished_at": datetime.now(UTC),
            "notify": None,
            **fields,
            "id": run,
            "project": PROJECT,
            "component": "orchestrator",
            "configuration": orchestration,
            "kind": fields.get("kind", "run"),
            "status": status,
            "scheduled_for": datetime.now(UTC),
            "requested_at": datetime.now(UTC),
        }
        async with self.database.connection() as connection:
            lane, row["seq"] = await _number(connection, orchestration)
            row["lane_id"] = lane
            places = ", ".join(f"${index + 1}" for index in range(len(row)))
            await connection.execute(
                f"INSERT INTO jobs.jobs ({', '.join(row)}) VALUES ({places})", *row.values()
            )
        self.runs[run] = row
        return run

    async def announce(self, run: UUID) -> None:
        """The event `run.finished`, as the runner says it."""
        row = self.runs[run]
        await self.pipelines.publish(
            RunFinished(
                job_id=run,
                project=PROJECT,
                component="orchestrator",
                configuration=row["configuration"],
                number=row["seq"],
                revision=3,
                origin=Origin(row["origin"]),
                root_id=row["root_id"],
                parent_id=row["parent_id"],
                status=JobStatus(row["status"]),
                finished_at=row["finished_at"],
            )
        )

    async def end(self, orchestration: str, status: str = "error", **fields: Any) -> UUID:
        """A run ends and its event is heard."""
        run = await self.ended_run(orchestration, status, **fields)
        await self.announce(run)
        return run

    async def deliveries(self) -> list[asyncpg.Record]:
        return await self.database.fetch("SELECT * FROM notifications.deliveries ORDER BY created_at, id")

    async def facts(self, count: int) -> list[asyncpg.Record]:
        """Wait until there are so many facts."""

        async def look() -> list[asyncpg.Record]:
            rows = await self.database.fetch("SELECT * FROM notifications.facts ORDER BY made_at")
            assert len(rows) >= count, f"{len(rows)} facts"
            return rows

        return await eventually(look, 30)

    async def all_settled(self, count: int) -> list[asyncpg.Record]:
        """Wait until there are so many deliveries, each sent or failed."""

        async def look() -> list[asyncpg.Record]:
            rows = await self.deliveries()
            states = [(row["status"], row["attempts"], row["last_error"]) for row in rows]
            assert len(rows) >= count, states
            assert all(row["status"] != "pending" for row in rows), states
            return rows

        return await eventually(look, 30)


async def _number(connection: asyncpg.Connection, orchestration: str) -> tuple[int, int]:
    row = await connection.fetchrow(
        """INSERT INTO jobs.lanes (project, component, configuration, next_seq)
           VALUES ($1, 'orchestrator', $2, 2)
           ON CONFLICT (project, component, configuration) DO UPDATE SET next_seq = lanes.next_seq + 1
           RETURNING id, next_seq - 1""",
        PROJECT,
        orchestration,
    )
    assert row is not None
    return row[0], row[1]


IMPATIENT = {
    "ORCHESTRATOR_SMTP_CONNECT_TIMEOUT_SECONDS": "2",
    "ORCHESTRATOR_SMTP_SEND_TIMEOUT_SECONDS": "2",
    "ORCHESTRATOR_DELIVERY_LEASE_SECONDS": "4",
}
"""For tests that wait for such an end; elsewhere no stall makes a mail be sent twice."""


@pytest.fixture
async def stage(database: Database, broker: BrokerVhost) -> Stage:
    made = Pipelines(database, broker)
    await made.prepare()
    for orchestration in ("campaigns", "inner", "outer"):
        await made.orchestration(orchestration)
    return Stage(made)


@pytest.fixture
def notifier_environment(database: Database, broker: BrokerVhost, smtp_sink: SmtpSink) -> dict[str, str]:
    return {
        "ORCHESTRATOR_DATABASE_URL": database.url_for("notifier"),
        "ORCHESTRATOR_AMQP_URL": broker.url,
        "ORCHESTRATOR_LINK_KEY": LINK_KEY,
        "ORCHESTRATOR_SMTP_HOST": smtp_sink.host,
        "ORCHESTRATOR_SMTP_PORT": str(smtp_sink.port),
        "ORCHESTRATOR_SMTP_TLS": "none",
        "ORCHESTRATOR_SMTP_CONNECT_TIMEOUT_SECONDS": "20",
        "ORCHESTRATOR_SMTP_SEND_TIMEOUT_SECONDS": "20",
        "ORCHESTRATOR_MAIL_FROM": MAIL_FROM,
        "ORCHESTRATOR_PUBLIC_URL": "https://orchestrator.example.com",
        "ORCHESTRATOR_SCAN_SECONDS": "600",
        "ORCHESTRATOR_POLL_SECONDS": "0.2",
        "ORCHESTRATOR_DELIVERY_LEASE_SECONDS": "60",
        "ORCHESTRATOR_DELIVERY_RETRY_FIRST_SECONDS": "0.2",
        "ORCHESTRATOR_DELIVERY_RETRY_MOST_SECONDS": "1",
        "PATH": os.environ["PATH"],
    }


@pytest.fixture
def start_notifier(
    notifier_environment: dict[str, str],
    service_process: Callable[[str, Mapping[str, str]], ServiceProcess],
    tmp_path: Path,
) -> StartNotifier:
    """`notifier = start_notifier(ORCHESTRATOR_SCAN_SECONDS="1")`; wait with `await notifier.ready()`."""

    def start(**more: str) -> ServiceProcess:
        return service_process("orchestrator_notifier", {**notifier_environment, **more})

    return start


def told(sink: SmtpSink) -> list[tuple[str, str]]:
    """Who got which subject, in order of arrival."""
    return [(mail.recipients[0], mail.subject) for mail in sink.messages]


async def mails(sink: SmtpSink, count: int, timeout: float = 30) -> list[ReceivedMail]:
    """Wait until so many mails arrived."""

    async def look() -> list[ReceivedMail]:
        assert len(sink.messages) >= count, told(sink)
        return sink.messages

    return await eventually(look, timeout)
