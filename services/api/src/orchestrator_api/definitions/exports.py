"""One orchestration as a document."""

from functools import partial
from typing import Any

from orchestrator_api.definitions import snapshot
from orchestrator_api.definitions.documents import write_documents
from orchestrator_api.http.session import Session


async def of_orchestration(session: Session, orchestration: str) -> dict[str, Any]:
    """The document, with what starts it and who is notified; raises NotFound if it does not exist."""
    found = await snapshot.read_orchestration(session, orchestration)
    read = partial(session.encryption.read_references, project=session.project)
    (document,) = await session.offload.run(write_documents, found.items, read)
    return document
