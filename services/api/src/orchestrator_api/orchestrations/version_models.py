"""Copies of orchestrations, as they are sent."""

from typing import Literal

from pydantic import Field

from orchestrator_api.catalog.version_models import CopyIn


class OrchestrationCopyIn(CopyIn):
    """The copy to create, and what it shall have of what belongs to the original."""

    include: list[Literal["schedules", "triggers", "notifications"]] = Field(
        default_factory=list, max_length=3, description="What to copy besides the phases; nothing by default."
    )
