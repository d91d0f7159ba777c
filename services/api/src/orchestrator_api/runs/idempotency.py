"""Makes repeated requests harmless: finds what was already requested under an Idempotency-Key."""

from collections.abc import Sequence

from orchestrator_api.access.dedup_keys import DedupKey, key_reused
from orchestrator_api.http.session import Session
from orchestrator_api.runs.rows import KeyedRequest
from orchestrator_api.runs.store import RunStore


async def earlier_requests(session: Session, dedup_key: DedupKey | None) -> list[KeyedRequest]:
    """What was already requested under the key; rejects a different request under the same key.

    Locks the key until the transaction ends: otherwise two concurrent requests would both find nothing.
    """
    if dedup_key is None:
        return []
    store = RunStore(session.connection)
    await store.lock_key(idempotency_id=dedup_key.id)
    found = await store.requests_under_key(project=session.project, idempotency_id=dedup_key.id)
    if any(each.request_digest != dedup_key.digest for each in found):
        raise key_reused()
    if await store.updates_under_key(project=session.project, idempotency_id=dedup_key.id):
        raise key_reused()
    return found


async def earlier_updates(session: Session, dedup_key: DedupKey) -> Sequence[str] | None:
    """The ids of the table updates that were already published under the key, which is locked as well."""
    store = RunStore(session.connection)
    await store.lock_key(idempotency_id=dedup_key.id)
    found = await store.updates_under_key(project=session.project, idempotency_id=dedup_key.id)
    if found is None:
        if await store.requests_under_key(project=session.project, idempotency_id=dedup_key.id):
            raise key_reused()
        return None
    if found.request_digest != dedup_key.digest:
        raise key_reused()
    return found.update_ids


async def remember_updates(session: Session, dedup_key: DedupKey, update_ids: Sequence[str]) -> None:
    """Remember what was published under the key, for 24 hours."""
    await RunStore(session.connection).insert_updates(
        project=session.project,
        idempotency_id=dedup_key.id,
        digest=dedup_key.digest,
        update_ids=update_ids,
    )
