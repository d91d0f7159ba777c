"""Shows a form again that was not carried out: what was typed, what is wrong, and who was faster."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from orchestrator_api.http.refusals import Forbidden, PreconditionFailed, TooMany, Unauthenticated
from orchestrator_api.web import entering, forms
from orchestrator_api.web.pages import Fields
from orchestrator_shared.domain.errors import Conflict, NotFound, UserError

NOT_OF_THE_FORM = (Forbidden, NotFound, Unauthenticated)
"""Refusals that no other input would change."""
NOT_NOW = (*NOT_OF_THE_FORM, TooMany)
"""The same for forms that do not say themselves when to try again."""


@dataclass(frozen=True, slots=True)
class Filled:
    """A form to be shown: empty, or as it was sent with what is wrong."""

    values: Fields = field(default_factory=Fields)
    errors: Fields = field(default_factory=Fields)

    @property
    def status(self) -> int:
        """Of the answer that shows it."""
        return HTTPStatus.UNPROCESSABLE_ENTITY if self.errors else HTTPStatus.OK


async def carried_out(
    request: Request,
    work: Callable[[Request, Fields], Awaitable[Response]],
    places: Mapping[str, str] | None = None,
    *,
    begin: Mapping[str, str] | None = None,
    is_large: bool = False,
) -> Response | Filled:
    """The answer to a form that was sent, or the form to show: with `begin`, or again with its errors."""
    if request.method != "POST":
        return Filled(Fields(begin or {}))
    fields = await entering.sent(request, is_large=is_large)
    try:
        return await work(request, fields)
    except NOT_NOW:
        raise
    except UserError as error:
        return Filled(fields, forms.refused(error, places))


def again(error: UserError, sent: Fields, places: Mapping[str, str] | None = None) -> dict[str, Any]:
    """What the form's template and `pages.dialog` are given; raises NOT_OF_THE_FORM.

    Someone else's change is shown as such, and sending the form once more puts one's own on top.
    """
    if isinstance(error, NOT_OF_THE_FORM):
        raise error
    if isinstance(error, PreconditionFailed):
        values = Fields({**sent, "etag": error.etag or ""})
        return {"status": 409, "values": values, "conflict": error}
    status = 429 if isinstance(error, TooMany) else 409 if isinstance(error, Conflict) else 422
    return {"status": status, "values": sent, "errors": forms.refused(error, places)}
