"""What a request with a key was answered with: sent again, it does nothing more and is answered alike."""

from uuid import UUID

from orchestrator_api.access.dedup_keys import key_reused
from orchestrator_api.access.keyed_store import KeyedAnswerStore
from orchestrator_api.http.session import Session
from orchestrator_shared.database.rows import JsonObject


async def earlier(session: Session, answer_id: UUID, digest: bytes) -> JsonObject | None:
    """What was answered under the key; refuses another request under the same key.

    Locks the key until the transaction ends: otherwise two concurrent requests would both find nothing.
    """
    store = KeyedAnswerStore(session.connection)
    await store.lock(answer_id=answer_id)
    found = await store.find(project=session.project, answer_id=answer_id)
    if found is None:
        return None
    if found.request_digest != digest:
        raise key_reused()
    return found.answer


async def remember(session: Session, answer_id: UUID, digest: bytes, answer: JsonObject) -> None:
    """Keep the answer for 24 hours, if the transaction commits."""
    store = KeyedAnswerStore(session.connection)
    await store.insert(project=session.project, answer_id=answer_id, digest=digest, answer=answer)
