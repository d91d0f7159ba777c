"""A project with scripted components, run from below the api: straight into catalog and broker."""

import asyncio
import base64
import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import aio_pika
import asyncpg
from tests.support.brokers import BrokerVhost
from tests.support.databases import Database
from tests.support.waiting import eventually

from orchestrator_shared.contracts.commands import RunRequested, TerminateRequested
from orchestrator_shared.contracts.envelope import CONTENT_TYPE, wrap
from orchestrator_shared.contracts.message import Message
from orchestrator_shared.database.pool import prepare_connection
from orchestrator_shared.domain.ids import new_job_id
from orchestrator_shared.domain.statuses import Origin

PROJECT = "demo"
DETAILS = ("tasks", "parameters", "task_versions", "retry_of")
"""What of a request lies in the catalog."""
ENCRYPTION_KEY = base64.b64encode(bytes(range(32))).decode()

SCRIPT = """
import json, os, sys
directory = os.environ["ORCHESTRATOR_DATA_DIR"]
parameters = json.load(open(directory + "/config.json"))["parameters"]
def result(**fields):
    json.dump(fields, open(directory + "/result.json", "w"))
exec(parameters["code"])
"""
"""The component `script` executes its parameter `code`."""


def task(name: str, **fields: Any) -> dict[str, Any]:
    """A task that runs `script/<name>`, or `orchestrator/<name>` where it says so."""
    component = fields.pop("component", "script")
    return {"id": name, "name": name, "component": component, "configuration": name, **fields}


class Pipelines:
    """Writes the catalog as the api would, publishes requests, and reads what became of them."""

    def __init__(self, database: Database, broker: BrokerVhost) -> None:
        self.database = database
        self.broker = broker

    async def prepare(self) -> None:
        """A project, and the component `script` in two forms: safe to run again, and not."""
        async with self.database.connection() as connection:
            await prepare_connection(connection)
            await connection.execute("INSERT INTO catalog.projects (id, name) VALUES ($1, 'Demo')", PROJECT)
            for name, after_crash in (("script", "rerun"), ("fragile", "fail")):
                await connection.execute(
                    """INSERT INTO catalog.components (id, name, type, executor, after_crash, definition)
                       VALUES ($1, $1, 'application', 'process', $2, $3)""",
                    name,
                    after_crash,
                    {"command": ["{python}", "-S", "-c", SCRIPT], "environment": {"TEST_LEDGER": None}},
                )

    async def configuration(
        self, name: str, parameters: Mapping[str, Any], *, component: str = "script"
    ) -> None:
        """Save a (new version of a) configuration."""
        async with self.database.connection() as connection, connection.transaction():
            await prepare_connection(connection)
            version = await connection.fetchval(
                """INSERT INTO catalog.configurations (project, component, id, name, version)
                   VALUES ($1, $2, $3, $3, 1)
                   ON CONFLICT (project, component, id)
                   DO UPDATE SET version = configurations.version + 1 RETURNING version""",
                PROJECT,
                component,
                name,
            )
            await connection.execute(
                """INSERT INTO catalog.configuration_versions
                       (project, component, configuration, version, parameters, parameters_as_written, author)
                   VALUES ($1, $2, $3, $4, $5::json::jsonb, $5::json, 'test')""",
                PROJECT,
                component,
                name,
                version,
                dict(parameters),
            )

    async def scripts(self, **codes: str) -> None:
        """Configurations of `script`, by name."""
        for name, code in codes.items():
            await self.configuration(name, {"code": code})

    async def orchestration(self, name: str, *phases: Sequence[Mapping[str, Any]]) -> None:
        """Save an orchestration with these phases of tasks."""
        definition = {
            "phases": [
                {"name": f"Phase {index + 1}", "tasks": list(tasks)} for index, tasks in enumerate(phases)
            ]
        }
        await self.configuration(name, definition, component="orchestrator")

    async def run(self, name: str, *, component: str = "orchestrator", **fields: Any) -> UUID:
        """Ask for a run; returns the job's id."""
        now = datetime.now(UTC)
        details = {key: fields.pop(key) for key in DETAILS if key in fields}
        request = RunRequested(
            **{
                "job_id": new_job_id(),
                "project": PROJECT,
                "component": component,
                "configuration": name,
                "origin": Origin.MANUAL,
                "requested_at": now,
                "scheduled_for": now,
                "details": bool(details),
                **fields,
            }
        )
        if details:
            await self._save_details(request, details)
        await self.publish(request)
        return request.job_id

    async def _save_details(self, request: RunRequested, details: dict[Any, Any]) -> None:
        async with self.database.connection() as connection:
            await prepare_connection(connection)
            await connection.execute(
                """INSERT INTO catalog.run_requests (job_id, project, component, configuration, origin,
                       requested_by, token_id, tasks, parameters, parameters_as_written, scheduled_for,
                       task_versions, retry_of)
                   VALUES ($1, $2, $3, $4, 'manual', 'test', $1, $5, $6::json::jsonb, $6::json, $7,
                       $8, $9)""",
                request.job_id,
                request.project,
                request.component,
                request.configuration,
                details.get("tasks"),
                details.get("parameters", {}),
                request.scheduled_for,
                details.get("task_versions"),
                details.get("retry_of"),
            )

    async def terminate(self, job: UUID) -> None:
        """Ask for the end of a job."""
        await self.publish(TerminateRequested(job_id=job, project=PROJECT, requested_by="test"))

    async def publish(self, *messages: Message) -> None:
        """Publish with confirms, as any service would."""
        async with asyncio.timeout(60), await aio_pika.connect(self.broker.url) as connection:
            channel = await connection.channel(on_return_raises=True)
            for message in messages:
                exchange = await channel.get_exchange(message.exchange, ensure=False)
                await exchange.publish(
                    aio_pika.Message(
                        wrap(message, source="/test").to_bytes(),
                        content_type=CONTENT_TYPE,
                        delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
                    ),
                    message.routing_key(),
                    mandatory=True,
                    timeout=10,
                )

    async def job(self, job: UUID) -> asyncpg.Record | None:
        """The job's row, None before it is accepted."""
        rows = await self.database.fetch("SELECT * FROM jobs.jobs WHERE id = $1", job)
        return rows[0] if rows else None

    async def status(self, job: UUID) -> str | None:
        row = await self.job(job)
        return None if row is None else str(row["status"])

    async def ended(self, job: UUID, timeout: float = 30) -> asyncpg.Record:
        """Wait for the job's end and return its row."""

        async def look() -> asyncpg.Record | None:
            row = await self.job(job)
            assert row is not None, "not accepted"
            assert row["finished_at"] is not None, f"{row['status']} since {row['accepted_at']}"
            return row

        return await eventually(look, timeout)

    async def in_status(self, job: UUID, status: str, timeout: float = 30) -> None:
        """Wait until the job has this status."""

        async def look() -> bool:
            found = await self.status(job)
            assert found == status, f"is {found}"
            return True

        await eventually(look, timeout)

    async def children(self, run: UUID) -> dict[str, asyncpg.Record]:
        """The jobs of a run's tasks, by task."""
        rows = await self.database.fetch("SELECT * FROM jobs.jobs WHERE parent_id = $1", run)
        return {row["task_id"]: row for row in rows}

    async def tasks(self, run: UUID) -> dict[str, str]:
        """The status of every task of a run."""
        rows = await self.database.fetch("SELECT task_id, status FROM jobs.tasks WHERE run_id = $1", run)
        return {row["task_id"]: row["status"] for row in rows}

    async def log(self, job: UUID) -> str:
        """The text of a job's log."""
        rows = await self.database.fetch(
            "SELECT text FROM jobs.logs WHERE job_id = $1 ORDER BY attempt, seq", job
        )
        return "".join(row["text"] for row in rows)


