"""Reads forms: small, in time, and valid text."""

from collections.abc import Mapping
from typing import Any, NamedTuple, TypeVar
from urllib.parse import parse_qsl

from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from orchestrator_api.http import bodies
from orchestrator_api.http.refusals import FieldError, Invalid
from orchestrator_api.web.pages import Fields
from orchestrator_shared.domain.errors import UserError
from orchestrator_shared.validation import describe, path_of

MEDIA_TYPE = "application/x-www-form-urlencoded"


FORM = "form"
"""Where an error stands that belongs to no field of the form."""
Model = TypeVar("Model", bound=BaseModel)


class Limits(NamedTuple):
    """How much a form may have."""

    max_bytes: int
    max_fields: int


USUAL = Limits(16 * 1024, 30)
LARGE = Limits(bodies.MAX_BYTES, 10_020)
"""With a field for each task of an orchestration, which has 10,000 at most."""


async def read(request: Request, limits: Limits = USUAL) -> Fields:
    """The fields of the form; raises Refused for anything else."""
    return parsed(await body_of(request, limits), limits)


async def body_of(request: Request, limits: Limits) -> bytes:
    """The form as it was sent."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != MEDIA_TYPE:
        raise bodies.Refused(415, f"send a form ({MEDIA_TYPE})")
    return await bodies.read(request.scope, request.receive, limits.max_bytes)


def parsed(body: bytes, limits: Limits) -> Fields:
    """The fields of a form; raises Refused."""
    try:
        fields = Fields(
            parse_qsl(
                body.decode(), keep_blank_values=True, max_num_fields=limits.max_fields, errors="strict"
            )
        )
    except ValueError as error:
        raise bodies.Refused(400, "the form is malformed") from error
    if any("\x00" in text for text in fields.values()):
        raise bodies.Refused(422, "the form contains the NUL character, which cannot be stored")
    return fields


def missing(fields: Fields, wanted: Mapping[str, str]) -> Fields:
    """What to say of each wanted field that is empty."""
    return Fields({name: text for name, text in wanted.items() if not fields[name]})


def checked(model: type[Model], given: Mapping[str, Any]) -> Model:
    """What the API's body would be; raises Invalid with each wrong field."""
    try:
        return model.model_validate(given)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        raise Invalid([FieldError(path_of(item), describe(item)) for item in found]) from error


def refused(error: UserError, places: Mapping[str, str] | None = None) -> Fields:
    """What to say at each field of the form; `places` has the field of each path of the API that differs.

    A path below one that is named stands there, too; an error without a place stands above the form.
    """
    found = error.errors if isinstance(error, Invalid) else [FieldError(error.field or "", error.detail)]
    said = Fields()
    for each in found:
        place = _place(each.field, places or {})
        said[place] = f"{said[place]}; {each.detail}" if said[place] else each.detail
    return said


def _place(path: str, places: Mapping[str, str]) -> str:
    parts = path.split(".") if path else []
    for end in range(len(parts), 0, -1):
        above = ".".join(parts[:end])
        if above in places:
            return places[above]
    return parts[0] if parts else FORM
