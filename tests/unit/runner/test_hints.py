"""Hints from the feed: which of them make a replica look at the database."""

from uuid import UUID, uuid4

import pytest

from orchestrator_runner.queue.hints import hints
from orchestrator_shared.contracts.envelope import wrap
from orchestrator_shared.contracts.events import CallbackReceived, RunnersWake
from orchestrator_shared.contracts.message import Message
from orchestrator_shared.messaging.decoding import Delivery

OWN = uuid4()


async def heard(message: Message) -> list[object]:
    woken: list[object] = []
    handlers = hints(lambda: woken.append("wake"), woken.append, own_id=OWN)
    delivery = Delivery(message, wrap(message, source="/runner"), message.routing_key(), redelivered=False)
    await handlers[type(message)](delivery)
    return woken


@pytest.mark.parametrize(("sender", "woken"), [(None, ["wake"]), (uuid4(), ["wake"]), (OWN, [])])
async def test_ready_jobs_are_news_to_all_but_the_sender(sender: UUID | None, woken: list[object]) -> None:
    assert await heard(RunnersWake(ready=1, replica_id=sender)) == woken


async def test_a_report_wakes_its_job() -> None:
    job = uuid4()
    assert await heard(CallbackReceived(job_id=job)) == [job]
