"""The dead letters, why each is one, and the buttons to send it again or drop it."""

from starlette.requests import Request
from starlette.responses import Response

from orchestrator_api.access.permissions import Scope
from orchestrator_api.operations import dead_letters
from orchestrator_api.operations.dead_letters import Action, box_of
from orchestrator_api.web import answers, entering, pages
from orchestrator_api.web.urls import urls_of
from orchestrator_shared.domain.errors import NotFound
from orchestrator_shared.messaging.dead_letters import DeadLetter

SECTION = "dead_letters"
TOPIC = "dead-letters"
MOST = 50
SHOWN_CHARACTERS = 4_000


async def letters(request: Request) -> Response:
    """The oldest ones; they stay where they are."""
    async with entering.reading(request, Scope.ADMIN, section=SECTION) as (_, frame):
        pass  # no transaction stays open while the broker is asked
    box = box_of(request.app)
    found = await box.peek(MOST)
    return pages.page(
        request,
        "dead_letters/list",
        title="Dead letters",
        frame=frame,
        letters=[(each, body_of(each)) for each in found],
        count=max(await box.count(), len(found)),
    )


async def replay(request: Request) -> Response:
    """Publish it again, as it first came."""
    fields = await entering.sent(request)
    return await _carry_out(request, fields, "replayed", "The message was sent again.")


async def drop(request: Request) -> Response:
    """Asks first: what is dropped is gone."""
    if request.method == "POST":
        return await _carry_out(
            request, await entering.sent(request), "discarded", "The message was dropped."
        )
    async with entering.reading(request, Scope.ADMIN, section=SECTION) as (_, frame):
        pass
    id_ = request.path_params["letter"]
    letter = next((each for each in await box_of(request.app).peek(MOST) if each.id == id_), None)
    if letter is None:
        raise NotFound(
            f"there is no dead letter {id_[:200]!r} among the {MOST} oldest: it may be gone already"
        )
    back = urls_of(request)("dead_letters")
    title = "Drop this message?"
    return pages.dialog(
        request, "dead_letters/drop", title=title, frame=frame, back=back, letter=letter, body=body_of(letter)
    )


async def _carry_out(request: Request, fields: pages.Fields, action: Action, text: str) -> Response:
    letter = request.path_params["letter"]
    async with entering.changing(request, fields, Scope.ADMIN, section=SECTION) as (session, frame):
        await dead_letters.record(session, action, letter)
    await dead_letters.carry_out(box_of(request.app), action, letter)
    return answers.done(request, frame, fields, text, TOPIC)


def body_of(letter: DeadLetter) -> str:
    """Its beginning as text."""
    return letter.body[: SHOWN_CHARACTERS * 4].decode(errors="replace")[:SHOWN_CHARACTERS]
