"""Configurations as people look through them, and how many there are."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from orchestrator_api.http.models import Output, example
from orchestrator_api.runs.models import JobStatusName


class ComponentUseOut(Output):
    """A component that the project has configurations of."""

    id: str
    name: str
    type: str
    configurations: int


class ConfigurationCountsOut(Output):
    """How many configurations the project has, in all and of each component."""

    model_config = example(
        {
            "total": 3,
            "components": [
                {"id": "csv-extractor", "name": "CSV extractor", "type": "extractor", "configurations": 3}
            ],
        }
    )

    total: int
    components: list[ComponentUseOut]


class LastJobOut(Output):
    """The newest job of a configuration."""

    id: UUID
    status: JobStatusName
    accepted_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class ListedConfigurationOut(Output):
    """A configuration without its parameters, with how it is used."""

    component: str
    id: str
    name: str
    description: str
    version: int
    author: str
    updated_at: datetime
    used_in: int = Field(description="How many orchestrations run it.")
    last_job: LastJobOut | None
