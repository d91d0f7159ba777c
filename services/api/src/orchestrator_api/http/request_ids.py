"""The id of a request, by which its audit records are found."""

import re

from starlette.requests import Request

from orchestrator_api.http.headers import REQUEST_ID
from orchestrator_shared.domain.ids import new_id

MAX_CHARACTERS = 128
_PLAIN = re.compile(rf"[A-Za-z0-9._-]{{8,{MAX_CHARACTERS}}}")


def request_id(request: Request) -> str:
    """The id that the caller sent, if it is short and plain, else one made here; the same all along."""
    known = getattr(request.state, "request_id", None)
    if known is None:
        sent = request.headers.get(REQUEST_ID, "")
        known = sent if _PLAIN.fullmatch(sent) else str(new_id())
        request.state.request_id = known
    return str(known)
