"""Retries finished jobs: first a plan to review, then exactly that plan."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from orchestrator_api.access.dedup_keys import DedupKey
from orchestrator_api.catalog import configurations
from orchestrator_api.catalog.configurations import Key
from orchestrator_api.catalog.phases import stored_tasks
from orchestrator_api.catalog.rows import CurrentVersion
from orchestrator_api.http.refusals import Overtaken, SavedSince, refuse
from orchestrator_api.http.session import Session
from orchestrator_api.runs import idempotency, jobs
from orchestrator_api.runs import service as runs
from orchestrator_api.runs.overlaps import DECIDED
from orchestrator_api.runs.retry_plan import (
    Original,
    RetryPlan,
    Target,
    Version,
    check_plan,
    check_something_to_run,
    plan_retry,
    requested_version,
    saved_since,
    usual_seconds,
    without_notes,
)
from orchestrator_api.runs.rows import Job
from orchestrator_api.runs.store import RunStore
from orchestrator_shared.domain.errors import Conflict, NotFound, UserError
from orchestrator_shared.domain.statuses import FINAL_STATUSES

Versions = Mapping[str, Mapping[str, int]]
"""Of the tasks' configurations, by orchestration and task id."""
CHANGED = (
    "the plan has changed since it was fetched, or was made for other tasks: "
    "fetch it again, and send `tasks` with it if you changed the selection"
)


@dataclass(frozen=True, slots=True)
class RetryRequest:
    """The plan to carry out, and how."""

    plan_id: str
    tasks: Sequence[str] | None = None
    dedup_key: DedupKey | None = None
    notify: bool = True
    confirm: bool = False


async def plan(
    session: Session, job_id: UUID, tasks: Sequence[str] | None, version: Version
) -> tuple[Job, RetryPlan]:
    """The finished job, and what a retry of it would run."""
    job = await _finished(session, job_id)
    then = await _versions_then(session, job_id)
    target = await _target(session, job, version, then)
    retry_plan = plan_retry(await _original(session, job, then), target, tasks)
    refuse(check_plan(retry_plan, tasks, is_run=job.is_run))
    return job, retry_plan


async def show(session: Session, job_id: UUID, tasks: Sequence[str] | None, version: Version) -> RetryPlan:
    """The plan with how long it usually takes; not for tokens that may only run, as who saved what is not."""
    job, retry_plan = await plan(session, job_id, tasks, version)
    if not session.actor.reads_project:
        return without_notes(retry_plan)
    if not job.is_run:
        key = (job.component, job.configuration)
        usual = (await jobs.usual_durations(session, [key])).get(key)
    else:
        keys = {(task.component, task.configuration) for task in retry_plan.tasks if task.selected}
        usual = usual_seconds(retry_plan, await jobs.usual_durations(session, sorted(keys)))
    return replace(retry_plan, usual_duration_seconds=usual)


async def start(session: Session, job_id: UUID, request: RetryRequest) -> UUID:
    """Carry out the plan with this id; rejected if anything it is based on has changed."""
    job = await _finished(session, job_id)
    session.actor.require_run(job.component, job.configuration)
    if await idempotency.earlier_requests(session, request.dedup_key):  # even if the plan has changed since
        assert request.dedup_key is not None
        return request.dedup_key.id
    retry_plan, version = await _planned(session, job_id, request)
    refuse(check_something_to_run(retry_plan, is_run=job.is_run))
    key = Key(job.component, job.configuration)
    run_request = replace(
        _run(session, job, retry_plan, request), versions_of=job_id if version == "original" else None
    )
    return await runs.start(session, key, run_request)


async def _planned(session: Session, job_id: UUID, request: RetryRequest) -> tuple[RetryPlan, Version]:
    """Make the same plan again, from the current state.

    The id contains which versions were requested; it matches the default selection or that of `tasks`.
    """
    version = requested_version(request.plan_id)
    if version is None:
        raise Conflict(CHANGED, field="plan_id")
    _, fetched = await plan(session, job_id, None, version)
    if fetched.id == request.plan_id and request.tasks is None:
        return fetched, version
    if request.tasks is not None:
        _, changed = await plan(session, job_id, request.tasks, version)
        if request.plan_id in (changed.id, fetched.id):
            return changed, version
    raise await _what_changed(session, job_id, request.plan_id, version)


