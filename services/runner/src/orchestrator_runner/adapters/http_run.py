"""One run at another service: begun, followed to its end, or cancelled."""

import asyncio
import contextlib
import random
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from orchestrator_runner.adapters.http_client import ForbiddenHost, HttpClient
from orchestrator_runner.domain.execution import Execution, LogSink, Outcome, Stream
from orchestrator_runner.domain.http_answer import (
    Again,
    Answer,
    Begun,
    Ended,
    Reply,
    Running,
    Unanswered,
    decide_poll,
    decide_start,
    excerpt,
)
from orchestrator_runner.domain.http_backoff import Failures
from orchestrator_runner.domain.http_template import Prepared, prepare
from orchestrator_runner.domain.outcome import InvalidReport, duration_text
from orchestrator_shared.definitions.http_component import (
    ANSWER_NAMES,
    HttpCancel,
    HttpComponent,
    HttpPoll,
    HttpRequest,
    HttpStates,
    first_names,
)

IDEMPOTENCY_KEY = "Idempotency-Key"
FIRST_POLL_SECONDS = 1.0
RETRY_SECONDS = 2.0
CLOSING_POLL_SECONDS = 0.5


class Pace:
    """Time, as waits between requests need it."""

    def now(self) -> float:
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        # Not all at the same moment: a service that comes back must not be run over.
        await asyncio.sleep(seconds * random.uniform(0.9, 1.1))  # noqa: S311


class RunLog:
    """Stdout is what the service says, stderr what is done with it."""

    def __init__(self, sink: LogSink) -> None:
        self._sink = sink

    async def say(self, text: str, stream: Stream = "stderr") -> None:
        await self._sink.write(stream, datetime.now(UTC), (text + "\n").encode(errors="replace"))


