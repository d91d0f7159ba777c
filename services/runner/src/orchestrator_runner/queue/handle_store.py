"""Stores what is needed to find attempts that outlive their runner, and the reports about them."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

import asyncpg

from orchestrator_runner.executors.port import Adopted, ExecutionLost, LogMark
from orchestrator_runner.runs.jobs import ClaimedJob
from orchestrator_shared import secret_places
from orchestrator_shared.database.pool import acquire
from orchestrator_shared.database.queries import Queries
from orchestrator_shared.database.store import Store
from orchestrator_shared.domain.errors import UserError
from orchestrator_shared.runtime.outage_log import OutageLog
from orchestrator_shared.runtime.retry import retry_while_unavailable, wait_for_any
from orchestrator_shared.secret_places import SecretPlace
from orchestrator_shared.security import Encryption, hash_token, new_token

CALLBACK_POLL_SECONDS = 10.0
"""Finds callbacks whose hint was lost."""
_HANDLE = "#run"
_EXECUTOR = "executor"
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Callback:
    """A report about a run elsewhere, as it arrived."""

    seq: int
    body: bytes


class AttemptStore(Store):
    """What is stored of one attempt; writes return whether the job is still the caller's."""

    queries = Queries.load(__package__, "handle_store.sql")

    async def keep_handle(self, *, job: UUID, epoch: int, handle: Mapping[str, Any]) -> bool:
        """Store how to find the attempt."""
        return bool(await self._run("keep_handle", job=job, epoch=epoch, handle=handle))

    async def expect_callbacks(self, *, job: UUID, epoch: int, callback_hash: bytes | None) -> bool:
        """Accept callbacks with this token from now on."""
        return bool(await self._run("expect_callbacks", job=job, epoch=epoch, callback_hash=callback_hash))

    async def logged(self, *, job: UUID, attempt: int) -> LogMark | None:
        """The last stored part of stdout."""
        return await self._one(LogMark, "logged", job=job, attempt=attempt)

    async def callbacks(self, *, token_hash: bytes, seen: Sequence[int]) -> list[Callback]:
        """The callbacks with this token, without those seen already."""
        return await self._many(Callback, "callbacks", token_hash=token_hash, seen=list(seen))


class HandleStore:
    """Opens the records of attempts, and passes on hints that a callback arrived."""

    def __init__(self, pool: asyncpg.Pool, encryption: Encryption, *, api_url: str | None = None) -> None:
        self._pool = pool
        self._encryption = encryption
        self._api_url = api_url
        self._outage = OutageLog("handles")
        self._waiting: defaultdict[UUID, set[asyncio.Event]] = defaultdict(set)

    def open(self, job: ClaimedJob) -> "StoredAttempt":
        """The record of an attempt that this replica owns."""
        return StoredAttempt(self, job)

    def new_callback(self) -> tuple[str, str]:
        """Create a token and the address where it is valid; raises UserError without the API's address."""
        if not self._api_url:
            raise UserError(
                "the component uses a callback, but the runner does not know the address of the api: set "
                "ORCHESTRATOR_API_URL on the runner to the address at which other services reach it",
                field="http.callback",
            )
        _, token = new_token()
        return token, f"{self._api_url.rstrip('/')}/v1/callbacks/{token}"

    def adopted(self, job: ClaimedJob) -> Adopted | None:
        """What an earlier runner stored for it; raises ExecutionLost if another executor began it."""
        if job.handle is None:
            return None
        # The previous release stored no executor; it always used the component's own.
        if job.handle.get(_EXECUTOR, job.executor) != job.executor:
            raise ExecutionLost(f"the component's executor is {job.executor!r} now")
        handle = self._encryption.decrypt_secrets(job.handle, _place(job))[_HANDLE]
        assert isinstance(handle, dict)
        return Adopted(handle, job.ran_seconds)

    def wake(self, job_id: UUID) -> None:
        """A callback for this job may have arrived."""
        for event in self._waiting.get(job_id, ()):
            event.set()

    async def write(self, do: Callable[[AttemptStore], Awaitable[bool]]) -> None:
        """Make one fenced write; raises ExecutionLost if the job has a new owner."""
        if not await self._patiently(do):
            raise ExecutionLost("the job has a new owner")

    def seal(self, job: ClaimedJob, handle: Mapping[str, Any]) -> Any:
        """Encrypt the handle for storage, because it contains what another service answered."""
        sealed = self._encryption.encrypt_secrets({_HANDLE: dict(handle)}, _place(job))
        return {**sealed, _EXECUTOR: job.executor}

    async def logged(self, job: ClaimedJob) -> LogMark | None:
        """How far stdout of this attempt is stored."""
        return await self._patiently(lambda store: store.logged(job=job.id, attempt=job.attempt))

    async def wait_for_callbacks(
        self, job_id: UUID, callback_hash: bytes, seen: Sequence[int]
    ) -> list[Callback]:
        """Wait for callbacks that have not been returned yet; returns at least one."""
        woken = asyncio.Event()
        self._waiting[job_id].add(woken)
        try:
            while True:
                woken.clear()
                rows = await self._patiently(
                    lambda store: store.callbacks(token_hash=callback_hash, seen=seen)
                )
                if rows:
                    return rows
                await wait_for_any(woken, timeout=CALLBACK_POLL_SECONDS)
        finally:
            self._waiting[job_id].discard(woken)
            if not self._waiting[job_id]:
                del self._waiting[job_id]

    async def _patiently(self, do: Callable[[AttemptStore], Awaitable[T]]) -> T:
        async def once() -> T:
            async with acquire(self._pool) as connection:
                return await do(AttemptStore(connection))

        return await retry_while_unavailable(once, outage=self._outage)


def _place(job: ClaimedJob) -> SecretPlace:
    return secret_places.of_run_elsewhere(job.project, job.component, job.configuration)


class StoredAttempt:
    """An `AttemptRecord`, stored in the database."""

    def __init__(self, handles: HandleStore, job: ClaimedJob) -> None:
        self._handles = handles
        self._job = job
        self._callback_hash = job.callback_hash
        self._seen: list[int] = []

    def callback_url(self) -> str:
        """See `AttemptRecord`."""
        token, url = self._handles.new_callback()
        self._callback_hash = hash_token(token)
        return url

    async def keep_handle(self, handle: Mapping[str, Any]) -> None:
        """See `AttemptRecord`."""
        job, sealed = self._job, self._handles.seal(self._job, handle)
        await self._handles.write(lambda store: store.keep_handle(job=job.id, epoch=job.epoch, handle=sealed))

    async def expect_callbacks(self) -> None:
        """See `AttemptRecord`."""
        job, token = self._job, self._callback_hash
        await self._handles.write(
            lambda store: store.expect_callbacks(job=job.id, epoch=job.epoch, callback_hash=token)
        )

    async def logged(self) -> LogMark | None:
        """See `AttemptRecord`."""
        return await self._handles.logged(self._job)

    async def callbacks(self) -> Sequence[bytes]:
        """See `AttemptRecord`."""
        if self._callback_hash is None:
            # The attempt was started without a callback address, so nothing can arrive.
            await asyncio.Event().wait()
            raise AssertionError("no one sets it")
        rows = await self._handles.wait_for_callbacks(self._job.id, self._callback_hash, self._seen)
        self._seen += [row.seq for row in rows]
        return [row.body for row in rows]
