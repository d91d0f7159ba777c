"""A server for tests of the command line's client: a function that answers, without a network."""

from collections.abc import Callable

import httpx

from orchestrator_cli.transport import NoAnswer, Request, Response


class Answering:
    """A transport that hands each request to a function; httpx's errors stand for a lost connection."""

    def __init__(self, answer: Callable[[httpx.Request], httpx.Response]) -> None:
        self._answer = answer

    def send(self, request: Request) -> Response:
        url = f"http://server{request.target}"
        try:
            found = self._answer(
                httpx.Request(request.method, url, headers=dict(request.headers), content=request.body)
            )
        except httpx.HTTPError as error:
            raise NoAnswer(str(error)) from None
        return Response(found.status_code, found.content)

    def close(self) -> None:
        pass
