"""What a stack at rest must be able to account for, whatever happened to it: jobs, fires, updates, mails."""

from dataclasses import dataclass
from uuid import UUID

from tests.end_to_end.chain import STATUS
from tests.support.databases import Database
from tests.support.stack import Stack
from tests.support.waiting import eventually

HOURLY = """
orchestration: hourly
phases: [{name: Tick, tasks: [{run: write/tick}]}]
schedules:
  every-hour: {every: 1h}
---
configuration: write/tick
"""
IS_KNOWN = """
SELECT EXISTS (SELECT FROM scheduler.next_fires n JOIN catalog.schedules s ON s.id = n.schedule_id
               WHERE n.version = s.version AND n.next_at IS NOT NULL)
"""
_AN_HOUR_LATER = """
UPDATE scheduler.next_fires
SET anchor = date_trunc('second', clock_timestamp()) - interval '1 hour', next_at = clock_timestamp()
"""


async def an_hour_later(database: Database) -> None:
    """The schedule of HOURLY, which the scheduler may have yet to read, is due as if an hour had passed."""
    await eventually(lambda: database.fetchval(IS_KNOWN), 60)
    await database.execute(_AN_HOUR_LATER)


@dataclass(frozen=True)
class Known:
    """What a database knows."""

    jobs: frozenset[UUID]
    updates: frozenset[tuple[str, str]]
    fires: frozenset[tuple[UUID, str]]
    mails: frozenset[str]

    @classmethod
    async def read(cls, database: Database) -> "Known":
        return cls(
            frozenset(row["id"] for row in await database.fetch("SELECT id FROM jobs.jobs")),
            frozenset(
                (row["source"], row["event_id"])
                for row in await database.fetch("SELECT source, event_id FROM triggers.updates")
            ),
            frozenset(
                (row["id"], row["key"])
                for row in await database.fetch(
                    """SELECT schedule_id AS id, fire_key AS key FROM scheduler.fires UNION ALL
                       SELECT trigger_id, generation::text FROM triggers.fires"""
                )
            ),
            frozenset(
                row["message_id"]
                for row in await database.fetch("SELECT message_id FROM notifications.deliveries")
            ),
        )

    def counts(self) -> dict[str, int]:
        return {name: len(getattr(self, name)) for name in self.__dataclass_fields__}

    def __le__(self, other: "Known") -> bool:
        return all(getattr(self, name) <= getattr(other, name) for name in self.__dataclass_fields__)


async def check_runs(stack: Stack) -> None:
    """Every request has its run, which ended as it should."""
    rows = await stack.database.fetch(
        """SELECT r.job_id, r.configuration, j.status FROM catalog.run_requests r
           LEFT JOIN jobs.jobs j ON j.id = r.job_id"""
    )
    assert len(rows) > 3
    assert [dict(row) for row in rows if row["status"] != STATUS.get(row["configuration"], "success")] == []


async def check_triggers(stack: Stack) -> None:
    """Each update was judged once, each generation has one run."""
    (row,) = await stack.database.fetch(
        """SELECT (SELECT count(*) FROM triggers.updates WHERE job_id IS NOT NULL) AS heard,
                  (SELECT count(*) FROM triggers.dispositions) AS judged,
                  (SELECT count(*) FROM triggers.fires) AS fires,
                  (SELECT generation FROM triggers.states) AS generation,
                  (SELECT count(*) FROM jobs.jobs WHERE origin = 'trigger') AS runs,
                  (SELECT count(*) FROM jobs.jobs WHERE configuration = 'ingest') AS ingests"""
    )
    assert row["heard"] == row["judged"] == 2 * row["ingests"], dict(row)
    assert row["fires"] == row["generation"] == row["runs"], dict(row)


async def check_mails(stack: Stack, *, repeated: bool) -> None:
    """Everyone was told of every run; if told twice of it, then under one Message-ID."""
    rows = await stack.database.fetch("SELECT message_id, status FROM notifications.deliveries")
    assert {row["status"] for row in rows} == {"sent"}
    arrived = [str(mail.message["Message-ID"]) for mail in stack.mails.messages]
    assert {row["message_id"] for row in rows} <= set(arrived)
    assert repeated or len(arrived) == len(set(arrived)) == len(rows)
    runs = await stack.database.fetch("SELECT id FROM jobs.jobs WHERE configuration = ANY ($1)", list(STATUS))
    assert len(rows) == len(runs)
