"""Messages that no one could handle: how they are kept, listed, replayed and discarded."""

import hashlib
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from aio_pika.abc import AbstractIncomingMessage, AbstractQueue

from orchestrator_shared.contracts.envelope import CONTENT_TYPE, MAX_BYTES
from orchestrator_shared.contracts.message import DEAD_LETTERS
from orchestrator_shared.contracts.routing import QUEUES
from orchestrator_shared.domain.errors import Conflict, NotFound
from orchestrator_shared.domain.ids import new_id
from orchestrator_shared.messaging.cancellation import end_quietly
from orchestrator_shared.messaging.connection import Link
from orchestrator_shared.messaging.publisher import NotPublished, Outgoing, Publisher
from orchestrator_shared.messaging.topology import DEAD_LETTER_QUEUE

REASON_LENGTH = 1000
CUT_BYTES = 64 * 1024
"""How much is kept of a message that is too large: it can never be handled, only inspected."""
SHOWN_BYTES = 20_000
PEEK_BYTES = 1024 * 1024
"""Total size of bodies in one list: the longer the list, the less it shows of each."""
SEARCH_LIMIT = 10_000

_ADDRESSABLE = re.compile(r"[A-Za-z0-9_:][A-Za-z0-9_.:-]{0,199}")


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A dead letter as people see it."""

    id: str
    reason: str
    queue: str
    exchange: str
    routing_key: str
    first_seen: datetime | None
    replays: int
    message_id: str
    content_type: str
    body: bytes
    """The whole body for a replay; in a list its beginning."""
    size: int
    """Bytes of the message as it came."""

    @property
    def is_cut(self) -> bool:
        """Whether only the beginning of the body was kept."""
        return self.size > MAX_BYTES


def dead_letter(raw: AbstractIncomingMessage, *, queue: str, reason: str) -> Outgoing:
    """The message published for a dead letter. Foreign headers are dropped: they may be anything."""
    return Outgoing(
        id=str(new_id()),
        exchange=DEAD_LETTERS,
        routing_key=queue,
        body=raw.body if len(raw.body) <= MAX_BYTES else raw.body[:CUT_BYTES],
        mandatory=True,
        content_type=(raw.content_type or CONTENT_TYPE)[:200],
        headers={
            "x-reason": reason[:REASON_LENGTH],
            "x-queue": queue,
            "x-exchange": raw.exchange or "",
            "x-routing-key": raw.routing_key or "",
            "x-message-id": (raw.message_id or "")[:200],
            "x-first-seen": _text(raw.headers, "x-first-seen")[:40] or datetime.now(UTC).isoformat(),
            "x-replays": _number(raw.headers, "x-replays"),
            "x-bytes": len(raw.body),
        },
    )


class DeadLetters:
    """The dead-letter queue, read through basic.get; what is only read is given back."""

    def __init__(self, link: Link, publisher: Publisher) -> None:
        self._link = link
        self._publisher = publisher

    async def count(self) -> int:
        """How many there are, without those being read at this moment."""
        async with self._queue() as queue:
            return queue.declaration_result.message_count or 0

    async def peek(self, limit: int = 50) -> list[DeadLetter]:
        """The oldest dead letters, each with the beginning of its body; they stay."""
        found: list[DeadLetter] = []
        shown = min(SHOWN_BYTES, PEEK_BYTES // max(1, limit))

        def note(raw: AbstractIncomingMessage) -> bool:
            letter = read(raw)
            found.append(replace(letter, body=letter.body[:shown]))
            return False

        async with self._queue() as queue:
            await self._search(queue, note, limit)
        return found

    async def replay(self, id_: str) -> DeadLetter:
        """Publish it as it first came, then remove it; Conflict if no queue takes it."""
        async with self._queue() as queue:
            raw = await self._find(queue, id_)
            letter = read(raw)
            if letter.is_cut:
                raise Conflict(
                    f"the message had {letter.size} bytes, at most {MAX_BYTES} are read: only its beginning "
                    "was kept, so it cannot be replayed; discard it, and have its producer send less"
                )
            check_origin(letter)
            try:
                await self._publisher.publish(_again(letter))
            except NotPublished as error:
                raise Conflict(f"the message cannot be replayed: {error}") from error
            await raw.ack()
            return letter

    async def discard(self, id_: str) -> DeadLetter:
        """Remove it for good."""
        async with self._queue() as queue:
            raw = await self._find(queue, id_)
            await raw.ack()
            return read(raw)

    async def _find(self, queue: AbstractQueue, id_: str) -> AbstractIncomingMessage:
        raw = await self._search(queue, lambda raw: read(raw).id == id_, SEARCH_LIMIT)
        if raw is None:
            raise NotFound(
                f"no dead letter {id_[:200]!r}; it may have been replayed or discarded", field="id"
            )
        return raw

    async def _search(
        self, queue: AbstractQueue, wanted: Callable[[AbstractIncomingMessage], bool], limit: int
    ) -> AbstractIncomingMessage | None:
        for _ in range(limit):
            raw = await queue.get(fail=False, timeout=self._link.timeouts.operation)
            if raw is None:
                return None
            if wanted(raw):
                return raw
        return None

    @asynccontextmanager
    async def _queue(self) -> AsyncIterator[AbstractQueue]:
        """The queue on a channel of its own: closing it gives back whatever was not acknowledged."""
        channel = await self._link.channel()
        try:
            yield await channel.get_queue(DEAD_LETTER_QUEUE, ensure=True)
        finally:
            await end_quietly(channel.close(), timeout=self._link.timeouts.operation)


def read(raw: AbstractIncomingMessage) -> DeadLetter:
    """Understand a dead letter, put there by a consumer or by the broker itself (delivery limit)."""
    death = _broker_death(raw.headers)
    # What the broker gave up still has its producer's headers, which may contain anything.
    headers = {} if death else raw.headers
    return DeadLetter(
        id=_id(raw),
        reason=_text(headers, "x-reason") or f"given up by the broker: {_text(death, 'reason') or 'unknown'}",
        queue=_text(headers, "x-queue") or _text(death, "queue") or (raw.routing_key or ""),
        exchange=_text(headers, "x-exchange") or _text(death, "exchange"),
        routing_key=_text(headers, "x-routing-key") or _first_key(death),
        first_seen=_time(_text(headers, "x-first-seen")),
        replays=_number(headers, "x-replays"),
        message_id=_text(headers, "x-message-id") or (raw.message_id or ""),
        content_type=raw.content_type or "",
        body=raw.body,
        size=max(len(raw.body), _number(headers, "x-bytes")),
    )


def check_origin(letter: DeadLetter) -> None:
    """Refuse to send it where its queue takes nothing from: its producer may not be allowed to."""
    taken = {message.exchange for queue in QUEUES if queue.name == letter.queue for message in queue.messages}
    if taken and letter.exchange not in taken:
        raise Conflict(
            f"the message cannot be replayed: it claims to come from the exchange {letter.exchange!r}, which "
            f"sends nothing to the queue {letter.queue!r}; its producer forged that, so discard it"
        )


def _id(raw: AbstractIncomingMessage) -> str:
    """Its own where that can be part of an address: what the broker gave up has the id of its sender."""
    if raw.message_id and _ADDRESSABLE.fullmatch(raw.message_id):
        return raw.message_id
    return "sha256:" + hashlib.sha256(raw.body).hexdigest()[:32]


def _again(letter: DeadLetter) -> Outgoing:
    first_seen = letter.first_seen or datetime.now(UTC)
    return Outgoing(
        id=letter.message_id or letter.id,
        exchange=letter.exchange,
        routing_key=letter.routing_key,
        body=letter.body,
        mandatory=True,
        content_type=letter.content_type or CONTENT_TYPE,
        headers={"x-first-seen": first_seen.isoformat(), "x-replays": letter.replays + 1},
    )


def _broker_death(headers: Mapping[str, Any]) -> Mapping[str, Any]:
    deaths = headers.get("x-death")
    if isinstance(deaths, list) and deaths and isinstance(deaths[0], dict):
        return deaths[0]
    return {}


def _first_key(death: Mapping[str, Any]) -> str:
    keys = death.get("routing-keys")
    return str(keys[0]) if isinstance(keys, list) and keys else ""


def _text(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    return value if isinstance(value, str) else ""


def _number(fields: Mapping[str, Any], name: str) -> int:
    value = fields.get(name)
    return value if isinstance(value, int) and 0 <= value < 2**53 else 0


def _time(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
