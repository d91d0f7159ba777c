"""The base of every message: its type with version, exchange and routing key."""

from typing import ClassVar

from pydantic import BaseModel, ConfigDict

TABLE_UPDATES = "orchestrator.table-updates"
COMMANDS = "orchestrator.commands"
EVENTS = "orchestrator.events"
DEAD_LETTERS = "orchestrator.dead-letters"


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
