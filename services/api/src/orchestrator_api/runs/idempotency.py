"""Makes repeated requests harmless: finds what was already requested under an Idempotency-Key."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from orchestrator_api.http.headers import IDEMPOTENCY_KEY, MAX_KEY_CHARACTERS
from orchestrator_api.http.session import Session
from orchestrator_api.runs.rows import KeyedRequest
from orchestrator_api.runs.store import RunStore
from orchestrator_shared.domain.errors import UserError
from orchestrator_shared.domain.ids import request_id

_KEY = re.compile(rf"[ -~]{{1,{MAX_KEY_CHARACTERS}}}")


@dataclass(frozen=True, slots=True)
class DedupKey:
    """Identifies a request that its caller may repeat."""

    id: UUID
    digest: bytes
    """Digest of the request without its parameters, which may be secret and are compared separately."""


def accept(session: Session, key: str | None, what: str, body: Mapping[str, Any]) -> DedupKey | None:
    """The key of this request, or None if none was sent; `what` names the call and its subject."""
    if key is None:
        return None
    if _KEY.fullmatch(key) is None:
        raise UserError(
            f"must be 1 to {MAX_KEY_CHARACTERS} printable ASCII characters", field=IDEMPOTENCY_KEY
        )
    plain = {name: value for name, value in body.items() if name != "parameters"}
    text = json.dumps([what, plain], sort_keys=True, default=str)
    job = session.actor.own_job
    caller = job.id if job else session.actor.token_id  # jobs of one orchestration share its token
    return DedupKey(request_id(session.project, caller, key), hashlib.sha256(text.encode()).digest())


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


def key_reused() -> UserError:
    """The error for a key that was already used for a different request."""
    return UserError(
        "this key was already used for a different request: use a new one", field=IDEMPOTENCY_KEY
    )
