"""The base of every message: its type with version, exchange and routing key."""

from datetime import datetime
from typing import Annotated, ClassVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

TABLE_UPDATES = "orchestrator.table-updates"
COMMANDS = "orchestrator.commands"
EVENTS = "orchestrator.events"
DEAD_LETTERS = "orchestrator.dead-letters"


def _is_storable(value: datetime) -> datetime:
    if not 1970 <= value.year <= 9000:
        raise ValueError("an instant between the years 1970 and 9000 is expected")
    return value


# What PostgreSQL can store: anything else would fail in every service that writes it, on every try.
Instant = Annotated[AwareDatetime, AfterValidator(_is_storable)]
Whole = Annotated[int, Field(ge=-(2**63), lt=2**63)]


class Message(BaseModel):
    """A message of ours. Frozen; unknown fields are ignored, so that old readers understand newer writers."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    type: ClassVar[str]
    """The CloudEvents type; its last part is the version."""
    exchange: ClassVar[str]
    key: ClassVar[str]
    """The routing key, or the pattern of it that a queue binds where the key varies."""
    persistent: ClassVar[bool] = True
    """Durable messages go through the outbox; others are hints that a crash may lose."""

    def routing_key(self) -> str:
        """The key this message is published with."""
        return self.key

    def subject(self) -> str | None:
        """What the message is about, for people inspecting a queue."""
        return None
