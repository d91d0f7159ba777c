"""What administrators do with messages that no one could handle; each time, the audit record comes first."""

from typing import Literal

from starlette.applications import Starlette

from orchestrator_api.http.metrics import DEAD_LETTERS
from orchestrator_api.http.session import Session
from orchestrator_shared.domain.errors import Unavailable
from orchestrator_shared.messaging.dead_letters import DeadLetter, DeadLetters
from orchestrator_shared.runtime.periodic import isolate

KIND = "dead letters"
Action = Literal["replayed", "discarded"]


def box_of(app: Starlette) -> DeadLetters:
    """Where they are kept; raises Unavailable without a broker."""
    box = app.state.dead_letters
    if not isinstance(box, DeadLetters):
        raise Unavailable("the broker is not connected")
    return box


async def measure(box: DeadLetters) -> None:
    """Count them for the metrics; that takes none of them from its place."""
    found = await isolate(box.count(), kind=KIND, item="count")
    if found is not None:
        DEAD_LETTERS.set(found)


async def record(session: Session, action: Action, letter: str) -> None:
    """Commit it before carrying it out: an action without a record would be worse than the reverse."""
    await session.record(f"dead-letter.{action}", letter)


async def carry_out(box: DeadLetters, action: Action, letter: str) -> DeadLetter:
    """Publish it again as it first came, or remove it for good."""
    return await (box.replay(letter) if action == "replayed" else box.discard(letter))
