"""One run at another service: begun, followed to its end, or cancelled."""

import asyncio
import contextlib
import random
from collections.abc import Coroutine, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from orchestrator_runner.adapters.http_client import ForbiddenHost, HttpClient
from orchestrator_runner.domain.execution import Execution, Journal, LogSink, Outcome, Stream
from orchestrator_runner.domain.http_answer import (
    Again,
    Answer,
    Begun,
    Ended,
    Reply,
    Running,
    Unanswered,
    decide_callback,
    decide_poll,
    decide_start,
    excerpt,
)
from orchestrator_runner.domain.http_backoff import Failures
from orchestrator_runner.domain.http_template import Prepared, picked, prepare
from orchestrator_runner.domain.outcome import duration_text
from orchestrator_shared.definitions.http_component import (
    ANSWER_NAMES,
    CALLBACK_URL,
    HttpCallback,
    HttpCancel,
    HttpComponent,
    HttpPoll,
    HttpRequest,
    HttpStates,
    first_names,
)
from orchestrator_shared.domain.reports import InvalidReport

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
        self._seen = Running("")
        self.kept = asyncio.Event()
        """Set once another runner could go on with the run."""
        self.may_run = False
        """Whether the other service may be at work for this attempt."""

    async def work(self) -> Outcome:
        """Start, unless an earlier runner did; then follow."""
        handle = self._execution.handle
        verdict = await self._start() if handle is None else await self._recall(handle)
        if isinstance(verdict, Begun):
            self._know(verdict)
            await self._keep(verdict)
            verdict = await self._follow()
        self.may_run = not verdict.is_over
        return verdict.outcome

    async def close(self, working: asyncio.Task[Outcome], grace: float, *, leave: bool = False) -> None:
        """Whatever happened: leave nothing running, here or there. Takes little more than the grace.

        `leave`: somebody else goes on with the run.
        """
        try:
            async with asyncio.timeout(grace):
                if leave:
                    await end(working)
                    await self._log.say("the run goes on at the service, another runner goes on with it here")
                    return
                await self._learn_id(working)
                await end(working)
                if self.may_run:
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

    async def _recall(self, handle: Mapping[str, Any]) -> Begun:
        self.may_run = True
        self.kept.set()
        await self._log.say("going on with the run that another runner began")
        return Begun(handle.get("start") or {}, handle.get("id"))

    async def _keep(self, begun: Begun) -> None:
        """Before anything else: from here on the run survives this runner."""
        journal = self._execution.journal
        if journal is None or self.kept.is_set():
            return
        await journal.keep({"id": begun.id, "start": picked(begun.data, self._section.needed_of_start())})
        self.kept.set()

    async def _start(self) -> Begun | Ended:
        if self._section.callback is not None and self._execution.journal is not None:
            await self._execution.journal.expect_callbacks()
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
        before, self.may_run = self.may_run, True
        try:
            reply = await self._send(request)
        except ForbiddenHost:
            self.may_run = before
            raise
        was_taken = reply.was_sent if isinstance(reply, Unanswered) else reply.is_good or reply.status >= 500
        self.may_run = before or was_taken
        return reply

    async def _follow(self) -> Ended:
        """To the end, whoever tells of it first."""
        section = self._section
        assert section.states is not None
        ways: list[Coroutine[Any, Any, Ended]] = []
        if section.poll is not None:
            ways.append(self._poll_to_the_end(section.poll, section.states))
        if section.callback is not None and self._execution.journal is not None:
            ways.append(self._hear_of_the_end(section.callback, self._execution.journal))
        tasks = [asyncio.create_task(way) for way in ways]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            return next(task for task in tasks if task in done).result()
        finally:
            for task in tasks:
                await end(task)

    async def _poll_to_the_end(self, poll: HttpPoll, states: HttpStates) -> Ended:
        failures = self._failures(poll.every_seconds, poll.give_up_after_seconds)
        is_called_back = self._section.callback is not None
        delay = poll.every_seconds if is_called_back else min(FIRST_POLL_SECONDS, poll.every_seconds)
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
            await self._tell(verdict)
            if isinstance(verdict, Ended):
                return verdict

    async def _hear_of_the_end(self, callback: HttpCallback, journal: Journal) -> Ended:
        limit = None if self._section.poll is not None else callback.give_up_after_seconds
        try:
            async with asyncio.timeout(limit):
                while True:
                    for body in await journal.callbacks():
                        verdict = decide_callback(self._section, body)
                        await self._note_callback(verdict)
                        if isinstance(verdict, Ended):
                            return verdict
        except TimeoutError:
            within = duration_text(limit or 0)
            raise InvalidReport(f"gave up: no callback told of the end within {within}") from None

    async def _note_callback(self, verdict: Running | Ended | Again) -> None:
        if isinstance(verdict, Again):
            await self._log.say(f"{verdict.reason}: left alone")
            return
        await self._log.say("the service called back")
        await self._tell(verdict)

    async def _tell(self, now: Running | Ended) -> None:
        before = self._seen
        self._seen = Running(now.state or before.state, now.progress or before.progress)
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
    if execution.callback_url is not None:
        names[CALLBACK_URL] = execution.callback_url
    return names
