"""Dead letters, and callbacks of other services."""

from datetime import datetime

from pydantic import Field

from orchestrator_api.http.models import Output


class DeadLetterOut(Output):
    """A message that could not be processed."""

    id: str
    reason: str
    queue: str
    exchange: str
    routing_key: str
    first_seen: datetime | None
    replays: int
    message_id: str
    body: str = Field(description="At most the first 20,000 bytes; fewer if many letters are listed.")
    bytes: int = Field(
        description="The size of the original message; of one over 256 KiB, only the beginning is kept."
    )


class CallbackOut(Output):
    """The report is stored, by this request or an earlier one."""

    accepted: bool
