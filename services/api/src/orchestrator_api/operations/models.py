"""Dead letters, and callbacks of other services."""

from datetime import datetime

from pydantic import Field

from orchestrator_api.http.models import Output


class DeadLetterOut(Output):
    """A message that no one could handle."""

    id: str
    reason: str
    queue: str
    exchange: str
    routing_key: str
    first_seen: datetime | None
    replays: int
    message_id: str
    body: str = Field(description="At most its first 20,000 bytes; less of each in a list of many.")
    bytes: int = Field(
        description="Of the message as it came; of more than 256 KiB only the beginning is kept."
    )


class CallbackOut(Output):
    """The report was kept, now or before."""

    accepted: bool
