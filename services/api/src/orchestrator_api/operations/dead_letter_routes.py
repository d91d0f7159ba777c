"""Messages that could not be processed (administrators only)."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request

from orchestrator_api.access.permissions import Scope
from orchestrator_api.http.dependencies import READ, WRITE, Call
from orchestrator_api.http.gate import GatedRoute
from orchestrator_api.http.models import Page
from orchestrator_api.operations import dead_letters
from orchestrator_api.operations.dead_letters import Action, box_of
from orchestrator_api.operations.models import DeadLetterOut
from orchestrator_shared.messaging.dead_letters import SHOWN_BYTES, DeadLetter

router = APIRouter(prefix="/v1/dead-letters", tags=["dead letters"], route_class=GatedRoute)
LetterId = Annotated[str, Path(max_length=200)]


def _shown(letter: DeadLetter) -> dict[str, Any]:
    names = ("id", "reason", "queue", "exchange", "routing_key", "first_seen", "replays", "message_id")
    body = letter.body[:SHOWN_BYTES].decode(errors="replace")
    return {name: getattr(letter, name) for name in names} | {"body": body, "bytes": letter.size}


@router.get("", operation_id="list_dead_letters", responses=READ)
async def list_dead_letters(
    call: Call, request: Request, limit: Annotated[int, Query(ge=1, le=500)] = 50
) -> Page[DeadLetterOut]:
    """List the oldest dead letters, with the reason for each (administrators only)."""
    async with call.session(Scope.ADMIN):
        pass  # checks the token; no transaction stays open while the broker is asked
    letters = await box_of(request.app).peek(limit)
    return Page[DeadLetterOut].model_validate({"items": [_shown(letter) for letter in letters]})


@router.post("/{letter}/replay", operation_id="replay_dead_letter", responses=WRITE)
async def replay_dead_letter(call: Call, request: Request, letter: LetterId) -> DeadLetterOut:
    """Publish a dead letter again, as it was when it first arrived (administrators only)."""
    return await _carry_out(call, request, "replayed", letter)


@router.delete("/{letter}", operation_id="discard_dead_letter", responses=WRITE)
async def discard_dead_letter(call: Call, request: Request, letter: LetterId) -> DeadLetterOut:
    """Delete a dead letter permanently (administrators only)."""
    return await _carry_out(call, request, "discarded", letter)


async def _carry_out(call: Call, request: Request, action: Action, letter: str) -> DeadLetterOut:
    """Write the audit record first: an action without a record would be worse than the reverse."""
    async with call.session(Scope.ADMIN) as session:
        await dead_letters.record(session, action, letter)
    done = await dead_letters.carry_out(box_of(request.app), action, letter)
    return DeadLetterOut.model_validate(_shown(done))
