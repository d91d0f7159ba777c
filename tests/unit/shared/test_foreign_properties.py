"""AMQP frames as any producer may have them sent to a consumer (issue 8: "consumer stays alive")."""

import struct
from typing import Any

import pytest
from pamqp import frame
from pamqp.commands import Basic
from pamqp.header import ContentHeader

from orchestrator_shared.messaging import connection  # noqa: F401  # to import it is enough

FLAGS = {"content_type": 15, "headers": 13, "delivery_mode": 12, "timestamp": 6, "message_id": 7}


def framed(kind: int, payload: bytes) -> bytes:
    return struct.pack(">BHI", kind, 1, len(payload)) + payload + b"\xce"


def header(**parts: bytes) -> Any:
    """A content header whose properties are these bytes, in the order of AMQP."""
    flags = sum(1 << FLAGS[name] for name in parts)
    payload = struct.pack(">HHQH", Basic.frame_id, 0, 5, flags) + b"".join(parts.values())
    _, _, read = frame.unmarshal(framed(2, payload))
    assert isinstance(read, ContentHeader)
    assert read.body_size == 5
    return read.properties


def table(content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + content


def nested(levels: int) -> bytes:
    content = b""
    for _ in range(levels):
        content = b"\x01aF" + table(content)
    return table(content)


@pytest.mark.parametrize(
    "headers",
    [
        table(b"\x01a?"),
        table(b"\x01\xffI\0\0\0\1"),
        table(b"\x01aA\x7f\xff\xff\xff"),
        table(b"\x01aF\x7f\xff\xff\xff"),
        b"\xff\xff\xff\xff",
        nested(10_000),
        table(b"\0V" * 60_000),  # pamqp copies what is left for each of them
    ],
)
def test_headers_that_cannot_be_read_are_no_headers(headers: bytes) -> None:
    found = header(headers=headers, message_id=b"\x01m")
    assert found.headers is None


def test_a_time_far_away_is_dropped() -> None:
    when = struct.pack(">Q", 2**62)
    found = header(headers=table(b"\x01aT" + when), message_id=b"\x01m", timestamp=when)
    assert (found.headers, found.message_id, found.timestamp) == ({"a": None}, "m", None)


def test_an_unknown_delivery_mode_is_dropped() -> None:
    found = header(content_type=b"\x01c", delivery_mode=b"\x07")
    assert (found.content_type, found.delivery_mode) == ("c", None)


def test_texts_that_are_no_utf8_can_be_read() -> None:
    assert header(content_type=b"\x02\xff\xfe").content_type == "\ufffd\ufffd"
    key = b"table.updated.demo.\xff"
    arguments = b"\x03tag" + struct.pack(">Q", 1) + b"\0" + b"\x01x" + bytes([len(key)]) + key
    payload = struct.pack(">HH", 60, 60) + arguments
    _, _, deliver = frame.unmarshal(framed(1, payload))
    assert isinstance(deliver, Basic.Deliver)
    assert deliver.routing_key == "table.updated.demo.\ufffd"
