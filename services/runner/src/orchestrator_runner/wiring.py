"""The only place where the runner's parts are created and connected."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

import asyncpg
import structlog

from orchestrator_runner.executors.docker.engine import EngineAddress
from orchestrator_runner.executors.docker.executor import DockerExecutor, DockerSettings
from orchestrator_runner.executors.docker.images import Registries
from orchestrator_runner.executors.http.client import HttpClient
from orchestrator_runner.executors.http.executor import HttpExecutor, HttpSettings
from orchestrator_runner.executors.images import AllowedImages
from orchestrator_runner.executors.kubernetes.client import KubernetesClient
from orchestrator_runner.executors.kubernetes.executor import KubernetesExecutor, KubernetesSettings
from orchestrator_runner.executors.kubernetes.place import Place
from orchestrator_runner.executors.port import Executor
from orchestrator_runner.executors.process.executor import ProcessExecutor, ProcessSettings
from orchestrator_runner.executors.process.keeper_client import Keeper
from orchestrator_runner.executors.process.task_directory import make_work_directory
from orchestrator_runner.executors.task_users import NONE, TaskUsers
from orchestrator_runner.logs.capture import LogLimits
from orchestrator_runner.logs.store import LogStore
from orchestrator_runner.queue import measuring
from orchestrator_runner.queue.accept import Accept
from orchestrator_runner.queue.attempts import AttemptRunner
from orchestrator_runner.queue.commands import COMMANDS, Commands
from orchestrator_runner.queue.definitions import Definitions
from orchestrator_runner.queue.handle_store import HandleStore
from orchestrator_runner.queue.hints import hints
from orchestrator_runner.queue.lanes import Lanes
from orchestrator_runner.queue.leases import Leases
from orchestrator_runner.queue.loop import Engine
from orchestrator_runner.queue.recovery import Recovery, attempts_underway
from orchestrator_runner.queue.retention import RETENTION_SECONDS, retention
from orchestrator_runner.queue.starts import Starter
from orchestrator_runner.queue.step import Stepper
from orchestrator_runner.queue.task_users import ProjectUsers, choose_task_users
from orchestrator_runner.queue.terminate import Terminate
from orchestrator_runner.runs.phase_cache import PhaseCache
from orchestrator_runner.settings import RunnerSettings
from orchestrator_shared.contracts.routing import RUNNER_COMMANDS, RUNNER_FEED
from orchestrator_shared.database.pool import FIXED_PLANS
from orchestrator_shared.database.retention import Retention
from orchestrator_shared.database.turns import Measuring
from orchestrator_shared.domain.ids import new_id
from orchestrator_shared.domain.internal_hosts import InternalHosts
from orchestrator_shared.job_tokens import job_token_keys
from orchestrator_shared.messaging.connection import Broker
from orchestrator_shared.messaging.consumer import Consumer
from orchestrator_shared.messaging.outbox import Outbox
from orchestrator_shared.messaging.relay import Publishes, Tuning
from orchestrator_shared.runtime.lifecycle import Lifecycle
from orchestrator_shared.runtime.skeleton import FLUSH_SECONDS, Skeleton, open_skeleton
from orchestrator_shared.security import Encryption

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Core:
    """The parts that decide about jobs. They need a database and a publisher, but no broker and no keeper."""

    replica_id: UUID
    outbox: Outbox
    engine: Engine
    accept: Accept
    terminate: Terminate
    commands: Commands
    leases: Leases
    recovery: Recovery


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of one replica."""

    core: Core
    keeper: Keeper
    commands: Consumer
    feed: Consumer
    retention: Retention
    executors: Mapping[str, Executor]


@asynccontextmanager
async def start(
    settings: RunnerSettings, lifecycle: Lifecycle, *, executors: Mapping[str, Executor] | None = None
) -> AsyncIterator[None]:
    """Open everything, work until asked to stop, hand over what is underway, close.

    `executors` are added to the built-in ones, by name.
    """
    async with AsyncExitStack() as stack:
        skeleton = await stack.enter_async_context(open_skeleton(settings, lifecycle, planning=FIXED_PLANS))
        users = await asyncio.to_thread(_task_users, settings)
        keeper = await stack.enter_async_context(
            Keeper.open(
                lease_margin=max(0.2, settings.lease_seconds * 0.1), drain_seconds=settings.task_drain_seconds
            )
        )
        http = await stack.enter_async_context(
            _http_executor(settings, owns=lambda: parts.core.leases.is_held)
        )
        built_in: dict[str, Executor] = {"http": http}
        if settings.process_executor == "on":
            process = _process_executor(settings, keeper, users)
            built_in["process"] = await stack.enter_async_context(process)
        if settings.kubernetes_namespace is not None:
            kubernetes = _kubernetes_executor(
                settings, settings.kubernetes_namespace, owns=lambda: parts.core.leases.is_held
            )
            built_in["kubernetes"] = await stack.enter_async_context(kubernetes)
        if settings.docker_url is not None:
            docker = _docker_executor(settings, skeleton.pool, owns=lambda: parts.core.leases.is_held)
            built_in["docker"] = await stack.enter_async_context(docker)
        parts = build(
            settings, skeleton.pool, skeleton.broker, keeper, {**built_in, **(executors or {})}, users
        )
        await parts.core.leases.register(keeper)
        lifecycle.ready_when("lease", lambda: parts.core.leases.is_held)
        lifecycle.ready_when("keeper", lambda: parts.keeper.is_alive)
        async with _working(skeleton, settings, parts):
            yield


