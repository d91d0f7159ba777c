"""Stops a run at another service early: cancels it and waits until it has ended."""

from orchestrator_runner.executors.http.answer import Answer, Ended, decide_callback, decide_poll
from orchestrator_runner.executors.http.exchange import Exchange
from orchestrator_runner.executors.http.start import Start
from orchestrator_runner.executors.port import AttemptRecord
from orchestrator_shared.definitions.http_component import HttpCancel, HttpComponent, HttpPoll, HttpStates

CLOSING_POLL_SECONDS = 0.5
_PASSING = frozenset({408, 425, 429})
_GONE = frozenset({404, 410})
"""Answers to a poll after a cancel which mean that the run no longer exists."""


async def stop(
    section: HttpComponent, record: AttemptRecord | None, exchange: Exchange, start: Start
) -> None:
    """Cancel the run and wait for its end: the configuration's next job must not start beside a run that
    is still stopping.

    Takes as long as the service takes; the caller limits the time.
    """
    if section.is_followed:
        await start.resolve()
    if not start.may_run:
        return
    await _cancel(section.cancel, exchange)
    if not section.is_followed:
        await start.resolve()  # the answer to the start already was the end
    elif section.poll is not None and section.states is not None and exchange.can_prepare(section.poll):
        await _poll_until_ended(section, section.poll, section.states, exchange)
    elif section.callback is not None and record is not None:
        await _await_callback(section, record, exchange)


async def _cancel(cancel: HttpCancel | None, exchange: Exchange) -> None:
    if cancel is None:
        await exchange.log("the component defines no cancel request: the run may continue at the service")
        return
    if not exchange.can_prepare(cancel):
        await exchange.log("the run's id is not known, so it cannot be cancelled")
        return
    request = exchange.prepare(cancel, "cancel")
    while True:
        reply = await exchange.send(request)
        if isinstance(reply, Answer) and reply.status < 500 and reply.status not in _PASSING:
            return
        await exchange.pace.sleep(CLOSING_POLL_SECONDS)


async def _poll_until_ended(
    section: HttpComponent, poll: HttpPoll, states: HttpStates, exchange: Exchange
) -> None:
    request = exchange.prepare(poll, "poll")
    while True:
        reply = await exchange.send(request, is_quiet=True)
        verdict = decide_poll(poll, states, section.result, reply)
        if isinstance(verdict, Ended):
            await _log_state(verdict, exchange)
            return
        if isinstance(reply, Answer) and reply.status in _GONE:
            await exchange.log("ended")
            return
        await exchange.pace.sleep(CLOSING_POLL_SECONDS)


async def _await_callback(section: HttpComponent, record: AttemptRecord, exchange: Exchange) -> None:
    while True:
        for body in await record.callbacks():
            verdict = decide_callback(section, body)
            if isinstance(verdict, Ended):
                await _log_state(verdict, exchange)
                return


async def _log_state(ended: Ended, exchange: Exchange) -> None:
    await exchange.log(f"state {ended.state}" if ended.state else "ended")
