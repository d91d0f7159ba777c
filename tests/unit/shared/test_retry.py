"""A server of ours is waited for with growing pauses, within a limit; other failures are raised at once."""

import asyncio

import pytest
from structlog.testing import capture_logs
from tests.support.loop_clock import LoopClock

from orchestrator_shared.domain.errors import Unavailable
from orchestrator_shared.runtime.outage_log import OutageLog
from orchestrator_shared.runtime.retry import Backoff, retry_while_unavailable, wait_for_any


def test_delays_grow_to_a_limit_and_begin_anew() -> None:
    backoff = Backoff(first=1.0, most=5.0)
    for expected in (1.0, 2.0, 4.0, 5.0, 5.0):
        assert expected / 2 <= backoff.take() <= expected
    backoff.reset()
    assert backoff.take() <= 1.0


async def test_an_outage_is_waited_for_and_logged_once_at_each_end() -> None:
    answers = iter([Unavailable("gone"), Unavailable("gone"), "here"])

    async def ask() -> str:
        answer = next(answers)
        if isinstance(answer, Unavailable):
            raise answer
        return str(answer)

    with capture_logs() as lines:
        pauses = Backoff(first=0.01, most=0.01)
        assert await retry_while_unavailable(ask, outage=OutageLog("lease"), pauses=pauses) == "here"
    assert [(line["event"], line["what"]) for line in lines] == [
        ("outage.waiting", "lease"),
        ("outage.over", "lease"),
    ]


async def test_the_last_refusal_is_raised_when_the_time_is_up() -> None:
    tries, clock = 0, LoopClock()

    async def refuse() -> None:
        nonlocal tries
        tries += 1
        if tries == 2:
            clock.put_forward(3600)
        raise Unavailable(f"refused {tries}")

    with pytest.raises(Unavailable) as caught:
        await retry_while_unavailable(refuse, outage=OutageLog("x"), within=60)
    assert tries == 2
    assert str(caught.value) == f"refused {tries}"


async def test_a_mistake_is_not_retried() -> None:
    async def mistake() -> None:
        raise KeyError("mistake")

    with pytest.raises(KeyError):
        await retry_while_unavailable(mistake, outage=OutageLog("x"))


async def test_a_wait_ends_with_any_of_its_events_or_its_time() -> None:
    one, other = asyncio.Event(), asyncio.Event()
    assert not await wait_for_any(one, timeout=0.01)
    assert not await wait_for_any(one, other, timeout=0.01)
    asyncio.get_running_loop().call_soon(other.set)
    assert await wait_for_any(one, other)
    assert await wait_for_any(other, timeout=0)
    await asyncio.sleep(0)  # the cancelled ones end
    assert len(asyncio.all_tasks()) == 1, "no wait is left behind"