def _process_executor(
    settings: RunnerSettings, keeper: Keeper, users: TaskUsers | None
) -> AbstractAsyncContextManager[ProcessExecutor]:
    return ProcessExecutor.open(
        keeper,
        ProcessSettings(
            work_directory=settings.work_dir,
            grace_seconds=settings.task_grace_seconds,
            is_passable=users is not None,
        ),
    )


def _http_executor(
    settings: RunnerSettings, *, owns: Callable[[], bool]
) -> AbstractAsyncContextManager[HttpExecutor]:
    client = HttpClient(internal=InternalHosts.parse(settings.internal_hosts))
    return HttpExecutor.open(client, HttpSettings(grace_seconds=settings.task_grace_seconds), owns=owns)


def _kubernetes_executor(
    settings: RunnerSettings, namespace: str, *, owns: Callable[[], bool]
) -> AbstractAsyncContextManager[KubernetesExecutor]:
    place = Place.of(
        namespace, settings.kubernetes_url, settings.kubernetes_token_file, settings.kubernetes_ca_file
    )
    return KubernetesExecutor.open(
        KubernetesClient(place),
        KubernetesSettings(
            images=AllowedImages.parse(settings.allowed_images),
            grace_seconds=settings.task_grace_seconds,
            keep_seconds=settings.kubernetes_keep_seconds,
        ),
        owns=owns,
    )


def _docker_executor(
    settings: RunnerSettings, pool: asyncpg.Pool, *, owns: Callable[[], bool]
) -> AbstractAsyncContextManager[DockerExecutor]:
    assert settings.docker_url is not None
    docker = DockerSettings(
        address=EngineAddress.parse(settings.docker_url),
        images=AllowedImages.parse(settings.allowed_images),
        registries=Registries.parse(settings.registry_credentials or '{"auths": {}}'),
        installation=settings.docker_installation,
        grace_seconds=settings.task_grace_seconds,
        log_bytes=2 * settings.log_max_bytes,
    )
    return DockerExecutor.open(docker, owns=owns, underway=attempts_underway(pool))


def build(
    settings: RunnerSettings,
    pool: asyncpg.Pool,
    broker: Broker,
    keeper: Keeper,
    executors: Mapping[str, Executor],
    users: TaskUsers | None = None,
) -> Parts:
    """Connect the parts of a replica."""
    core = join_core(settings, pool, broker.publisher, executors)
    encryption = Encryption(settings.encryption_keys, form=settings.secret_form)
    handles = HandleStore(pool, encryption, api_url=settings.api_url)
    core.engine.use(make_attempts(settings, pool, executors, handles, users).prepare)
    return Parts(
        core=core,
        keeper=keeper,
        commands=Consumer.batches(broker, RUNNER_COMMANDS, core.commands, handles=COMMANDS),
        feed=Consumer(
            broker, RUNNER_FEED, hints(core.engine.look_around, handles.wake, own_id=core.replica_id)
        ),
        retention=retention(pool, days=settings.retention_days, log_days=settings.log_retention_days),
        executors=executors,
    )


def join_core(
    settings: RunnerSettings,
    pool: asyncpg.Pool,
    publisher: Publishes,
    executors: Mapping[str, Executor],
    tuning: Tuning | None = None,
) -> Core:
    """Connect the parts that decide about jobs; the engine claims none until it has an executor."""
    replica_id = new_id()
    outbox = Outbox(schema="jobs", source="/runner", pool=pool, publisher=publisher, tuning=tuning)
    lanes, phase_cache = Lanes(), PhaseCache()
    engine = Engine(
        pool=pool,
        stepper=Stepper(pool, outbox, phase_cache, replica_id),
        starter=Starter(pool, outbox, lanes, phase_cache, replica_id),
        replica_id=replica_id,
        slots=settings.runner_slots,
        poll_seconds=settings.poll_seconds,
        scan_seconds=settings.scan_seconds,
    )
    accept = Accept(pool, outbox, lanes, engine.look_around, max_chain_length=settings.max_chain_length)
    terminate = Terminate(pool, outbox, engine)
    leases = _leases(settings, pool, replica_id)
    return Core(
        replica_id=replica_id,
        outbox=outbox,
        engine=engine,
        accept=accept,
        terminate=terminate,
        commands=Commands(accept, terminate),
        leases=leases,
        recovery=_recovery(settings, pool, engine, leases, executors.values(), replica_id),
    )


