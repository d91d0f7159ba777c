"""Renders pages once their handlers have returned: no transaction waits for it, and long ones get threads."""

import time
from collections.abc import Callable, Iterator, Mapping

from jinja2 import Template
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.types import Receive, Scope, Send

from orchestrator_api.http.offload import CallerOffload
from orchestrator_api.http.session import Sessions

Later = Callable[[], Mapping[str, object]]
"""What of a template's values takes long to compute, and is computed where the page is rendered."""
BUDGET_SECONDS = 0.015
"""How long the event loop may be held by one page; what is left then is rendered in a thread."""
BETWEEN_LOOKS = 64
"""Pieces of a template between two looks at the clock."""


class Page(HTMLResponse):
    """A page that is not rendered yet; it renders itself when it is sent, unless `finish` has done so."""

    def __init__(
        self,
        template: Template,
        context: Mapping[str, object],
        status: int,
        headers: Mapping[str, str],
        *,
        is_large: bool = False,
        later: Later | None = None,
    ) -> None:
        super().__init__(b"", status, headers)
        self._pieces: Iterator[str] | None = _pieces(template, context, later)
        self._is_large = is_large

    async def finish(self, offload: CallerOffload) -> None:
        """Render it: at once while that is quick, and then in a thread."""
        if self._pieces is None:
            return
        begun = [] if self._is_large else self._begun(self._pieces)
        if begun and begun[-1] is None:
            self._keep("".join(filter(None, begun)).encode())
            return
        pieces, self._pieces = self._pieces, None
        self._keep(await offload.run(lambda: "".join((*filter(None, begun), *pieces)).encode()))

    @staticmethod
    def _begun(pieces: Iterator[str]) -> list[str | None]:
        """The first pieces; the last is None if these are all."""
        begun: list[str | None] = []
        over = time.perf_counter() + BUDGET_SECONDS
        for piece in pieces:
            begun.append(piece)
            if len(begun) % BETWEEN_LOOKS == 0 and time.perf_counter() > over:
                return begun
        return [*begun, None]

    def _keep(self, body: bytes) -> None:
        self._pieces = None
        self.body = body
        self.headers["content-length"] = str(len(body))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        if self._pieces is not None:
            self._keep("".join(self._pieces).encode())
        await super().__call__(scope, receive, send)


def _pieces(template: Template, context: Mapping[str, object], later: Later | None) -> Iterator[str]:
    yield from template.generate({**context, **(later() if later else {})})


async def finish(request: Request, page: Page) -> None:
    """Render a page in the turns of whoever asked for it."""
    sessions: Sessions = request.app.state.sessions
    presented = sessions.guard.presented(request)
    caller = f"page {presented.session or presented.address}"
    await page.finish(sessions.offload.for_caller(caller))
