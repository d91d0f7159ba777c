"""What to create when a configuration is automated."""

from pydantic import Field

from orchestrator_api.http.models import Input, Name, Slug, example
from orchestrator_api.schedules.models import ScheduleIn


class AutomationIn(Input):
    """The orchestration to create, which has the configuration as its only task."""

    model_config = example(
        {
            "id": "orders-nightly",
            "name": "Orders, every night",
            "schedule": {"cron": "30 5 * * *", "timezone": "Europe/Prague"},
        }
    )

    id: Slug | None = Field(
        default=None, description="By default the configuration's id, with a number if it is in use."
    )
    name: Name | None = Field(
        default=None,
        description="By default the configuration's name, with a number if another orchestration has it.",
    )
    schedule: ScheduleIn | None = Field(
        default=None, description="When to run it; it becomes the schedule `main`."
    )