class RemoteRun:
    """One run at the other service: the work of one attempt."""

    def __init__(
        self,
        section: HttpComponent,
        execution: Execution,
        log: RunLog,
        client: HttpClient,
        pace: Pace,
        forms: tuple[bytes, ...],
    ) -> None:
        self._section = section
        self._execution = execution
        self._log = log
        self._client = client
        self._pace = pace
        self._forms = forms
        self._names = _names(execution)
        self._starting: asyncio.Task[Reply] | None = None
        self._may_run = False
        """Whether the other service may be at work for this attempt."""

    async def work(self) -> Outcome:
        """Start, then follow."""
        verdict = await self._start()
        if isinstance(verdict, Begun):
            self._know(verdict)
            assert self._section.poll is not None
            assert self._section.states is not None
            verdict = await self._follow(self._section.poll, self._section.states)
        self._may_run = not verdict.is_over
        return verdict.outcome

    async def close(self, working: asyncio.Task[Outcome], grace: float) -> None:
        """Whatever happened: leave nothing running, here or there. Takes little more than the grace."""
        try:
            async with asyncio.timeout(grace):
                await self._learn_id(working)
                await end(working)
                if self._may_run:
                    await self._cancel_remote()
        except Exception as error:
            # The attempt has its outcome; and a log that cannot be written is not told of in the log.
            with contextlib.suppress(Exception):
                reason = "no time left" if isinstance(error, TimeoutError) else str(error)
                async with asyncio.timeout(1):
                    await self._log.say(f"the run may go on at the service: {reason}")
        finally:
            await end(working)
            if self._starting is not None:
                await end(self._starting)

    def _know(self, begun: Begun) -> None:
        self._names["start"] = begun.data
        if begun.id is not None:
            self._names["id"] = begun.id

    async def _start(self) -> Begun | Ended:
        section = self._section
        request = self._prepare(section.start, "start")
        if IDEMPOTENCY_KEY.lower() not in {name.lower() for name, _ in request.headers}:
            key = f"{self._execution.job_id}-{self._execution.attempt}"
            request = replace(request, headers=(*request.headers, (IDEMPOTENCY_KEY, key)))
        is_safe = section.start.idempotent or self._execution.safe_to_rerun
        failures = self._failures(RETRY_SECONDS, section.start.give_up_after_seconds)
        while True:
            self._starting = asyncio.create_task(self._send_start(request))
            reply = await asyncio.shield(self._starting)
            verdict = decide_start(section, reply, is_safe=is_safe)
            if not isinstance(verdict, Again):
                return verdict
            await self._wait_or_give_up(failures, verdict)

    async def _send_start(self, request: Prepared) -> Reply:
        # Shielded: a stop that comes now has to learn the run's id before it can cancel it.
        before, self._may_run = self._may_run, True
        try:
            reply = await self._send(request)
        except ForbiddenHost:
            self._may_run = before
            raise
        was_taken = reply.was_sent if isinstance(reply, Unanswered) else reply.is_good or reply.status >= 500
        self._may_run = before or was_taken
        return reply

    async def _follow(self, poll: HttpPoll, states: HttpStates) -> Ended:
        failures = self._failures(poll.every_seconds, poll.give_up_after_seconds)
        delay = min(FIRST_POLL_SECONDS, poll.every_seconds)
        seen = Running("")
        while True:
            await self._pace.sleep(delay)
            reply = await self._send(self._prepare(poll, "poll"), is_quiet=True)
            verdict = decide_poll(poll, states, self._section.result, reply)
            if isinstance(verdict, Again):
                await self._wait_or_give_up(failures, verdict)
                delay = 0
                continue
            failures.clear(self._pace.now())
            delay = poll.every_seconds
            await self._tell(seen, verdict)
            if isinstance(verdict, Ended):
                return verdict
            seen = verdict

    async def _tell(self, before: Running, now: Running | Ended) -> None:
        if now.state is not None and now.state != before.state:
            await self._log.say(f"state {now.state[:200]}")
        if now.progress and now.progress != before.progress:
            await self._log.say(now.progress, "stdout")

    def _failures(self, every: float, give_up_after: float) -> Failures:
        return Failures(every=every, give_up_after=give_up_after, now=self._pace.now())

    async def _wait_or_give_up(self, failures: Failures, again: Again) -> None:
        delay = failures.next_delay(again, self._pace.now())
        if delay is None:
            raise InvalidReport(f"gave up: {again.reason}")
        await self._log.say(f"{again.reason}; again in {duration_text(round(delay, 1))}")
        await self._pace.sleep(delay)

    def _prepare(self, request: HttpRequest, field: str) -> Prepared:
        return prepare(request, self._section.headers, self._names, field=f"http.{field}")

    async def _send(self, request: Prepared, *, is_quiet: bool = False) -> Reply:
        reply = await self._client.send(request)
        if isinstance(reply, Answer) and not reply.is_good:
            reply = replace(reply, excerpt=excerpt(reply.body, self._forms))
        if not is_quiet:
            await self._log.say(f"{request.method} {request.address}: {reply}")
        return reply

    async def _learn_id(self, working: asyncio.Task[Outcome]) -> None:
        """The start is underway: wait for its answer, without which nothing could be cancelled."""
        starting = self._starting
        if working.done() or starting is None or starting.done() or self._section.cancel is None:
            return
        working.cancel()
        await asyncio.wait({starting})
        verdict = decide_start(self._section, starting.result(), is_safe=False)
        if isinstance(verdict, Begun):
            self._know(verdict)

    async def _cancel_remote(self) -> None:
        cancel = self._section.cancel
        if cancel is None:
            await self._log.say("the component has no cancel: the run may go on at the service")
            return
        needed = ANSWER_NAMES & first_names([cancel.url, cancel.headers, cancel.body])
        if needed - set(self._names):
            await self._log.say("the run's id is not known: it cannot be cancelled")
            return
        await self._send_cancel(cancel)
        if self._section.poll is not None and self._section.states is not None:
            await self._see_the_end(self._section.poll, self._section.states)

    async def _send_cancel(self, cancel: HttpCancel) -> None:
        request = self._prepare(cancel, "cancel")
        while True:
            reply = await self._send(request)
            if isinstance(reply, Answer) and reply.status < 500 and reply.status not in (408, 425, 429):
                return
            await self._pace.sleep(CLOSING_POLL_SECONDS)

    async def _see_the_end(self, poll: HttpPoll, states: HttpStates) -> None:
        """The configuration's next job must not begin beside a run that is still stopping."""
        if ANSWER_NAMES & first_names([poll.url, poll.headers, poll.body]) - set(self._names):
            return
        request = self._prepare(poll, "poll")
        while True:
            verdict = decide_poll(
                poll, states, self._section.result, await self._send(request, is_quiet=True)
            )
            if isinstance(verdict, Ended) or (isinstance(verdict, Again) and verdict.is_refusal):
                break
            await self._pace.sleep(CLOSING_POLL_SECONDS)
        await self._log.say(
            f"state {verdict.state[:200]}" if isinstance(verdict, Ended) and verdict.state else "ended"
        )


async def end(task: asyncio.Task[Any]) -> None:
    if not task.done():
        task.cancel()
        await asyncio.wait({task})
    if not task.cancelled():
        task.exception()  # looked at, so that asyncio does not complain that nobody did


def _names(execution: Execution) -> dict[str, Any]:
    given = execution.environment
    names: dict[str, Any] = {
        "job_id": str(execution.job_id),
        "attempt": execution.attempt,
        "parameters": execution.config.get("parameters") or {},
        "state": execution.state,
    }
    for name in ("project", "component", "configuration", "run_id", "scheduled_for", "previous_success"):
        if (value := given.get(f"ORCHESTRATOR_{name.upper()}")) is not None:
            names[name] = value
    return names
