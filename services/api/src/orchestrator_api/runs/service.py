"""Starts runs and asks jobs to stop."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from orchestrator_api.access import dedup_keys
from orchestrator_api.access.audit import About
from orchestrator_api.access.dedup_keys import DedupKey
from orchestrator_api.catalog import configurations, overrides, sealing
from orchestrator_api.catalog.configurations import Key
from orchestrator_api.catalog.phases import check_selection, stored_tasks
from orchestrator_api.catalog.rows import Configuration
from orchestrator_api.catalog.secrets import remaining_masks
from orchestrator_api.http.refusals import refuse
from orchestrator_api.http.session import Session
from orchestrator_api.runs import idempotency, rights
from orchestrator_api.runs.rows import Job, NewRequest
from orchestrator_api.runs.store import RunStore
from orchestrator_shared.contracts.commands import RunRequested, TerminateRequested
from orchestrator_shared.database.rows import JsonObject
from orchestrator_shared.definitions.nesting import find_cycle, format_cycle, with_children
from orchestrator_shared.domain.errors import Conflict, NotFound, UserError
from orchestrator_shared.domain.ids import ORCHESTRATOR, JobId, new_job_id
from orchestrator_shared.domain.statuses import FINAL_STATUSES, Origin
from orchestrator_shared.sealed_values import sealed_values


@dataclass(frozen=True, slots=True)
class RunRequest:
    """A run to start, and its options."""

    tasks: Sequence[str] | None = None
    parameters: JsonObject = field(default_factory=dict)
    scheduled_for: datetime | None = None
    version: int | None = None
    dedup_key: DedupKey | None = None
    """The caller's idempotency key, if it sent one."""
    notify: bool = True
    confirm: bool = False
    retry_of: UUID | None = None
    task_versions: Mapping[str, Mapping[str, int]] | None = None
    """Pinned versions of the tasks' configurations, by orchestration and task id."""
    versions_of: UUID | None = None
    """The finished job that ran these old versions."""


async def start(session: Session, key: Key, request: RunRequest) -> UUID:
    """Request a run; requesting again under the same key changes nothing."""
    if await _was_requested(session, request):
        assert request.dedup_key is not None
        return request.dedup_key.id
    await check(session, key, request)
    job_id = request.dedup_key.id if request.dedup_key else new_job_id()
    if not await _insert(session, key, request, job_id):  # a concurrent request was first
        await _was_requested(session, request)
        return job_id
    session.publish(_message(session, key, request, job_id))
    await session.record(
        "run.requested",
        str(key),
        About(id=str(job_id)),
        job_id=str(job_id),
        tasks=list(request.tasks) if request.tasks is not None else None,
        **({"retry_of": str(request.retry_of)} if request.retry_of else {}),
    )
    return job_id


async def check(session: Session, key: Key, request: RunRequest) -> None:
    """Reject what could not start: disabled and not confirmed, unknown tasks, cycles, invalid parameters."""
    configuration = await configurations.load(session, key)
    deviation = rights.Deviation(
        request.version,
        request.tasks,
        request.parameters,
        request.versions_of,
        request.task_versions or {},
        request.retry_of,
    )
    await rights.check_version(session, key, configuration, deviation)
    if not configuration.enabled and not request.confirm:
        raise Conflict(
            f"{key.id} is disabled: to run it anyway, send confirm: true (command line: --confirm)",
            field="confirm",
        )
    definition = await _definition(session, key, request, configuration)
    await rights.check_deviation(session, key, configuration, definition, deviation)
    if masked := remaining_masks(request.parameters, "parameters"):
        raise UserError("*** stands for a stored secret: enter the secret here", field=masked[0].field)
    if key.component == ORCHESTRATOR:
        refuse(check_selection(definition, request.tasks))
        await _check_cycle(session, key.id, definition)
    if (
        request.parameters and request.retry_of is None
    ):  # a retry sends none: it repeats those of its original
        own = overrides.Override(key, request.parameters, "parameters", request.version)
        refuse(await overrides.check(session, [own]))


async def _definition(
    session: Session, key: Key, request: RunRequest, configuration: Configuration
) -> JsonObject:
    if request.version is None:
        return configuration.parameters
    found = await configurations.find_version(session, key, request.version)
    if found is None:
        newest = configuration.version
        raise UserError(f"there is no version {request.version}; the newest is {newest}", field="version")
    return found.parameters


async def _check_cycle(session: Session, orchestration: str, definition: JsonObject) -> None:
    children = [t["configuration"] for t in stored_tasks(definition) if t["component"] == ORCHESTRATOR]
    if not children:
        return
    edges = await configurations.nestings_below(session, children)
    cycle = find_cycle(with_children(edges, orchestration, children), orchestration)
    if cycle is not None:
        raise UserError(f"orchestrations run each other in a cycle: {format_cycle(cycle)}", field="tasks")


