"""The orchestration that someone may have meant who searched for a name that none has."""

from difflib import get_close_matches

from orchestrator_api.http.session import Session
from orchestrator_api.orchestrations.rows import Named
from orchestrator_api.orchestrations.store import OrchestrationStore

MOST_COMPARED = 1_000


async def nearest(session: Session, text: str) -> Named | None:
    """The one whose name or id is most like the text, if any is; of the first thousand."""
    store = OrchestrationStore(session.connection)
    found = await store.names(project=session.project, limit=MOST_COMPARED)
    by_word = {word.lower(): each for each in found for word in (each.id, each.name)}
    like = await session.offload.run(get_close_matches, text.lower(), list(by_word), 1)
    return by_word[like[0]] if like else None
