"""Shows a form again that was not carried out: what was typed, what is wrong, and who was faster."""

from collections.abc import Mapping
from typing import Any

from orchestrator_api.http.refusals import Forbidden, PreconditionFailed, TooMany, Unauthenticated
from orchestrator_api.web import forms
from orchestrator_api.web.pages import Fields
from orchestrator_shared.domain.errors import Conflict, NotFound, UserError

NOT_OF_THE_FORM = (Forbidden, NotFound, Unauthenticated)
"""Refusals that no other input would change."""
NOT_NOW = (*NOT_OF_THE_FORM, TooMany)
"""The same for forms that do not say themselves when to try again."""


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
