"""The CloudEvents 1.0 envelope (JSON, structured mode) around every durable message."""

from datetime import UTC, datetime
from typing import Any, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from orchestrator_shared.contracts.message import Instant, Message
from orchestrator_shared.domain.errors import MessageFault
from orchestrator_shared.domain.ids import new_id
from orchestrator_shared.validation import explain

CONTENT_TYPE = "application/cloudevents+json"
MAX_BYTES = 256 * 1024

M = TypeVar("M", bound=Message)


class Envelope(BaseModel):
    """What every message carries besides its data. Unknown attributes are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    specversion: Literal["1.0"]
    id: str = Field(min_length=1, max_length=200)
    source: str = Field(min_length=1, max_length=200)
    type: str = Field(min_length=1, max_length=200)
    subject: str | None = Field(default=None, max_length=400)
    time: Instant | None = None
    traceparent: str | None = Field(default=None, max_length=100)
    datacontenttype: str | None = "application/json"
    data: dict[str, Any]

    @model_validator(mode="after")
    def _can_be_stored(self) -> Self:
        names = ("id", "source", "type", "subject", "traceparent", "data")
        if way := _to_nul({name: getattr(self, name) for name in names}):
            raise ValueError(f"{'.'.join(way)[:200]} contains the NUL character, which cannot be stored")
        return self

    def to_bytes(self) -> bytes:
        """The message body."""
        return self.model_dump_json(exclude_none=True).encode()


def _to_nul(value: Any) -> list[str] | None:
    """The path of a NUL character: PostgreSQL stores none, so every try of a handler would fail."""
    if isinstance(value, str):
        return [] if "\0" in value else None
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in pairs:
        if isinstance(key, str) and "\0" in key:
            return ["(a key)"]
        if (way := _to_nul(item)) is not None:
            return [str(key)[:200], *way]
    return None


def wrap(message: Message, *, source: str, traceparent: str | None = None) -> Envelope:
    """Wrap a message in a new envelope; `source` is the publishing service, such as `/runner`."""
    return Envelope(
        specversion="1.0",
        id=str(new_id()),
        source=source,
        type=message.type,
        subject=message.subject(),
        time=datetime.now(UTC),
        traceparent=traceparent,
        data=message.model_dump(mode="json", exclude_none=True),
    )


def parse_envelope(body: bytes) -> Envelope:
    """Read a message body; raises MessageFault with the reason, naming the attribute."""
    if len(body) > MAX_BYTES:
        raise MessageFault(f"the message has {len(body)} bytes; at most {MAX_BYTES} are read")
    try:
        return Envelope.model_validate_json(body)
    except ValidationError as error:
        raise MessageFault(f"not a CloudEvent: {explain(error)}") from error


def parse_message(model: type[M], envelope: Envelope) -> M:
    """Read the data of an envelope as the given message; raises MessageFault naming the field."""
    try:
        return model.model_validate(envelope.data)
    except ValidationError as error:
        raise MessageFault(f"{envelope.type}: {explain(error, prefix='data')}") from error
