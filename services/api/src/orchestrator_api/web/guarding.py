"""What every page does before and around its own work: who may send its form, and refusals as pages."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus

import structlog
from starlette.requests import Request
from starlette.responses import Response

from orchestrator_api.http import bodies
from orchestrator_api.http.problems import RejectedByDatabase
from orchestrator_api.http.refusals import Forbidden, TooMany, Unauthenticated
from orchestrator_api.web import answers, pages, signed_out
from orchestrator_api.web.entering import AlreadyDone, ForeignForm, NotEntered
from orchestrator_api.web.rendering import Page, finish
from orchestrator_api.web.urls import urls_of
from orchestrator_shared.domain.errors import Conflict, NotFound, Unavailable, UserError
from orchestrator_shared.runtime.answers import current_request_id

log = structlog.get_logger(__name__)

Handler = Callable[[Request], Awaitable[Response]]
RETRY_AFTER_SECONDS = 5
OTHER_SESSION = (
    "You have signed in again since this page was opened. Nothing on it is lost: press the button once more."
)
NOT_STORED = "The database rejected a value: it is too large, or not valid text."
LOOK_FIRST = "Check whether it was done all the same."
SEND_AGAIN = "Check in a moment whether it was done, and send it again if it was not."
DONE_UNSEEN = "The server is busy and cannot show it. Load the page again in a moment."
BROKEN = "Try again, or give this number to whoever runs the server:"
TOO_OLD = "It was opened long ago, or without cookies. Load the page again and fill in the form."


def guarded(handler: Handler) -> Handler:
    """Answers refusals with pages for people, not with problem documents for programs."""

    async def answer(request: Request) -> Response:
        try:
            bodies.check_address(request.scope)
            return await _rendered(request, await _let_in(handler, request))
        except bodies.Refused as refusal:
            return refuse(request, "This form cannot be read", refusal.detail, refusal.status)
        except ForeignForm:
            return foreign(request)
        except Unauthenticated:
            return _signed_out(request)
        except TooMany as error:
            return wait(refuse(request, "Too many attempts", error.detail, 429), error)
        except UserError as error:
            return refuse(request, *_title_and_text(error), _status(error), field=error.field)
        except Unavailable as error:
            return _not_now(request, error)
        except RejectedByDatabase as error:
            log.warning("request.data_refused", reason=type(error).__name__)
            return refuse(request, "This cannot be stored", NOT_STORED, 422)
        except Exception as error:
            log.error("request.failed", path=request.url.path, exc_info=error)
            text = BROKEN if request.method == "GET" else f"{LOOK_FIRST} {BROKEN}"
            return refuse(request, "This failed on our side", f"{text} {current_request_id()}.", 500)

    return answer


async def _rendered(request: Request, answer: Response) -> Response:
    """In a thread if it takes long; if there is none, a form that was carried out must not seem refused."""
    if not isinstance(answer, Page):
        return answer
    try:
        await finish(request, answer)
    except (TooMany, Unavailable):
        if request.method == "POST" and answer.status_code < HTTPStatus.BAD_REQUEST:
            return refuse(request, "It was done", DONE_UNSEEN, 503)
        raise
    return answer


async def _let_in(handler: Handler, request: Request) -> Response:
    try:
        return await handler(request)
    except AlreadyDone as error:
        return answers.again(request, error.frame, error.sent, error.done)
    except NotEntered as error:
        raise error.reason from error


def refuse(
    request: Request,
    title: str,
    text: str,
    status: int,
    *,
    field: str | None = None,
    again: int | None = None,
) -> Response:
    """A page that says why not and leads on; where a script asked, only the part that says why not."""
    if pages.is_scripted(request):
        return pages.page(request, "parts/problem", status, title=title, text=text)
    reloads = again if request.method == "GET" else None
    links = _ways_on(request, status, field)
    return pages.message(request, title, text, *links, status=status, again=reloads)


def _ways_on(request: Request, status: int, field: str | None) -> list[tuple[str, str]]:
    project = request.path_params.get("project")
    if project is None or status == HTTPStatus.SERVICE_UNAVAILABLE:
        return []
    if status == HTTPStatus.NOT_FOUND and field == "project":
        return [("projects", "Projects")]
    urls = urls_of(request)
    listed = urls("orchestrations", project=project)
    return [(listed, f"Orchestrations of {project}"), ("projects", "Projects")]


def _title_and_text(error: UserError) -> tuple[str, str]:
    sentence = f"{error.detail[:1].upper()}{error.detail[1:]}."
    if isinstance(error, NotFound):
        return "There is nothing here", sentence
    if isinstance(error, Forbidden):
        return "You may not do this", sentence
    return "This is not possible", sentence


def _status(error: UserError) -> int:
    kinds: list[tuple[type[UserError], int]] = [(Forbidden, 403), (NotFound, 404), (Conflict, 409)]
    return next((status for kind, status in kinds if isinstance(error, kind)), 422)


def away(reason: str) -> str:
    """What is away or busy; addresses and what a driver said are for the log."""
    if "busy" in reason:
        return "The server is busy with other requests"
    return "The message broker does not answer" if "broker" in reason else "The database does not answer"


def _not_now(request: Request, error: Unavailable) -> Response:
    again = f"The page tries again in {RETRY_AFTER_SECONDS} s." if request.method == "GET" else SEND_AGAIN
    text = f"{away(str(error))}. {again}"
    response = refuse(request, "Not now", text, 503, again=RETRY_AFTER_SECONDS)
    response.headers["retry-after"] = str(RETRY_AFTER_SECONDS)
    return response


def _signed_out(request: Request) -> Response:
    """To the sign-in and back; what is on the page that is open stays there."""
    urls = urls_of(request)
    if pages.is_scripted(request):
        return signed_out.ask(request)
    back = pages.here(request) if request.method == "GET" else urls("home")
    return pages.go_to(urls("sign_in", query={"next": back}))


def wait(response: Response, error: TooMany) -> Response:
    """Say when to try again."""
    response.headers["retry-after"] = str(error.retry_after)
    return response


def foreign(request: Request) -> Response:
    """A form that no page of ours sent to this browser, or not lately."""
    if pages.is_scripted(request):
        return signed_out.check(refuse(request, "Send it again", OTHER_SESSION, 403))
    return refuse(request, "This form is too old", TOO_OLD, 403)
