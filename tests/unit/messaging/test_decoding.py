"""Reading hostile message bodies, without a broker."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator_shared.contracts.commands import RunRequested
from orchestrator_shared.contracts.envelope import MAX_BYTES, wrap
from orchestrator_shared.contracts.events import TableUpdated
from orchestrator_shared.domain.errors import MessageFault
from orchestrator_shared.messaging.decoding import Delivery, decode

KNOWN = {TableUpdated.type: TableUpdated}
UPDATE = TableUpdated(project="demo", table="in.c-sales.orders", rows=3)


def read(body: bytes, key: str = UPDATE.routing_key()) -> Delivery:
    return decode(body, routing_key=key, redelivered=False, known=KNOWN)


def body(**changes: Any) -> bytes:
    return json.dumps(json.loads(wrap(UPDATE, source="/x").to_bytes()) | changes).encode()


def test_what_we_write_we_read() -> None:
    delivery = read(wrap(UPDATE, source="/runner", traceparent="00-1-2-01").to_bytes())
    assert delivery.message == UPDATE
    assert (delivery.envelope.source, delivery.envelope.traceparent) == ("/runner", "00-1-2-01")


def test_unknown_fields_are_ignored() -> None:
    newer = {"project": "demo", "table": "in.c-sales.orders", "rows": 3, "bytes": 7}
    assert read(body(data=newer, extension="x")).message == UPDATE


def test_a_newer_version_names_what_is_read() -> None:
    with pytest.raises(MessageFault, match=r"unknown version 'v2' of orchestrator.table.updated: .* v1"):
        read(body(type="orchestrator.table.updated.v2"))


def test_the_key_must_agree_with_the_body() -> None:
    with pytest.raises(MessageFault, match="does not match"):
        read(body(), key="table.updated.another.in.c-sales.orders")


@given(st.binary(max_size=300))
def test_any_bytes_are_a_fault_of_the_message(noise: bytes) -> None:
    with pytest.raises(MessageFault):
        read(noise)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from(["specversion", "id", "source", "type", "time", "data"]), JSON)
def test_any_value_of_an_attribute_is_read_or_refused(name: str, value: object) -> None:
    reason = ""
    try:
        read(body(**{name: value}))
    except MessageFault as fault:
        reason = str(fault)
    assert len(reason) < 2_000


def test_the_reason_does_not_repeat_the_data() -> None:
    with pytest.raises(MessageFault) as caught:
        read(body(data={"project": "hunter2 is my password", "table": "x"}))
    assert "hunter2" not in str(caught.value)
    assert "data.project" in str(caught.value)


RUN = {
    "job_id": "5f5f5f5f-0000-4000-8000-000000000000",
    "project": "demo",
    "configuration": "c",
    "origin": "schedule",
    "requested_at": "2026-11-21T08:15:00Z",
    "scheduled_for": "2026-11-21T08:15:00Z",
}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"requested_by": "a\0b"}, "data.requested_by"),
        ({"of a newer writer": [{"deep": "\0"}]}, "data.of a newer writer.0.deep"),
        ({"\0": 1}, r"data.\(a key\)"),
        ({"version": 2**31}, "data.version"),
        ({"generation": 2**63}, "data.generation"),
        ({"requested_at": "0001-01-01T00:00:00+14:00"}, "data.requested_at"),
        ({"scheduled_for": "9999-12-31T23:59:59-12:00"}, "data.scheduled_for"),
    ],
    ids=["nul", "deep", "key", "version", "generation", "early", "late"],
)
def test_what_no_database_holds_is_a_fault_of_the_message(changes: dict[str, Any], field: str) -> None:
    """It was tried five times before it was given up."""
    said = body(type=RunRequested.type, data=RUN | changes)
    with pytest.raises(MessageFault, match=field):
        decode(said, routing_key="run.requested", redelivered=False, known={RunRequested.type: RunRequested})


@pytest.mark.parametrize("name", ["id", "source", "subject", "traceparent"])
def test_no_attribute_contains_a_nul(name: str) -> None:
    with pytest.raises(MessageFault, match=f"{name} contains the NUL character"):
        read(body(**{name: "a\0b"}))


def test_large_bodies_are_not_parsed() -> None:
    with pytest.raises(MessageFault, match=str(MAX_BYTES)):
        read(b" " * (MAX_BYTES + 1))
