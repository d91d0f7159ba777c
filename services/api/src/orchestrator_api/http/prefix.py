"""The path under which people reach the api, if it shares its host with other programs.

It is the path of `ORCHESTRATOR_PUBLIC_URL`. A proxy in front may remove it from requests or leave it: both
work.
"""

from urllib.parse import urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send


def prefix_of(public_url: str | None) -> str:
    """The path of the public URL without a slash at its end; empty if there is none."""
    return urlsplit(public_url or "").path.rstrip("/")


class Prefix:
    """ASGI middleware: afterwards, the path has the prefix, which is the application's root path."""

    def __init__(self, app: ASGIApp, prefix: str) -> None:
        self._app = app
        self._prefix = prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and self._prefix:
            path = scope["path"]
            if path != self._prefix and not path.startswith(f"{self._prefix}/"):
                path = self._prefix + path
            scope = {**scope, "path": path, "root_path": self._prefix}
        await self._app(scope, receive, send)
