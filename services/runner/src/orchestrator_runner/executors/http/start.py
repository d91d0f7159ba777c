"""The start of a run at another service; repeated only where that cannot start it twice."""

import asyncio
from dataclasses import replace

from orchestrator_runner.executors.http.answer import Again, Begun, Ended, Unanswered, decide_start
from orchestrator_runner.executors.http.backoff import Failures
from orchestrator_runner.executors.http.exchange import Exchange
from orchestrator_runner.executors.http.template import Prepared
from orchestrator_runner.executors.port import Execution
from orchestrator_shared.definitions.http_component import HttpComponent
from orchestrator_shared.http_transport.guard import ForbiddenHost

IDEMPOTENCY_KEY = "Idempotency-Key"
RETRY_SECONDS = 2.0
CLOSING_RETRY_SECONDS = 0.5


class Start:
    """Knows whether the run has started, and which run it is."""

    def __init__(self, section: HttpComponent, execution: Execution, exchange: Exchange) -> None:
        self._section = section
        self._execution = execution
        self._exchange = exchange
        self._sending: asyncio.Task[Begun | Ended | Again] | None = None
        self._is_begun = False
        self.may_run = False
        """Whether the other service may be working for this attempt."""

    def recall(self, begun: Begun) -> None:
        """Record that an earlier runner started the run."""
        self.may_run = self._is_begun = True
        self._exchange.learn(begun)

    async def begin(self) -> Begun | Ended:
        """Send the start until it is answered; raises InvalidReport if that takes too long."""
        start = self._section.start
        request = self._request()
        failures = Failures(every=RETRY_SECONDS, give_up_after=start.give_up_after_seconds)
        while True:
            # Shielded: a stop that arrives now needs the run's id before it can cancel the run.
            self._sending = asyncio.create_task(self._send(request))
            verdict = await asyncio.shield(self._sending)
            if not isinstance(verdict, Again):
                return verdict
            await self._exchange.wait_or_give_up(failures, verdict)

    async def resolve(self) -> None:
        """Find out whether the run has started, and which run it is, before it is stopped.

        Waits for an answer that is on its way; if none came, asks once more with the same key.
        """
        if self._is_begun:
            return
        verdict = await self._underway()
        while self.may_run and self._can_ask_again() and (verdict is None or isinstance(verdict, Again)):
            if verdict is not None:
                await self._exchange.pace.sleep(CLOSING_RETRY_SECONDS)
            verdict = await self._send(self._request())
        if isinstance(verdict, Ended) and verdict.is_over:
            self.may_run = False

    async def close(self) -> None:
        """Stop waiting for answers."""
        if self._sending is not None:
            await end(self._sending)

    async def _underway(self) -> Begun | Ended | Again | None:
        if self._sending is None:
            return None
        await asyncio.wait({self._sending})
        if isinstance(self._sending.exception(), ForbiddenHost):
            return None
        return self._sending.result()

    def _can_ask_again(self) -> bool:
        section = self._section
        followers = [request for request in (section.poll, section.cancel) if request is not None]
        needs_answer = any(self._exchange.needs_answer(request) for request in followers)
        return section.start.idempotent and section.is_followed and needs_answer

    def _request(self) -> Prepared:
        request = self._exchange.prepare(self._section.start, "start")
        if IDEMPOTENCY_KEY.lower() in {name.lower() for name, _ in request.headers}:
            return request
        key = f"{self._execution.job_id}-{self._execution.attempt}"
        return replace(request, headers=(*request.headers, (IDEMPOTENCY_KEY, key)))

    async def _send(self, request: Prepared) -> Begun | Ended | Again:
        before, self.may_run = self.may_run, True
        try:
            reply = await self._exchange.send(request)
        except ForbiddenHost:
            self.may_run = before
            raise
        was_taken = reply.was_sent if isinstance(reply, Unanswered) else reply.is_good or reply.status >= 500
        self.may_run = before or was_taken
        is_safe = self._section.start.idempotent or self._execution.safe_to_rerun
        verdict = decide_start(self._section, reply, is_safe=is_safe, may_have_begun=before)
        if isinstance(verdict, Begun):
            self.recall(verdict)
        return verdict


async def end(task: asyncio.Task[object]) -> None:
    """Cancel a task and wait until it has ended."""
    if not task.done():
        task.cancel()
        await asyncio.wait({task})
    if not task.cancelled():
        task.exception()  # retrieved, so that asyncio does not log an unretrieved exception
