"""What every page does before and around its own work: who may send its form, and refusals as pages."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from orchestrator_api.http import bodies
from orchestrator_api.http.refusals import TooMany
from orchestrator_api.web import pages
from orchestrator_shared.domain.errors import NotFound, Unavailable, UserError

Handler = Callable[[Request], Awaitable[Response]]
RETRY_AFTER_SECONDS = 5


def guarded(handler: Handler) -> Handler:
    """Answers refusals with pages for people, not with problem documents for programs."""

    async def answer(request: Request) -> Response:
        try:
            bodies.check_address(request.scope)
            return await handler(request)
        except bodies.Refused as refusal:
            return pages.message("This form cannot be read", refusal.detail, status=refusal.status)
        except TooMany as error:
            return wait(pages.message("Too many attempts", error.detail, status=429), error)
        except NotFound as error:
            return pages.message("Not found", error.detail, status=404)
        except UserError as error:
            return pages.message("This is not possible", error.detail, status=422)
        except Unavailable:
            response = pages.message("Not now", "The database does not answer: try again soon.", status=503)
            response.headers["retry-after"] = str(RETRY_AFTER_SECONDS)
            return response

    return answer


def wait(response: Response, error: TooMany) -> Response:
    """Say when to try again."""
    response.headers["retry-after"] = str(error.retry_after)
    return response


def foreign() -> Response:
    """A form that no page of ours sent to this browser, or not lately."""
    return pages.message(
        "This form is too old",
        "It was opened long ago, or in a browser without cookies. Load the page again and fill in the form.",
        status=403,
    )
