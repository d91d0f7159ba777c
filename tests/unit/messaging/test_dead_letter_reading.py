"""Understanding dead letters whose headers anybody may have written."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest
from aio_pika.abc import AbstractIncomingMessage

from orchestrator_shared.messaging.dead_letters import REASON_LENGTH, dead_letter, read


def message(body: bytes = b"{}", **fields: Any) -> AbstractIncomingMessage:
    plain: dict[str, Any] = {
        "headers": {},
        "message_id": None,
        "content_type": None,
        "exchange": "e",
        "routing_key": "k",
    }
    return cast(AbstractIncomingMessage, SimpleNamespace(body=body, **{**plain, **fields}))


def test_a_dead_letter_tells_where_it_came_from() -> None:
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
