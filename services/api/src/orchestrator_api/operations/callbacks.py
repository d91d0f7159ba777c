"""Callbacks of other services about runs that components have started there."""

import hashlib

from orchestrator_api.http.session import Sessions
from orchestrator_api.operations.store import CallbackStore
from orchestrator_shared.contracts.events import CallbackReceived
from orchestrator_shared.domain.errors import Conflict, NotFound
from orchestrator_shared.security import hash_token, parse_token_id

MAX_CALLBACKS = 50


async def find(sessions: Sessions, token: str, address: str) -> None:
    """Reject a callback to a URL that was never issued, before its body is read."""
    if parse_token_id(token) is None:
        raise _not_awaited()
    sessions.guard.check(token, address)
    async with sessions.units_of_work.work() as work:
        if not await CallbackStore(work.connection).is_awaited(token_hash=hash_token(token)):
            sessions.guard.record_failure(address, "unknown")
            raise _not_awaited()


async def receive(sessions: Sessions, token: str, body: bytes) -> None:
    """Store a callback and wake the runner; receiving the same one again changes nothing.

    The token is looked up by its hash, so the time it takes reveals nothing about a guess.
    """
    hashed = hash_token(token)
    body_hash = hashlib.sha256(body).digest()
    async with sessions.units_of_work.work() as work:
        store = CallbackStore(work.connection)
        if await store.is_known(token_hash=hashed, body_hash=body_hash):
            return
        target = await store.target(token_hash=hashed)
        if target is None:
            raise _not_awaited()
        if await store.count(token_hash=hashed) >= MAX_CALLBACKS:
            raise Conflict(f"this attempt has already sent {MAX_CALLBACKS} reports: report changes only")
        await store.insert(
            token_hash=hashed,
            body_hash=body_hash,
            job_id=target.job_id,
            attempt=target.attempt,
            body=body,
        )
        work.publish(CallbackReceived(job_id=target.job_id))


def _not_awaited() -> NotFound:
    return NotFound("no attempt is waiting for this report: the address is wrong, or the attempt is over")
