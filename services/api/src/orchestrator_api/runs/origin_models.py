"""What made a run start, and whose rights its jobs have, as it is shown."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from orchestrator_api.http.models import Output


class UpdateUsedOut(Output):
    """A table update that a trigger requested the run for."""

    table: str = Field(
        description="Tables of other projects begin with the project, as in `finance/in.c-rates`."
    )
    seq: int = Field(description="Its number among the updates of the table.")
    event_id: str | None = Field(description="As it was published; null once it is no longer kept.")
    source: str | None
    heard_at: datetime | None


class RanAsOut(Output):
    """Whose rights a job has."""

    kind: Literal["orchestration", "token", "person"]
    name: str = Field(
        description="The orchestration whose token it is, the name of the token, or the person's address."
    )
