"""Understanding dead letters whose headers anybody may have written."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest
from aio_pika.abc import AbstractIncomingMessage

from orchestrator_shared.contracts.message import COMMANDS, TABLE_UPDATES
from orchestrator_shared.domain.errors import Conflict
from orchestrator_shared.messaging.dead_letters import REASON_LENGTH, check_origin, dead_letter, read


def message(body: bytes = b"{}", **fields: Any) -> AbstractIncomingMessage:
    plain: dict[str, Any] = {
        "headers": {},
        "message_id": None,
        "content_type": None,
        "exchange": "e",
        "routing_key": "k",
    }
    return cast(AbstractIncomingMessage, SimpleNamespace(body=body, **{**plain, **fields}))


def test_a_dead_letter_shows_where_it_came_from() -> None:
    outgoing = dead_letter(message(message_id="m"), queue="runner.commands", reason="r" * 5000)
    assert (outgoing.exchange, outgoing.routing_key) == ("orchestrator.dead-letters", "runner.commands")
    assert outgoing.mandatory
    assert outgoing.persistent
    seen = read(message(headers=dict(outgoing.headers), message_id=outgoing.id))
    assert (seen.queue, seen.exchange, seen.routing_key, seen.message_id) == (
        "runner.commands",
        "e",
        "k",
        "m",
    )
    assert seen.reason == "r" * REASON_LENGTH
    assert seen.first_seen is not None
    assert (datetime.now(UTC) - seen.first_seen).total_seconds() < 60


@pytest.mark.parametrize(
    "headers",
    [
        {"x-death": "no list"},
        {"x-death": []},
        {"x-death": [7]},
        {"x-death": [{"routing-keys": "no list", "reason": 5}]},
        {"x-reason": 5, "x-first-seen": "yesterday", "x-replays": "many"},
        {"x-reason": None, "x-queue": [], "x-death": [{"routing-keys": []}]},
    ],
    ids=str,
)
def test_odd_headers_are_survived(headers: dict[str, Any]) -> None:
    letter = read(message(headers=headers))
    assert letter.reason.startswith("given up by the broker")
    assert letter.first_seen is None
    assert letter.id.startswith("sha256:")


@pytest.mark.parametrize("foreign", ["a/b", "../..", "x" * 250, "?q=1#f", "a\nb", "é", "a b", ".", ""])
def test_a_foreign_id_that_no_address_can_name_is_replaced(foreign: str) -> None:
    """Such a letter could neither be replayed nor dropped."""
    letter = read(message(message_id=foreign))
    assert letter.id.startswith("sha256:")
    assert letter.id != read(message(b"other", message_id=foreign)).id
    assert letter.message_id == foreign
    assert read(message(message_id="m-1:a.b_c")).id == "m-1:a.b_c"


def test_foreign_headers_are_not_carried_on() -> None:
    outgoing = dead_letter(message(headers={"x-replays": True, "evil": "x" * 10_000}), queue="q", reason="r")
    assert "evil" not in outgoing.headers


GIVEN_UP = {
    "queue": "trigger-watcher.updates",
    "reason": "delivery_limit",
    "exchange": TABLE_UPDATES,
    "routing-keys": ["table.updated.demo.in.c-x.t"],
}
MADE_UP = {
    "x-queue": "runner.commands",
    "x-exchange": COMMANDS,
    "x-routing-key": "run.requested",
    "x-reason": "r",
}


def test_a_producer_does_not_say_where_its_letter_is_replayed_to() -> None:
    """With headers of ours it would have had an administrator send a command in its name."""
    letter = read(message(headers={**MADE_UP, "x-death": [GIVEN_UP]}))
    assert letter.reason == "given up by the broker: delivery_limit"
    assert (letter.queue, letter.exchange, letter.routing_key) == (
        "trigger-watcher.updates",
        TABLE_UPDATES,
        "table.updated.demo.in.c-x.t",
    )
    check_origin(letter)


def test_a_letter_is_replayed_only_to_where_its_queue_takes_from() -> None:
    """RabbitMQ 3 takes over what a producer wrote into `x-death` about the same queue."""
    letter = read(message(headers={"x-death": [{**GIVEN_UP, "exchange": COMMANDS}]}))
    with pytest.raises(Conflict, match="discard it"):
        check_origin(letter)
