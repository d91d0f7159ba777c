"""Starts runs and asks jobs to stop."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from orchestrator_api.catalog import configurations, overrides
from orchestrator_api.catalog.configurations import Key
from orchestrator_api.catalog.phases import check_selection, stored_tasks
from orchestrator_api.catalog.rows import Configuration
from orchestrator_api.catalog.secrets import left_masks
from orchestrator_api.http.refusals import refuse
from orchestrator_api.http.session import Session
from orchestrator_api.runs import idempotency, rights
from orchestrator_api.runs.idempotency import Asked
from orchestrator_api.runs.rows import NewRequest
from orchestrator_api.runs.store import RunStore
from orchestrator_shared.contracts.commands import RunRequested, TerminateRequested
from orchestrator_shared.database.rows import JsonObject
from orchestrator_shared.definitions.nesting import find_cycle, format_cycle, with_children
from orchestrator_shared.domain.errors import Conflict, NotFound, UserError
from orchestrator_shared.domain.ids import ORCHESTRATOR, JobId, new_job_id
from orchestrator_shared.domain.statuses import FINAL_STATUSES, Origin


@dataclass(frozen=True, slots=True)
class RunWish:
    """What to run."""

    tasks: Sequence[str] | None = None
    parameters: JsonObject = field(default_factory=dict)
    scheduled_for: datetime | None = None
    version: int | None = None
    asked: Asked | None = None
    """The key of the caller under which it was requested, if any."""
    notify: bool = True
    confirm: bool = False
    retry_of: UUID | None = None
    task_versions: Mapping[str, Mapping[str, int]] | None = None
    """Pinned versions of the tasks' configurations, by orchestration and task id."""
    versions_of: UUID | None = None
    """The finished job that had these old versions."""


async def start(session: Session, key: Key, wish: RunWish) -> UUID:
    """Request a run; requesting again under the same key changes nothing."""
    if await _was_asked(session, wish):
        assert wish.asked is not None
        return wish.asked.id
    await check(session, key, wish)
    job_id = wish.asked.id if wish.asked else new_job_id()
    if not await _insert(session, key, wish, job_id):  # requested by a concurrent request
        await _was_asked(session, wish)
        return job_id
    session.say(_message(session, key, wish, job_id))
    await session.record(
        "run.requested",
        str(key),
        job_id=str(job_id),
        tasks=list(wish.tasks) if wish.tasks is not None else None,
        **({"retry_of": str(wish.retry_of)} if wish.retry_of else {}),
    )
    return job_id


async def check(session: Session, key: Key, wish: RunWish) -> None:
    """Refuse what could not start: disabled without confirmation, unknown tasks, cycles, bad parameters."""
    configuration = await configurations.load(session, key)
    departure = rights.Departure(
        wish.version, wish.tasks, wish.parameters, wish.versions_of, wish.task_versions or {}, wish.retry_of
    )
    await rights.check_version(session, key, configuration, departure)
    if not configuration.enabled and not wish.confirm:
        raise Conflict(
            f"{key.id} is disabled: to run it nevertheless send confirm: true (command line: --confirm)",
            field="confirm",
        )
    definition = await _definition(session, key, wish, configuration)
    await rights.check_departure(session, key, configuration, definition, departure)
    if masked := left_masks(wish.parameters, "parameters"):
        raise UserError("*** stands for a stored secret: enter the secret here", field=masked[0].field)
    if key.component == ORCHESTRATOR:
        refuse(check_selection(definition, wish.tasks))
        await _check_cycle(session, key.id, definition)
    if wish.parameters and wish.retry_of is None:  # a retry sends none: it repeats those of its original
        own = overrides.Override(key, wish.parameters, "parameters", wish.version)
        refuse(await overrides.check(session, [own]))


async def _definition(session: Session, key: Key, wish: RunWish, configuration: Configuration) -> JsonObject:
    if wish.version is None:
        return configuration.parameters
    found = await configurations.find_version(session, key, wish.version)
    if found is None:
        newest = configuration.version
        raise UserError(f"there is no version {wish.version}; the newest is {newest}", field="version")
    return found.parameters


