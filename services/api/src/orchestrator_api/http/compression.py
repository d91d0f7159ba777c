"""Compresses what is read, for clients that accept gzip.

The size of a compressed answer says something about its content (the BREACH attack), so no answer that holds
a secret is compressed: neither those of calls that change something, which may show a new token or link once,
nor pages that set a cookie, nor what is marked as private. The forms of people who are signed in hold a token
whose text is another one on each page.
"""

from starlette.datastructures import Headers
from starlette.middleware.gzip import GZipResponder
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MIN_BYTES = 1000
"""What fits into one packet gains nothing."""
LEVEL = 4
"""Levels above it save a few per cent and take up to three times as long."""
COMPRESSED_TYPES = frozenset({"application/json", "application/yaml", "application/x-ndjson", "text/html"})
"""Not `text/event-stream`: events must leave at once."""
HARMLESS_COOKIES = ("orchestrator_visited=",)
"""They hold no secret: pages that set only these are read."""
PRIVATE = "no-store, no-transform"
"""`Cache-Control` of an answer to GET that holds a secret: neither we nor a proxy may compress it."""


class Compression:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self._app
        if scope["type"] == "http" and scope["method"] == "GET":
            accepted = Headers(scope=scope).get("accept-encoding", "")
            app = _Compressing(app, MIN_BYTES, LEVEL) if accepts_gzip(accepted) else app
        await app(scope, receive, send)


class _Compressing(GZipResponder):
    """Starlette's, for the answers that may be compressed."""

    _passes = False

    async def send_with_compression(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._passes = not _may_be_compressed(message["status"], Headers(raw=message["headers"]))
        if self._passes:
            await self.send(message)
        else:
            await super().send_with_compression(message)


def _may_be_compressed(status: int, headers: Headers) -> bool:
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    if status != 200 or media_type not in COMPRESSED_TYPES:
        return False
    secrets = [each for each in headers.getlist("set-cookie") if not each.startswith(HARMLESS_COOKIES)]
    return not secrets and "no-transform" not in headers.get("cache-control", "")


def accepts_gzip(accepted: str) -> bool:
    """Whether `Accept-Encoding` allows gzip (RFC 9110, 12.5.3)."""
    weights = {}
    for part in accepted.lower().split(","):
        coding, _, parameters = part.partition(";")
        weights[coding.strip()] = parameters.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return weights.get("gzip", weights.get("*", False))
