"""Whose fault it is when a message cannot be handled, and what becomes of it then."""

import asyncio
import json
import struct
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest
from pamqp import encode
from prometheus_client import REGISTRY
from tests.integration.messaging.conftest import Foreign, consuming, message_ids
from tests.integration.messaging.messages import RUNS, run_requested, updated
from tests.support.waiting import eventually

from orchestrator_api.operations.dead_letters import measure
from orchestrator_shared.contracts.commands import RunRequested
from orchestrator_shared.contracts.envelope import wrap
from orchestrator_shared.contracts.events import TableUpdated
from orchestrator_shared.contracts.message import TABLE_UPDATES
from orchestrator_shared.contracts.routing import TRIGGER_WATCHER_UPDATES
from orchestrator_shared.domain.errors import Conflict, MessageFault, NotFound, Unavailable
from orchestrator_shared.messaging.connection import Broker
from orchestrator_shared.messaging.consumer import Consumer, Delivery
from orchestrator_shared.messaging.dead_letters import (
    CUT_BYTES,
    PEEK_BYTES,
    SHOWN_BYTES,
    DeadLetter,
    DeadLetters,
)
from orchestrator_shared.messaging.outbox import outgoing_message
from orchestrator_shared.messaging.retrying import Tries

QUICK_TRIES = Tries(first_delay=0.01, most_delay=0.05)
KEY = "table.updated.demo.in.c-sales.orders"


def envelope(**changes: Any) -> bytes:
    content = json.loads(wrap(updated(), source="/somebody").to_bytes())
    return json.dumps(content | changes).encode()


POISON = {
    "not JSON": (b"{", KEY, "not a CloudEvent"),
    "no UTF-8": (b"\xff\xfe\x00", KEY, "not a CloudEvent"),
    "not an object": (b"[]", KEY, "not a CloudEvent"),
    "empty": (b"", KEY, "not a CloudEvent"),
    "another specversion": (envelope(specversion="0.3"), KEY, "specversion"),
    "no id": (envelope(id=""), KEY, "id"),
    "too large": (envelope(data={"filler": "x" * 300_000}), KEY, "262144"),
    "nested too deep": (b'{"data":' + b"[" * 100_000 + b"]" * 100_000 + b"}", KEY, "not a CloudEvent"),
    "unknown version": (envelope(type="orchestrator.table.updated.v9"), KEY, "unknown version 'v9'"),
    "unknown type": (envelope(type="com.example.sold"), KEY, "unknown type 'com.example.sold'"),
    "fails its model": (envelope(data={"project": "demo", "table": "orders"}), KEY, "data.table"),
    "field missing": (envelope(data={"table": "in.c-sales.orders"}), KEY, "data.project"),
    "wrong routing key": (envelope(), "table.updated.other.in.c-sales.orders", "does not match"),
}


async def letters(broker: Broker, count: int) -> list[DeadLetter]:
    dead = DeadLetters(broker.consuming, broker.publisher)

    async def enough() -> tuple[list[DeadLetter]] | None:
        found = await dead.peek()
        return (found,) if len(found) == count else None

    found = await eventually(enough)
    assert found is not None
    return found[0]


async def test_poison_is_dead_lettered_with_its_reason_and_holds_up_nothing(
    connected: Broker, foreign: Foreign
) -> None:
    heard: list[Delivery] = []

    async def on_update(delivery: Delivery) -> None:
        heard.append(delivery)

    async with consuming(Consumer(connected, TRIGGER_WATCHER_UPDATES, {TableUpdated: on_update})):
        for body, key, _reason in POISON.values():
            await foreign.send(
                body, exchange=TABLE_UPDATES, key=key, message_id="same", headers={"x": [1, {}]}
            )
        await foreign.send(envelope(unknown="ignored"), exchange=TABLE_UPDATES, key=KEY)
        found = await letters(connected, len(POISON))
        await eventually(lambda: len(heard) == 1)
    by_body = {letter.body: letter for letter in found}
    for name, (body, key, reason) in POISON.items():
        letter = by_body[body[:SHOWN_BYTES]]
        assert letter.size == len(body)
        assert reason in letter.reason, name
        assert (letter.queue, letter.exchange, letter.routing_key) == (
            "trigger-watcher.updates",
            TABLE_UPDATES,
            key,
        )
        assert letter.first_seen is not None
    assert len({letter.id for letter in found}) == len(POISON)
    assert await message_ids(connected, "trigger-watcher.updates") == []