async def _check_cycle(session: Session, orchestration: str, definition: JsonObject) -> None:
    children = [t["configuration"] for t in stored_tasks(definition) if t["component"] == ORCHESTRATOR]
    if not children:
        return
    edges = await configurations.nestings(session)
    cycle = find_cycle(with_children(edges, orchestration, children), orchestration)
    if cycle is not None:
        raise UserError(f"orchestrations run each other in a cycle: {format_cycle(cycle)}", field="tasks")


async def _insert(session: Session, key: Key, wish: RunWish, job_id: UUID) -> bool:
    request = NewRequest(
        job_id=job_id,
        project=session.project,
        component=key.component,
        configuration=key.id,
        origin=_origin(session, wish).value,
        requested_by=session.actor.label,
        token_id=session.actor.token_id,
        version=wish.version,
        tasks=wish.tasks,
        parameters=session.encrypted(wish.parameters, "parameters"),
        scheduled_for=wish.scheduled_for or session.now,
        requested_at=session.now,
        retry_of=wish.retry_of,
        task_versions=wish.task_versions,
        idempotency_id=wish.asked.id if wish.asked else None,
        request_digest=wish.asked.digest if wish.asked else None,
    )
    return await RunStore(session.connection).insert_request(request)


async def known(session: Session, ids: Sequence[JobId]) -> set[JobId]:
    """Which of these jobs were requested before."""
    return await RunStore(session.connection).known(ids=ids)


async def request_fires(
    session: Session, key: Key, fires: Mapping[JobId, datetime], asked: Asked | None
) -> set[JobId]:
    """Request runs for past fires, each once; returns the jobs that no one requested before."""
    return await RunStore(session.connection).insert_fires(
        project=session.project,
        orchestration=key.id,
        origin=session.actor.origin.value,
        requested_by=session.actor.label,
        token_id=session.actor.token_id,
        requested_at=session.now,
        job_ids=list(fires),
        scheduled_for=list(fires.values()),
        idempotency_id=asked.id if asked else None,
        request_digest=asked.digest if asked else None,
    )


def _origin(session: Session, wish: RunWish) -> Origin:
    return session.actor.origin if wish.retry_of is None else Origin.RETRY


async def _was_asked(session: Session, wish: RunWish) -> bool:
    """Whether this very request was sent before; a retry has no parameters of its own to compare."""
    found = await idempotency.before(session, wish.asked)
    if found and wish.retry_of is None:
        stored = session.encryption.decrypt_secrets(found[0].parameters, session.project)
        if stored != wish.parameters:
            raise idempotency.reused()
    return bool(found)


def _message(session: Session, key: Key, wish: RunWish, job_id: UUID) -> RunRequested:
    attended = session.actor.origin.is_attended
    return RunRequested(
        job_id=job_id,
        project=session.project,
        component=key.component,
        configuration=key.id,
        origin=_origin(session, wish),
        requested_at=session.now,
        scheduled_for=wish.scheduled_for or session.now,
        version=wish.version,
        requested_by=session.actor.label,
        token_id=session.actor.token_id,
        notify=session.actor.email if attended and wish.notify else None,
        attended=attended,
        details=wish.tasks is not None or bool(wish.parameters) or wish.retry_of is not None,
    )


async def terminate(session: Session, job_id: UUID) -> str:
    """Ask a job to stop; returns its current status."""
    store = RunStore(session.connection)
    job = await store.job(project=session.project, job_id=job_id)
    if job is None:
        overlap = await store.overlap(project=session.project, job_id=job_id)
        if overlap is not None:
            raise Conflict(f"there is nothing to stop: it {overlap.detail}")
        raise NotFound(f"there is no job {job_id} in this project", field="job")
    session.actor.require_run(job.component)
    if job.status in FINAL_STATUSES:
        raise Conflict(f"the job is over: it ended {job.status!r}")
    session.say(TerminateRequested(job_id=job_id, project=session.project, requested_by=session.actor.label))
    await session.record("job.termination-requested", str(job_id))
    return job.status
