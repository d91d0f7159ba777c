"""What the dialogs of schedules and of triggers share."""

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request

from orchestrator_api.http.models import Input, Slug
from orchestrator_api.http.refusals import PreconditionFailed
from orchestrator_api.web import forms
from orchestrator_api.web.again import NOT_OF_THE_FORM
from orchestrator_api.web.pages import Fields
from orchestrator_shared.domain.errors import UserError


class Named(Input):
    """The name of a new schedule or trigger."""

    name: Slug


def free_name(taken: list[str]) -> str:
    """`main`, `second`, then numbered."""
    names = ["main", "second", *(f"number-{number}" for number in range(3, len(taken) + 4))]
    return next(name for name in names if name not in taken)


def topics(orchestration: str) -> tuple[str, str]:
    """What shows the starts of an orchestration."""
    return f"orchestration:{orchestration}", f"starts:{orchestration}"


def orchestration_of(request: Request) -> str:
    """The id in the address."""
    found: str = request.path_params["orchestration"]
    return found


def refused(
    error: UserError, fields: Fields, places: Mapping[str, str], *, kind: str, is_new: bool
) -> tuple[Fields, dict[str, Any]]:
    """The fields of the form to show again, and what to say with them; raises what no field can mend.

    If someone else was faster, the form has the newer tag: saving once more puts one's own on top.
    """
    if isinstance(error, NOT_OF_THE_FORM):
        raise error
    if not isinstance(error, PreconditionFailed):
        return fields, {"errors": forms.refused(error, places)}
    if is_new:
        taken = f"there is a {kind} {fields['name']!r} already: choose another name"
        return fields, {"errors": Fields({"name": taken})}
    newer = Fields(fields | {"etag": error.etag or ""})
    return newer, {"change": error.change, "is_overtaken": True}