def _recovery(
    settings: RunnerSettings,
    pool: asyncpg.Pool,
    engine: Engine,
    leases: Leases,
    executors: Collection[Executor],
    replica_id: UUID,
) -> Recovery:
    return Recovery(
        pool,
        engine,
        executors,
        replica_id=replica_id,
        slots=settings.runner_slots,
        every_seconds=min(settings.scan_seconds, settings.lease_seconds / 3),
        may_declare_lost=lambda: leases.may_declare_lost,
    )


def _task_users(settings: RunnerSettings) -> TaskUsers | None:
    if settings.process_executor == "off":
        return None
    if settings.task_uids != NONE:
        make_work_directory(settings.work_dir, is_passable=True)
    folders = [settings.work_dir, *([settings.files_dir] if settings.files_dir else [])]
    return choose_task_users(settings.task_uids, folders)


def make_attempts(
    settings: RunnerSettings,
    pool: asyncpg.Pool,
    executors: Mapping[str, Executor],
    handles: HandleStore,
    users: TaskUsers | None = None,
) -> AttemptRunner:
    """Create what prepares and executes claimed jobs."""
    projects = None if users is None else ProjectUsers(pool, users)
    return AttemptRunner(
        load=Definitions(pool, projects).load,
        logs=LogStore(pool),
        executors=executors,
        encryption=Encryption(settings.encryption_keys, form=settings.secret_form),
        handles=handles,
        log_limits=LogLimits(max_bytes=settings.log_max_bytes),
        api_url=settings.api_url,
        job_token_key=job_token_keys(settings.encryption_keys)[0],
        files_dir=settings.files_dir and settings.files_dir.absolute(),
    )


def _leases(settings: RunnerSettings, pool: asyncpg.Pool, replica_id: UUID) -> Leases:
    return Leases(
        pool,
        replica_id=replica_id,
        name=settings.runner_name,
        slots=settings.runner_slots,
        lease_seconds=settings.lease_seconds,
        heartbeat_seconds=settings.heartbeat_seconds,
    )


@asynccontextmanager
async def _working(skeleton: Skeleton, settings: RunnerSettings, parts: Parts) -> AsyncIterator[None]:
    core = parts.core
    skeleton.relay(core.outbox)
    skeleton.repeat("retention", parts.retention.once, every=RETENTION_SECONDS)
    _measure(skeleton, settings)
    async with AsyncExitStack() as stack:
        supervised = skeleton.lifecycle.supervised
        await stack.enter_async_context(supervised("lease", core.leases.keep(parts.keeper)))
        await stack.enter_async_context(supervised("keeper", _watch(parts.keeper)))
        await stack.enter_async_context(supervised("recovery", core.recovery.run()))
        engine = await stack.enter_async_context(supervised("engine", core.engine.run()))
        skeleton.consume("commands", parts.commands)
        skeleton.consume("feed", parts.feed, is_needed=False)
        try:
            yield
        finally:
            if not engine.done():
                await _hand_over(settings, parts)


def _measure(skeleton: Skeleton, settings: RunnerSettings) -> None:
    measuring.watch_disk(settings.work_dir)
    every = settings.measure_seconds
    queue = Measuring(
        skeleton.connections, schema="jobs", every=every, measure=measuring.measure, forget=measuring.forget
    )
    skeleton.measure(queue, every=every)


async def _watch(keeper: Keeper) -> None:
    raise RuntimeError(await keeper.wait_closed())


async def _hand_over(settings: RunnerSettings, parts: Parts) -> None:
    """A shutdown costs no attempt: tasks get the grace period, then are stopped and given back."""
    kill_seconds = settings.task_grace_seconds + settings.task_drain_seconds + 1
    parts.core.engine.stop_claiming()
    await parts.core.leases.announce_stop()
    for executor in parts.executors.values():
        executor.leave()
    grace = max(settings.shutdown_grace_seconds - kill_seconds - 2 * FLUSH_SECONDS, 0)
    await parts.core.engine.drain(grace, kill_seconds)
    with contextlib.suppress(TimeoutError):  # other replicas find what cannot be written now
        async with asyncio.timeout(FLUSH_SECONDS):
            await parts.core.engine.write_all()
    await parts.core.leases.unregister()
    log.info("replica.unregistered", running=parts.core.engine.running)
