"""Reads forms: small, in time, and valid text."""

from collections.abc import Mapping
from urllib.parse import parse_qsl

from starlette.requests import Request

from orchestrator_api.http import bodies
from orchestrator_api.web.pages import Fields

MEDIA_TYPE = "application/x-www-form-urlencoded"
MAX_BYTES = 16 * 1024
MAX_FIELDS = 20


async def read(request: Request) -> Fields:
    """The fields of the form; raises Refused for anything else."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != MEDIA_TYPE:
        raise bodies.Refused(415, f"send a form ({MEDIA_TYPE})")
    body = await bodies.read(request.scope, request.receive, MAX_BYTES)
    try:
        fields = Fields(
            parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict")
        )
    except ValueError as error:
        raise bodies.Refused(400, "the form is malformed") from error
    if any("\x00" in text for text in fields.values()):
        raise bodies.Refused(422, "the form contains the NUL character, which cannot be stored")
    return fields


def missing(fields: Fields, wanted: Mapping[str, str]) -> Fields:
    """What to say of each wanted field that is empty."""
    return Fields({name: text for name, text in wanted.items() if not fields[name]})