async def _insert(session: Session, key: Key, request: RunRequest, job_id: UUID) -> bool:
    row = NewRequest(
        job_id=job_id,
        project=session.project,
        component=key.component,
        configuration=key.id,
        origin=_origin(session, request).value,
        requested_by=session.actor.label,
        token_id=session.actor.token_id,
        version=request.version,
        tasks=request.tasks,
        parameters=await _sealed(session, key, request),
        scheduled_for=request.scheduled_for or session.now,
        requested_at=session.now,
        retry_of=request.retry_of,
        task_versions=request.task_versions,
        idempotency_id=request.dedup_key.id if request.dedup_key else None,
        request_digest=request.dedup_key.digest if request.dedup_key else None,
    )
    return await RunStore(session.connection).insert_request(row)


async def _sealed(session: Session, key: Key, request: RunRequest) -> JsonObject:
    """The parameters, encrypted for whom each is; a retry's stay what they were for."""
    given = overrides.Override(key, request.parameters, "parameters", request.version)
    kept = set(sealed_values(request.parameters)) if request.retry_of else set()
    return await sealing.sealed_parameters(session, given, kept)


async def known(session: Session, ids: Sequence[JobId]) -> set[JobId]:
    """Which of these jobs were requested before."""
    return await RunStore(session.connection).known(project=session.project, ids=ids)


async def request_fires(
    session: Session, key: Key, fires: Mapping[JobId, datetime], dedup_key: DedupKey | None
) -> set[JobId]:
    """Request a run for each past fire; returns the jobs that had not been requested before."""
    return await RunStore(session.connection).insert_fires(
        project=session.project,
        orchestration=key.id,
        origin=session.actor.origin.value,
        requested_by=session.actor.label,
        token_id=session.actor.token_id,
        requested_at=session.now,
        job_ids=list(fires),
        scheduled_for=list(fires.values()),
        idempotency_id=dedup_key.id if dedup_key else None,
        request_digest=dedup_key.digest if dedup_key else None,
    )


def _origin(session: Session, request: RunRequest) -> Origin:
    return session.actor.origin if request.retry_of is None else Origin.RETRY


async def _was_requested(session: Session, request: RunRequest) -> bool:
    """Whether this request was already sent; a retry has no parameters of its own to compare."""
    found = await idempotency.earlier_requests(session, request.dedup_key)
    if found and request.retry_of is None:
        stored = session.encryption.read_secrets(found[0].parameters, session.project)
        if stored != request.parameters:
            raise dedup_keys.key_reused()
    return bool(found)


def _message(session: Session, key: Key, request: RunRequest, job_id: UUID) -> RunRequested:
    attended = session.actor.origin.is_attended
    return RunRequested(
        job_id=job_id,
        project=session.project,
        component=key.component,
        configuration=key.id,
        origin=_origin(session, request),
        requested_at=session.now,
        scheduled_for=request.scheduled_for or session.now,
        version=request.version,
        requested_by=session.actor.label,
        token_id=session.actor.token_id,
        notify=session.actor.email if attended and request.notify else None,
        attended=attended,
        details=request.tasks is not None or bool(request.parameters) or request.retry_of is not None,
    )


async def find_terminable(session: Session, job_id: UUID) -> Job:
    """The job, if there is something to stop; the caller may see the whole project."""
    job = await _requested(session, job_id)
    _check_not_ended(job)
    return job


async def terminate(session: Session, job_id: UUID) -> str:
    """Ask a job to stop; returns its current status."""
    job = await _requested(session, job_id)
    session.actor.require_run(job.component, job.configuration)
    _check_not_ended(job)
    session.publish(
        TerminateRequested(job_id=job_id, project=session.project, requested_by=session.actor.label)
    )
    await session.record("job.termination-requested", str(job_id), About(id=str(job_id)), status=job.status)
    return job.status


async def _requested(session: Session, job_id: UUID) -> Job:
    store = RunStore(session.connection)
    job = await store.job(project=session.project, job_id=job_id)
    if job is None:
        overlap = await store.overlap(project=session.project, job_id=job_id)
        if overlap is not None:
            raise Conflict(f"there is nothing to stop: it {overlap.detail}")
        raise NotFound(f"there is no job {job_id} in this project", field="job")
    return job


def _check_not_ended(job: Job) -> None:
    if job.status in FINAL_STATUSES:
        raise Conflict(f"the job has already ended with status {job.status!r}")
