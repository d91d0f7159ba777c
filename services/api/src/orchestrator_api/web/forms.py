"""Reads forms: small, in time, and valid text."""

from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import parse_qsl

from starlette.requests import Request

from orchestrator_api.http import bodies
from orchestrator_api.web.pages import Fields

MEDIA_TYPE = "application/x-www-form-urlencoded"


class Limits(NamedTuple):
    """How much a form may have."""

    max_bytes: int
    max_fields: int


USUAL = Limits(16 * 1024, 20)
LARGE = Limits(bodies.MAX_BYTES, 10_020)
"""With a field for each task of an orchestration, which has 10,000 at most."""


async def read(request: Request, limits: Limits = USUAL) -> Fields:
    """The fields of the form; raises Refused for anything else."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != MEDIA_TYPE:
        raise bodies.Refused(415, f"send a form ({MEDIA_TYPE})")
    body = await bodies.read(request.scope, request.receive, limits.max_bytes)
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
