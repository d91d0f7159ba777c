"""The rules of the engine, checked after every step of a history: what holds, and what never changes."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import asyncpg
from asyncpg.pool import PoolConnectionProxy
from tests.support.engine_replica import Replica
from tests.support.engine_world import World

from orchestrator_shared.database.queries import Queries
from orchestrator_shared.domain.statuses import TRANSITIONS, JobStatus

RULES = Queries.load("tests.support", "engine_rules.sql")
BROKEN = " UNION ALL ".join(
    f"SELECT '{name.replace('_', ' ')}' AS rule, found.* FROM ({RULES[name]}) AS found (id)" for name in RULES
)
UNDERWAY = ("processing", "terminating")


@dataclass
class Look:
    """The database at one moment."""

    jobs: dict[UUID, asyncpg.Record] = field(default_factory=dict)
    holders: frozenset[UUID] = frozenset()
    """Replicas whose lease is good, and which nobody has declared lost."""
    lost: frozenset[UUID] = frozenset()
    limit: int | None = None
    known: frozenset[UUID] = frozenset()
    """Requests that became a job or a record of a merge or a skip."""

    @property
    def busy(self) -> int:
        """How much of the project's limit is used."""
        return sum(job["kind"] == "component" and job["status"] in UNDERWAY for job in self.jobs.values())


class Rules:
    """Looks at the world after every step, and remembers the look before."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.seen = Look()

    async def check(self, batch: Sequence[UUID] = ()) -> None:
        """After a step; `batch`: the requests of the last delivery, in order."""
        async with self._world.admin.acquire() as connection:
            broken = await connection.fetch(BROKEN)
            assert not broken, [f"{row['rule']}: {row['id']}" for row in broken]
            now = await _look(connection)
        self._check_jobs(now)
        self._check_limit(now)
        self._check_order(now, batch)
        _check_attempts(self._world.replicas, now)
        self.seen = now

    def _check_jobs(self, now: Look) -> None:
        may_claim = self.seen.holders | now.holders
        for job_id, before in self.seen.jobs.items():
            after = now.jobs.get(job_id)
            assert after is not None, "no job disappears"
            if before["finished_at"] is not None:
                assert before == after, "finished is final"
            elif before != after:
                _check_change(before, after)
        for job_id, after in now.jobs.items():
            earlier = self.seen.jobs.get(job_id)
            claimed = after["epoch"] > (earlier["epoch"] if earlier else 0)
            if claimed and after["kind"] == "component" and after["status"] in UNDERWAY:
                assert after["replica_id"] in may_claim, "who has no lease claims nothing"

    def _check_limit(self, now: Look) -> None:
        if now.limit is not None:  # lowering it stops nothing that runs
            most = max(now.limit, self.seen.busy)
            assert now.busy <= most, f"the limit is never exceeded: {now.busy} of {most}"

    def _check_order(self, now: Look, batch: Sequence[UUID]) -> None:
        """The places in a line follow the order of the batch that brought the requests."""
        place = {job_id: number for number, job_id in enumerate(dict.fromkeys(batch))}
        new = [job for job_id, job in now.jobs.items() if job_id in place and job_id not in self.seen.jobs]
        last: dict[int, int] = {}
        for job in sorted(new, key=lambda job: place[job["id"]]):
            assert last.get(job["lane_id"], 0) < job["seq"], "accepted in the order of the batch"
            last[job["lane_id"]] = job["seq"]

    def check_requests(self, sent: Collection[UUID], acked: Collection[UUID]) -> None:
        """Every request becomes one row, however often and in whatever order it comes."""
        unasked = self.seen.known - set(sent)
        assert not unasked, f"no run that nobody asked for: {[self.seen.jobs.get(each) for each in unasked]}"
        assert set(acked) <= self.seen.known, "no request gets lost"

    def check_stops(self, stopped: Collection[UUID]) -> None:
        """Whatever was asked to stop does, also if the stop came first."""
        for job_id in stopped:
            job = self.seen.jobs.get(job_id)
            if job is not None:
                assert job["stop_requested_at"] or job["finished_at"], "no stop gets lost"


async def _look(connection: "PoolConnectionProxy[asyncpg.Record]") -> Look:
    jobs = await connection.fetch("SELECT * FROM jobs.jobs ORDER BY lane_id, seq")
    rest = await connection.fetchrow(
        """SELECT (SELECT array_agg(job_id) FROM jobs.request_records) AS records,
                  (SELECT parallel_limit FROM catalog.projects) AS parallel_limit,
                  (SELECT array_agg(id) FROM jobs.replicas WHERE lost_at IS NOT NULL) AS lost,
                  (SELECT array_agg(id) FROM jobs.replicas
                   WHERE lost_at IS NULL AND lease_until > clock_timestamp()) AS holders"""
    )
    assert rest is not None
    roots = {job["id"] for job in jobs if job["parent_id"] is None}
    return Look(
        {job["id"]: job for job in jobs},
        holders=frozenset(rest["holders"] or ()),
        lost=frozenset(rest["lost"] or ()),
        limit=rest["parallel_limit"],
        known=frozenset(roots | set(rest["records"] or ())),
    )


def _reachable() -> Mapping[str, frozenset[str]]:
    """Every status that may follow, some steps later."""
    steps: dict[str, set[str]] = {status: {status, *after} for status, after in TRANSITIONS.items()}
    steps[JobStatus.PROCESSING].add(JobStatus.READY)  # claimed ahead, not begun, given back
    for _ in steps:
        steps = {status: set().union(*(steps[each] for each in after)) for status, after in steps.items()}
    return {status: frozenset(after) for status, after in steps.items()}


REACHABLE = _reachable()


def _check_change(before: asyncpg.Record, after: asyncpg.Record) -> None:
    assert after["status"] in REACHABLE[before["status"]], f"{before['status']} to {after['status']}"
    changed = [column for column, value in after.items() if before[column] != value]
    passed = changed == ["due_at"]  # the test's hand on the clock
    assert passed or after["revision"] > before["revision"], f"{changed} changed unseen by revision"
    assert after["epoch"] >= before["epoch"], "an epoch never comes back"
    for column in ("lane_id", "seq", "parent_id", "root_id", "retry_of"):
        assert after[column] == before[column], f"{column} never changes"
    if before["version"] is not None:
        assert after["version"] == before["version"], "what runs keeps its version"


def _check_attempts(replicas: Sequence[Replica], now: Look) -> None:
    """Only the owner's word ends an attempt, and none executes more than it has slots."""
    for replica in replicas:
        assert len(replica.open) <= replica.slots, "no more attempts than slots"
        if replica.lost or replica.id in now.lost:
            continue
        for job, future in replica.open.values():
            row = now.jobs[job.id]
            if not future.done():
                assert (row["epoch"], row["replica_id"]) == (job.epoch, replica.id), "taken from its owner"
                assert row["status"] in UNDERWAY, "ended by somebody else"
