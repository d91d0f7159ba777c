"""Tolerates any AMQP properties: they are whatever the producer wrote, and no broker checks them.

pamqp raises at a text that is not valid UTF-8 or a time in the year 146140482, and aiormq then gives up the
whole connection: one message of any producer would end a consumer again and again, and then whoever looks at
dead letters. aio-pika fails at a delivery mode that it does not know, and its caller never gets the message.
"""

import struct
from typing import Any

from pamqp import decode
from pamqp.commands import Basic
from pamqp.header import ContentHeader

_HEAD = struct.Struct(">HHQ")
MOST_BYTES = 16 * 1024
"""Ours have 3 KiB at most; reading a table of n entries costs n times n."""
_KEPT = ("content_type", "headers", "message_id")
"""The properties that our code reads."""


def accept_anything() -> None:
    """Make every frame readable in this process."""
    decode.METHODS["shortstr"] = _short_text
    decode.METHODS["timestamp"] = _no_time
    decode.TABLE_MAPPING[b"T"] = _no_time
    ContentHeader.unmarshal = _read_header  # type: ignore[method-assign, assignment]


def _short_text(value: bytes) -> tuple[int, str]:
    """Also routing keys: one that was not UTF-8 does not match its body and is refused with that reason."""
    end = 1 + value[0]
    return end, value[1:end].decode(errors="replace")


def _no_time(_value: bytes) -> tuple[int, None]:
    return 8, None


def _read_header(header: ContentHeader, data: bytes) -> None:
    header.class_id, header.weight, header.body_size = _HEAD.unpack(data[: _HEAD.size])
    header.properties = Basic.Properties(**_properties(data[_HEAD.size :]))


def _properties(data: bytes) -> dict[str, Any]:
    """The properties that our code reads; none if they cannot be decoded."""
    found = Basic.Properties()
    if len(data) > MOST_BYTES:
        return {}
    try:
        consumed, flags = ContentHeader._get_flags(data)
        found.unmarshal(flags, data[consumed:])
    except Exception:  # deeply nested tables, lengths beyond the end, unknown types
        return {}
    return {name: value for name in _KEPT if (value := getattr(found, name)) is not None}
