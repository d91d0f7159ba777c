"""One run at another service: started, followed to its end, or stopped early."""

import asyncio
import contextlib
from collections.abc import Coroutine, Mapping
from typing import Any

from orchestrator_runner.executors.elsewhere import Working, ended_early, error_of
from orchestrator_runner.executors.http.answer import (
    Again,
    Begun,
    Ended,
    Running,
    decide_callback,
    decide_poll,
)
from orchestrator_runner.executors.http.backoff import Failures
from orchestrator_runner.executors.http.exchange import Exchange
from orchestrator_runner.executors.http.handle import begun_of, handle_of, handle_of_start, is_begun
from orchestrator_runner.executors.http.start import Start, end
from orchestrator_runner.executors.http.stop import stop
from orchestrator_runner.executors.http.template import picked
from orchestrator_runner.executors.outcome import StopCause, duration_text
from orchestrator_runner.executors.port import Adopted, AttemptRecord, Execution, ExecutionLost, Outcome
from orchestrator_shared.definitions.http_component import HttpCallback, HttpComponent, HttpPoll, HttpStates
from orchestrator_shared.domain.reports import InvalidReport
from orchestrator_shared.domain.statuses import JobStatus

FIRST_POLL_SECONDS = 1.0
LATE_CALLBACK_SECONDS = 10.0
"""For a run taken over after its time limit: a callback may have arrived in the meantime."""