async def _what_changed(session: Session, job_id: UUID, plan_id: str, version: Version) -> Conflict:
    if version == "original":
        return Conflict(CHANGED, field="plan_id")
    target = await _target(session, await _finished(session, job_id), version, {})
    saved = [
        SavedSince(each.component, each.id, each.version, each.author, each.saved_at, each.note)
        for each in saved_since(plan_id, target)
    ]
    if not saved:
        return Conflict(CHANGED, field="plan_id")
    first = ", ".join(f"{each.component}/{each.configuration}" for each in saved[:5])
    names = first + (f" and {len(saved) - 5} more" if len(saved) > 5 else "")
    detail = (
        f"saved since the plan was fetched: {names}. Fetch the plan again; a plan with version=original "
        "would run the versions that ran then"
    )
    # A token that may only run learns the names, as of every task, but not who changed them and why.
    return Overtaken(detail, field="plan_id", saved=saved if session.actor.reads_project else ())


async def _finished(session: Session, job_id: UUID) -> Job:
    job = await jobs.find(session, job_id)
    if job.status in DECIDED:
        raise Conflict(f"there is nothing to retry: it {job.message}")
    if job.status not in FINAL_STATUSES:
        raise Conflict(f"the job is not finished: it is {job.status!r}; wait until it ends, or terminate it")
    return job


async def _target(session: Session, job: Job, version: Version, then: Versions) -> Target:
    """What a retry would run; `then` are the versions that ran."""
    number, definition = await _definition(session, job, version)
    existing = await _existing(session, job, definition)
    return Target(
        version=number,
        definition=definition,
        existing={(each.component, each.id): each.version for each in existing},
        orchestration=job.configuration,
        pins=then if version == "original" else {},
        own=(job.component, job.configuration),
        requested=version,
        saved={(each.component, each.id): each for each in existing},
    )


async def _versions_then(session: Session, run: UUID) -> Versions:
    """The versions that the tasks of the run and of its nested runs had."""
    then: dict[str, dict[str, int]] = {}
    for task in await RunStore(session.connection).task_versions(project=session.project, run=run):
        if task.version is not None:
            then.setdefault(task.orchestration, {})[task.task_id] = task.version
    return then


async def _definition(session: Session, job: Job, version: Version) -> tuple[int, Mapping[str, Any]]:
    key = Key(job.component, job.configuration)
    configuration = await configurations.load(session, key)
    if version == "current":
        return configuration.version, configuration.parameters
    if job.version is None:
        raise UserError(
            "the job never started, so there is no original version: use version=current", field="version"
        )
    found = await configurations.find_version(session, key, job.version)
    if found is None:
        raise NotFound(f"version {job.version} no longer exists: use version=current", field="version")
    return found.version, found.parameters


async def _original(session: Session, job: Job, then: Versions) -> Original:
    ends = await RunStore(session.connection).task_ends(project=session.project, run=job.id)
    return Original(
        id=job.id,
        status=job.status,
        statuses={task.task_id: task.status for task in ends},
        selection=None if job.selection is None else frozenset(job.selection),
        version=job.version,
        task_versions=then.get(job.configuration, {}) if job.is_run else {},
    )


async def _existing(session: Session, job: Job, definition: Mapping[str, Any]) -> list[CurrentVersion]:
    """The configurations that a retry would run, and its own, each with its current version."""
    tasks = [(task["component"], task["configuration"]) for task in stored_tasks(definition)]
    return await configurations.existing(session, [(job.component, job.configuration), *tasks])


def _run(session: Session, job: Job, retry_plan: RetryPlan, request: RetryRequest) -> runs.RunRequest:
    parameters = dict(job.parameters)  # still encrypted for those they were given to
    selection = retry_plan.selection if job.is_run else None
    if selection is not None:
        # A run's parameters are by task id; those of tasks that are not run again are dropped.
        parameters = {task: value for task, value in parameters.items() if task in selection}
    return runs.RunRequest(
        tasks=selection,
        parameters=parameters,
        scheduled_for=job.scheduled_for,
        version=retry_plan.version,
        dedup_key=request.dedup_key,
        notify=request.notify,
        confirm=request.confirm,
        retry_of=job.id,
        task_versions=retry_plan.task_versions or None,
    )
