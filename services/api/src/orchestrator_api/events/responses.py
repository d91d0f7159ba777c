"""The HTTP response of a stream: sends frames and heartbeats until its client leaves or it is closed."""

from collections.abc import Callable

import anyio
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.types import Receive, Scope, Send

from orchestrator_api.events.viewers import Viewer

HEARTBEAT_SECONDS = 15
LAST_WORDS_SECONDS = 1.0
"""How long a closed stream whose client does not read may still try to send."""
LINE_END = "\n"


class StreamResponse(EventSourceResponse):
    """Sends what a viewer is pushed; `leave` is called when it ends, however that happens."""

    media_type = "text/event-stream"

    def __init__(self, viewer: Viewer, leave: Callable[[], None]) -> None:
        self._viewer = viewer
        self.leave = leave
        super().__init__(
            viewer.frames(), ping=HEARTBEAT_SECONDS, sep=LINE_END, ping_message_factory=self._heartbeat
        )

    def _heartbeat(self) -> ServerSentEvent:
        return ServerSentEvent(comment="heartbeat", id=self._viewer.heartbeat(), sep=LINE_END)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(self._cut_off, group.cancel_scope)
                await super().__call__(scope, receive, send)
                group.cancel_scope.cancel()
        finally:
            self.leave()

    async def _cut_off(self, scope: anyio.CancelScope) -> None:
        await self._viewer.closed.wait()
        await anyio.sleep(LAST_WORDS_SECONDS)
        scope.cancel()
