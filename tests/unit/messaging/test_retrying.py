"""Whose fault an error is, and how often a handler is tried, without a broker."""

import asyncio

import asyncpg
import pytest

from orchestrator_shared.domain.errors import Conflict, MessageFault, Unavailable, UserError
from orchestrator_shared.messaging.retrying import Abandoned, Failure, Fault, Gate, Tries, attempt, classify

TRIES = Tries(first_delay=0.001, most_delay=0.002, handler=0.05)


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (MessageFault("x"), Fault.MESSAGE),
        (UserError("x"), Fault.MESSAGE),
        (Conflict("x"), Fault.MESSAGE),
        (Unavailable("x"), Fault.OURS),
        (TimeoutError(), Fault.OURS),
        (ConnectionResetError(), Fault.OURS),
        (asyncpg.TooManyConnectionsError("x"), Fault.OURS),
        (asyncpg.DeadlockDetectedError("x"), Fault.OURS),
        (asyncio.CancelledError(), Fault.OURS),
        (asyncpg.UniqueViolationError("x"), Fault.UNKNOWN),
        (KeyError("x"), Fault.UNKNOWN),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else str(value),
)
def test_whose_fault(error: BaseException, fault: Fault) -> None:
    assert classify(error) is fault


class Calls:
    """A handler that fails with the given errors in turn, then succeeds."""

    def __init__(self, *errors: BaseException) -> None:
        self._errors = list(errors)
        self.count = 0

    async def __call__(self) -> None:
        self.count += 1
        if self._errors:
            raise self._errors.pop(0)


async def run(call: Calls, *, gate: Gate | None = None, single: bool = True) -> Failure | None:
    gate = gate or Gate("q")
    return await attempt(call, queue="q", gate=gate, tries=TRIES, ended=asyncio.Event(), single=single)


async def test_our_faults_do_not_use_up_tries() -> None:
    calls = Calls(*[Unavailable("x")] * 20, *[KeyError("x")] * 4, Unavailable("x"))
    assert await run(calls) is None
    assert calls.count == 26


async def test_five_unknown_errors_end_it() -> None:
    calls = Calls(*[KeyError("x")] * 9)
    failure = await run(calls)
    assert failure == Failure(Fault.UNKNOWN, "KeyError: 'x'")
    assert calls.count == 5


async def test_a_batch_is_given_up_at_the_first_error_that_is_not_ours() -> None:
    calls = Calls(Unavailable("x"), KeyError("x"))
    assert (await run(calls, single=False)) == Failure(Fault.UNKNOWN, "KeyError: 'x'")
    assert calls.count == 2


async def test_the_gate_is_closed_only_while_we_are_at_fault() -> None:
    gate = Gate("q")
    seen: list[bool] = []

    class Watching(Calls):
        async def __call__(self) -> None:
            seen.append(not gate.open.is_set())
            await super().__call__()

    assert await run(Watching(KeyError("x"), Unavailable("x"), Unavailable("x")), gate=gate) is None
    assert seen == [False, False, True, True]
    assert gate.open.is_set()


async def test_the_library_cancelling_is_not_our_end() -> None:
    calls = Calls(asyncio.CancelledError())
    assert await run(calls) is None
    assert calls.count == 2


async def test_our_cancellation_gets_through() -> None:
    begun = asyncio.Event()

    async def forever() -> None:
        begun.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(
        attempt(forever, queue="q", gate=Gate("q"), tries=Tries(), ended=asyncio.Event(), single=True)
    )
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_handler_without_end_is_cut_off_and_waited_for() -> None:
    ended, gate = asyncio.Event(), Gate("q")
    count = 0

    async def hanging() -> None:
        nonlocal count
        count += 1
        if count == 3:
            ended.set()
        await asyncio.Event().wait()

    with pytest.raises(Abandoned):
        await attempt(hanging, queue="q", gate=gate, tries=TRIES, ended=ended, single=True)
    assert count == 3
    assert gate.open.is_set()
