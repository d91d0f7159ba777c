"""The command line in this process, on an application that runs in the test's event loop."""

import asyncio

import httpx
import pytest

from orchestrator_cli.client import ApiClient
from orchestrator_cli.context import Context
from orchestrator_cli.main import main
from orchestrator_cli.transport import Request, Response


class InLoop:
    """Sends requests of another thread to an application of this loop."""

    def __init__(self, http: httpx.AsyncClient, loop: asyncio.AbstractEventLoop) -> None:
        self._http = http
        self._loop = loop

    def send(self, request: Request) -> Response:
        sending = self._http.request(
            request.method, request.target, headers=dict(request.headers), content=request.body
        )
        found = asyncio.run_coroutine_threadsafe(sending, self._loop).result(60)
        return Response(found.status_code, found.content)

    def close(self) -> None:
        pass


class CommandLine:
    """Runs commands with one token, in one project; their output is the process's."""

    def __init__(self, http: httpx.AsyncClient, token: str, monkeypatch: pytest.MonkeyPatch) -> None:
        loop = asyncio.get_running_loop()

        def client(_: Context) -> ApiClient:
            return ApiClient("http://api", token, transport=InLoop(http, loop))

        monkeypatch.setattr(Context, "client", client)
        monkeypatch.setenv("ORCHESTRATOR_URL", "http://api")
        monkeypatch.setenv("ORCHESTRATOR_TOKEN", token)
        monkeypatch.setenv("ORCHESTRATOR_PROJECT", "demo")

    async def run(self, *arguments: str) -> int:
        """The exit code."""
        return await asyncio.to_thread(main, list(arguments))