async def test_properties_of_any_kind_end_no_connection(
    connected: Broker, foreign: Foreign, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One message with a time in the year 146140482 ended the watcher's connection 100 times, and more."""
    heard: list[Delivery] = []

    async def on_update(delivery: Delivery) -> None:
        heard.append(delivery)

    now = datetime.now(UTC)
    short, marks = (
        encode.METHODS["shortstr"],
        {"BAD": b"\x03\xff\xfe\x80", "BADKEY": b"\x14table.updated.demo.\xff"},
    )
    monkeypatch.setitem(encode.METHODS, "shortstr", lambda text: marks.get(text) or short(text))
    monkeypatch.setitem(encode.METHODS, "timestamp", lambda _: struct.pack(">Q", 2**62))
    monkeypatch.setattr(encode, "timestamp", lambda _: struct.pack(">Q", 2**62))
    underlying = connected.consuming._connection
    hostile: list[dict[str, Any]] = [
        {"timestamp": now},
        {"message_id": "BAD"},
        {"content_type": "BAD", "correlation_id": "BAD"},
        {"headers": {"when": now, "x-death": "none", "x-replays": 2**62, "x-first-seen": 5}},
        {"priority": 255, "app_id": "\x00\x1b"},
    ]
    async with consuming(Consumer(connected, TRIGGER_WATCHER_UPDATES, {TableUpdated: on_update})):
        for properties in hostile:
            await foreign.send(envelope(), exchange=TABLE_UPDATES, key=KEY, **properties)
            await foreign.send(b"{", exchange=TABLE_UPDATES, key=KEY, **properties)
        await foreign.send(envelope(), exchange=TABLE_UPDATES, key="BADKEY")
        await letters(connected, len(hostile) + 1)
        await eventually(lambda: len(heard) == len(hostile))
    assert connected.consuming._connection is underlying


async def test_a_message_put_directly_into_a_queue_disagrees_with_its_key(
    connected: Broker, foreign: Foreign
) -> None:
    async def on_update(delivery: Delivery) -> None:
        raise AssertionError("must not be handled")

    async with consuming(Consumer(connected, TRIGGER_WATCHER_UPDATES, {TableUpdated: on_update})):
        await foreign.send(envelope(), exchange="", key="trigger-watcher.updates")
        (letter,) = await letters(connected, 1)
    assert "does not match" in letter.reason


async def publish(broker: Broker, *messages: RunRequested | TableUpdated) -> None:
    for message in messages:
        await broker.publisher.publish(outgoing_message(message, source="/test"))


async def test_our_fault_pauses_and_dead_letters_nothing(connected: Broker) -> None:
    tries, done = 0, 0
    failing = True

    async def on_run(delivery: Delivery) -> None:
        nonlocal tries, done
        tries += 1
        if failing:
            raise Unavailable("the database is away")
        done += 1

    consumer = Consumer(connected, RUNS, {RunRequested: on_run}, concurrency=2, tries=QUICK_TRIES)
    await publish(connected, *(run_requested() for _ in range(30)))
    async with consuming(consumer):
        await eventually(lambda: tries > 20)  # far more than five tries of the messages in hand
        failing = False
        await eventually(lambda: done == 30)
    assert await message_ids(connected, "orchestrator.dead-letters") == []


async def test_while_paused_nothing_new_is_begun(connected: Broker) -> None:
    begun: set[str] = set()
    retries = 0

    async def on_run(delivery: Delivery) -> None:
        nonlocal retries
        retries += 1
        begun.add(delivery.envelope.id)
        raise Unavailable("away")

    consumer = Consumer(connected, RUNS, {RunRequested: on_run}, concurrency=3, tries=QUICK_TRIES)
    await publish(connected, *(run_requested() for _ in range(30)))
    async with consuming(consumer):
        await eventually(lambda: retries > 30)
    assert len(begun) <= 3
    assert len(await message_ids(connected, "runner.commands")) == 30


@pytest.mark.parametrize(
    ("error", "tries"),
    [(ValueError("odd"), 5), (MessageFault("contradicts itself"), 1)],
    ids=["unknown exception", "the message's own fault"],
)
async def test_tries_before_a_dead_letter(connected: Broker, error: Exception, tries: int) -> None:
    calls: list[Delivery] = []

    async def on_run(delivery: Delivery) -> None:
        calls.append(delivery)
        raise error

    consumer = Consumer(connected, RUNS, {RunRequested: on_run}, tries=QUICK_TRIES)
    await publish(connected, run_requested())
    async with consuming(consumer):
        (letter,) = await letters(connected, 1)
    assert len(calls) == tries
    assert str(error) in letter.reason


async def test_a_failing_batch_is_taken_apart(connected: Broker) -> None:
    messages = [run_requested() for _ in range(10)]
    bad = messages[4].job_id
    done: list[object] = []

    async def on_batch(deliveries: Sequence[Delivery]) -> None:
        ids = [delivery.message.job_id for delivery in deliveries]  # type: ignore[attr-defined]
        if bad in ids:
            raise ValueError("one of these")
        done.extend(ids)

    await publish(connected, *messages)
    consumer = Consumer.batches(
        connected, RUNS, on_batch, handles=RUNS.messages, linger=0.1, tries=QUICK_TRIES
    )
    async with consuming(consumer):
        (letter,) = await letters(connected, 1)
        await eventually(lambda: len(done) == 9)
    assert str(bad).encode() in letter.body
    assert done == [message.job_id for message in messages if message.job_id != bad]


async def test_replayed_and_discarded(connected: Broker, pool: asyncpg.Pool) -> None:
    broken, heard = True, 0

    async def on_run(delivery: Delivery) -> None:
        nonlocal heard
        if broken:
            raise MessageFault("not yet understood")
        heard += 1

    dead = DeadLetters(connected.consuming, connected.publisher)
    consumer = Consumer(connected, RUNS, {RunRequested: on_run}, tries=QUICK_TRIES)
    given_up = ("orchestrator_messages_dead_lettered_total", {"queue": RUNS.name, "reason": "message"})
    assert REGISTRY.get_sample_value(*given_up) is not None, "reported before anything was given up"
    await publish(connected, run_requested(), run_requested())
    async with consuming(consumer):
        first, second = await letters(connected, 2)
        await measure(dead)
        assert REGISTRY.get_sample_value("orchestrator_dead_letters") == 2
        await dead.replay(first.id)
        again = next(letter for letter in await letters(connected, 2) if letter.id != second.id)
        assert (again.replays, again.first_seen, again.message_id) == (1, first.first_seen, first.message_id)
        broken = False
        await dead.replay(again.id)
        await eventually(lambda: heard == 1)
        await dead.discard(second.id)
        await letters(connected, 0)
        with pytest.raises(NotFound):
            await dead.replay(second.id)
    assert await dead.count() == 0
    await measure(dead)
    assert REGISTRY.get_sample_value("orchestrator_dead_letters") == 0


async def not_understood(_delivery: Delivery) -> None:
    raise MessageFault("not understood")


async def test_a_dead_letter_keeps_the_beginning_of_what_is_too_large(
    connected: Broker, foreign: Foreign
) -> None:
    """Fault 16 of issue 8: bodies of 10 MB were kept, and 500 of them held at once by a list."""
    large, dead = b"x" * 10_000_000, DeadLetters(connected.consuming, connected.publisher)
    async with consuming(Consumer(connected, RUNS, {RunRequested: not_understood}, tries=QUICK_TRIES)):
        await foreign.send(large, exchange="orchestrator.commands", key="run.requested")
        (letter,) = await letters(connected, 1)
        assert (letter.size, letter.body) == (len(large), large[:SHOWN_BYTES])
        with pytest.raises(Conflict, match="only its beginning was kept"):
            await dead.replay(letter.id)
        assert len((await dead.discard(letter.id)).body) == CUT_BYTES


async def test_a_list_of_dead_letters_holds_a_bounded_part_of_each(
    connected: Broker, foreign: Foreign
) -> None:
    """Fault 16 of issue 8."""
    dead = DeadLetters(connected.consuming, connected.publisher)
    async with consuming(Consumer(connected, RUNS, {RunRequested: not_understood}, tries=QUICK_TRIES)):
        for _ in range(3):
            await foreign.send(b"x" * 200_000, exchange="orchestrator.commands", key="run.requested")
        await letters(connected, 3)
        assert [len(letter.body) for letter in await dead.peek(500)] == [PEEK_BYTES // 500] * 3
        (whole,) = {letter.size for letter in await dead.peek()}
        assert whole == 200_000


async def test_a_replay_that_no_queue_takes_keeps_the_dead_letter(
    connected: Broker, foreign: Foreign
) -> None:
    async def on_run(delivery: Delivery) -> None:
        raise AssertionError("must not be handled")

    async with consuming(Consumer(connected, RUNS, {RunRequested: on_run})):
        await foreign.send(b"?", exchange="orchestrator.commands", key="run.requested")
        (letter,) = await letters(connected, 1)
    channel = await connected.publishing.channel()
    await channel.queue_delete("runner.commands")
    with pytest.raises(Conflict, match="returned"):
        await DeadLetters(connected.consuming, connected.publisher).replay(letter.id)
    await letters(connected, 1)


async def test_what_the_broker_gave_up_is_listed_and_replayed(connected: Broker) -> None:
    await publish(connected, run_requested())
    channel = await connected.consuming.channel()
    queue = await channel.get_queue("runner.commands")
    raw = await queue.get()
    await raw.reject(requeue=False)
    (letter,) = await letters(connected, 1)
    assert letter.reason == "given up by the broker: rejected"
    assert (letter.queue, letter.routing_key) == ("runner.commands", "run.requested")
    await DeadLetters(connected.consuming, connected.publisher).replay(letter.id)
    await letters(connected, 0)
    assert await message_ids(connected, "runner.commands") == [letter.message_id]


async def test_stopping_gives_back_what_was_not_begun(connected: Broker, pool: asyncpg.Pool) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()
    done = 0

    async def on_run(delivery: Delivery) -> None:
        nonlocal done
        begun.set()
        await go_on.wait()
        done += 1

    await publish(connected, *(run_requested() for _ in range(10)))
    consumer = Consumer(connected, RUNS, {RunRequested: on_run}, concurrency=1)
    async with consuming(consumer) as stopping:
        await asyncio.wait_for(begun.wait(), 30)
        stopping.set()
        await eventually(lambda: not consumer.consuming)
        go_on.set()
    assert done == 1
    assert len(await message_ids(connected, "runner.commands")) == 9