QUICKLY_LOST = {"ORCHESTRATOR_LEASE_SECONDS": "3", "ORCHESTRATOR_HEARTBEAT_SECONDS": "0.4"}
"""For runners that others shall miss soon: short, but longer than a machine stalls now and then."""


def until_open(gate: Path) -> str:
    """The start of a script that goes on once the test has made the file."""
    return f"import time\nwhile not os.path.exists({str(gate)!r}): time.sleep(0.02)\n"


def until_all_meet(place: Path, count: int) -> str:
    """The start of scripts that go on once so many of them have begun."""
    place.mkdir(exist_ok=True)
    return (
        f"import time, uuid\nopen(os.path.join({str(place)!r}, uuid.uuid4().hex), 'w').close()\n"
        f"while len(os.listdir({str(place)!r})) < {count}: time.sleep(0.02)\n"
    )


def runner_environment(database: Database, broker: BrokerVhost, folder: Path, **more: str) -> dict[str, str]:
    """A runner with polls and grace periods of test length; no stall of the machine costs its lease."""
    return {
        "ORCHESTRATOR_DATABASE_URL": database.url_for("runner"),
        "ORCHESTRATOR_AMQP_URL": broker.url,
        "ORCHESTRATOR_ENCRYPTION_KEYS": ENCRYPTION_KEY,
        "ORCHESTRATOR_WORK_DIR": str(folder / "work"),
        "ORCHESTRATOR_LEASE_SECONDS": "60",
        "ORCHESTRATOR_HEARTBEAT_SECONDS": "0.5",
        "ORCHESTRATOR_POLL_SECONDS": "0.2",
        "ORCHESTRATOR_SCAN_SECONDS": "0.5",
        "ORCHESTRATOR_TASK_GRACE_SECONDS": "1",
        "ORCHESTRATOR_TASK_DRAIN_SECONDS": "0.3",
        "ORCHESTRATOR_SHUTDOWN_GRACE_SECONDS": "15",
        "ORCHESTRATOR_LOG_LEVEL": "info",
        "ORCHESTRATOR_TASK_UIDS": "none",  # as root, too: tasks write into folders of pytest's
        "PATH": os.environ["PATH"],
        **more,
    }
