"""The trash, as it is shown."""

from datetime import datetime

from pydantic import Field

from orchestrator_api.http.models import Output


class TrashedOut(Output):
    """A configuration in the trash; orchestrations are those of the component orchestrator."""

    component: str
    id: str
    name: str
    description: str
    version: int
    deleted_at: datetime
    deleted_by: str | None
    schedules: int = Field(description="How many schedules come back with it.")
    triggers: int = Field(description="How many triggers come back with it.")


class RestoredOut(Output):
    """What came back from the trash."""

    component: str
    id: str
    name: str
    version: int
    schedules: list[str] = Field(description="Enabled schedules that came back; they fire from now on.")
    triggers: list[str] = Field(description="Enabled triggers that came back; they count from now on.")
    errors: list[str] = Field(description="Problems that keep a run from succeeding.")
    warnings: list[str]