class RemoteRun:
    """One run at the other service, for one attempt."""

    def __init__(
        self,
        section: HttpComponent,
        execution: Execution,
        adopted: Adopted | None,
        callback_url: str | None,
        exchange: Exchange,
        masked: tuple[bytes, ...],
    ) -> None:
        self._section = section
        self._execution = execution
        self._adopted = adopted
        self._callback_url = callback_url
        self._exchange = exchange
        self.masked = masked
        self._start = Start(section, execution, exchange)
        self._seen = Running("")
        self.kept = asyncio.Event()
        """Set once another runner could continue the run."""
        self.can_be_repeated = False
        """Set once another runner could at least send the start again, which starts nothing twice."""
        self.is_over = False
        """Set once the outcome is known and the other service has stopped working on it."""

    async def work(self) -> Outcome:
        """Start the run, unless an earlier runner did; then follow it."""
        handle = None if self._adopted is None else self._adopted.handle
        verdict: Begun | Ended
        if handle is not None and is_begun(handle):
            verdict = await self._recall(handle)
        else:
            verdict = await self._begin(handle)
            if isinstance(verdict, Begun) or verdict.outcome.status is JobStatus.SUCCESS:
                self._execution.started()
        if isinstance(verdict, Begun):
            await self._keep(verdict)
            verdict = await self._follow()
        self.is_over = verdict.is_over
        self._start.may_run = not verdict.is_over
        return verdict.outcome

    def can_be_left(self, working: Working) -> bool:
        """See `AttemptElsewhere`."""
        return (self.kept.is_set() or self.can_be_repeated) and not self.is_over

    def is_anothers(self, working: Working) -> bool:
        """See `AttemptElsewhere`."""
        return isinstance(error_of(working), ExecutionLost)

    def ended_early(self, working: Working, cause: StopCause) -> Outcome:
        """See `AttemptElsewhere`."""
        return ended_early(cause, self._execution)

    async def close(self, working: Working, grace: float, *, leave: bool) -> None:
        """See `AttemptElsewhere`; takes little more than the grace period."""
        try:
            async with asyncio.timeout(grace):
                await end(working)
                if leave:
                    await self._exchange.log(
                        "the run continues at the service; another runner will follow it"
                    )
                elif self._start.may_run:
                    await stop(self._section, self._execution.record, self._exchange, self._start)
        except Exception as error:
            # The outcome is already known, and a log that cannot be written cannot report that itself.
            with contextlib.suppress(Exception):
                reason = "no time left" if isinstance(error, TimeoutError) else str(error)
                async with asyncio.timeout(1):
                    await self._exchange.log(f"the run may still be going on at the service: {reason}")
        finally:
            await end(working)
            await self._start.close()

    async def _recall(self, handle: Mapping[str, Any]) -> Begun:
        begun = begun_of(handle)
        self._start.recall(begun)
        self.kept.set()
        await self._exchange.log("following the run that another runner started")
        return begun

    async def _begin(self, handle: Mapping[str, Any] | None) -> Begun | Ended:
        record, is_repeatable = self._execution.record, self._section.start.idempotent
        if handle is not None:
            self._start.may_run = True
            if not is_repeatable:
                raise ExecutionLost("its start must not be sent again")
            self.can_be_repeated = True
            await self._exchange.log(
                "the previous runner was lost during the start: sending it again with the same key"
            )
        elif record is not None:
            if self._section.callback is not None:
                await record.expect_callbacks()
            if is_repeatable:
                await record.keep_handle(handle_of_start(self._callback_url))
                self.can_be_repeated = True
        return await self._start.begin()

    async def _keep(self, begun: Begun) -> None:
        """Store the handle before anything else: from now on the run survives this runner."""
        record = self._execution.record
        if record is None or self.kept.is_set():
            return
        await record.keep_handle(handle_of(begun.id, picked(begun.data, self._section.needed_of_start())))
        self.kept.set()

    async def _follow(self) -> Ended:
        """Follow the run to its end, learned from a poll or a callback, whichever comes first."""
        section = self._section
        assert section.states is not None
        ways: list[Coroutine[Any, Any, Ended]] = []
        if section.poll is not None:
            ways.append(self._poll_until_ended(section.poll, section.states))
        if section.callback is not None and self._execution.record is not None:
            ways.append(self._await_callback(section.callback, self._execution.record))
        tasks = [asyncio.create_task(way) for way in ways]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            return next(task for task in tasks if task in done).result()
        finally:
            for task in tasks:
                await end(task)

    async def _poll_until_ended(self, poll: HttpPoll, states: HttpStates) -> Ended:
        failures = Failures(every=poll.every_seconds, give_up_after=poll.give_up_after_seconds)
        is_called_back = self._section.callback is not None
        delay = poll.every_seconds if is_called_back else min(FIRST_POLL_SECONDS, poll.every_seconds)
        while True:
            await self._exchange.pace.sleep(delay)
            reply = await self._exchange.send(self._exchange.prepare(poll, "poll"), is_quiet=True)
            verdict = decide_poll(poll, states, self._section.result, reply)
            if isinstance(verdict, Again):
                await self._exchange.wait_or_give_up(failures, verdict)
                delay = 0
                continue
            failures.clear()
            delay = poll.every_seconds
            await self._log_state(verdict)
            if isinstance(verdict, Ended):
                return verdict

    async def _await_callback(self, callback: HttpCallback, record: AttemptRecord) -> Ended:
        limit = None
        if self._section.poll is None:
            ran_seconds = 0.0 if self._adopted is None else self._adopted.ran_seconds
            left = callback.give_up_after_seconds - ran_seconds
            limit = max(left, min(LATE_CALLBACK_SECONDS, callback.give_up_after_seconds))
        try:
            async with asyncio.timeout(limit):
                while True:
                    for body in await record.callbacks():
                        verdict = decide_callback(self._section, body)
                        await self._log_callback(verdict)
                        if isinstance(verdict, Ended):
                            return verdict
        except TimeoutError:
            within = duration_text(callback.give_up_after_seconds)
            raise InvalidReport(f"gave up: no callback reported the end within {within}") from None

    async def _log_callback(self, verdict: Running | Ended | Again) -> None:
        if isinstance(verdict, Again):
            await self._exchange.log(f"{verdict.reason}: ignored")
            return
        await self._exchange.log("the service called back")
        await self._log_state(verdict)

    async def _log_state(self, now: Running | Ended) -> None:
        before = self._seen
        self._seen = Running(now.state or before.state, now.progress or before.progress)
        if now.state is not None and now.state != before.state:
            await self._exchange.log(f"state {now.state}")
        if now.progress and now.progress != before.progress:
            await self._exchange.log(now.progress, "stdout")
