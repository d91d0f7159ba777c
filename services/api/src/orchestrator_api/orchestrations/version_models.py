"""Copies of orchestrations, as they are sent."""

from typing import Literal

from pydantic import Field

from orchestrator_api.catalog.version_models import CopyIn
from orchestrator_api.http.models import example


class OrchestrationCopyIn(CopyIn):
    """The copy to create, and what else of the original to copy."""

    model_config = example({"id": "campaigns-test", "name": "Campaigns (test)", "include": ["schedules"]})

    include: list[Literal["schedules", "triggers", "notifications"]] = Field(
        default_factory=list, max_length=3, description="What to copy besides the phases; nothing by default."
    )
