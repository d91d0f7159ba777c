"""The overview of a project's orchestrations: how many there are of what, and what needs attention."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from orchestrator_api.http.models import Output, example
from orchestrator_api.orchestrations.attention import Kind

_FEW = {"count": 2, "more": False}


class CountOut(Output):
    """How many, at most 1,000."""

    count: int
    more: bool = Field(description="There are more than these.")


class LabelOut(Output):
    """A label, and how many orchestrations have it."""

    label: str
    orchestrations: int


class CountsOut(Output):
    """How many orchestrations each filter of the list shows."""

    model_config = example(
        {
            "total": {"count": 10, "more": False},
            "failed": _FEW,
            "running": _FEW,
            "waiting": {"count": 1, "more": False},
            "never_run": {"count": 0, "more": False},
            "disabled": {"count": 1, "more": False},
            "by_time": {"count": 5, "more": False},
            "by_tables": {"count": 3, "more": False},
            "manual": {"count": 3, "more": False},
            "labels": [{"label": "marketing", "orchestrations": 3}],
        }
    )

    total: CountOut
    failed: CountOut = Field(description="`status=failed`: the last run ended with an error.")
    running: CountOut
    waiting: CountOut
    never_run: CountOut
    disabled: CountOut
    by_time: CountOut = Field(description="`starts=time`: with a schedule.")
    by_tables: CountOut = Field(description="`starts=tables`: with a trigger.")
    manual: CountOut = Field(description="`starts=manual`: with neither.")
    labels: list[LabelOut] = Field(
        description="The labels of the whole project, those of most orchestrations first; at most 100."
    )


class AttentionItem(Output):
    """Something to look at."""

    kind: Kind
    orchestration: str
    name: str = Field(description="The name of the orchestration.")
    since: datetime = Field(description="When it failed, began to run or wait, or should have fired.")
    summary: str = Field(examples=["Campaigns #42 failed in Campaign recipient"])
    job_id: UUID | None = Field(description="The run that failed, runs or waits.")
    number: int | None
    task: str | None = Field(description="The id of the task that failed first.")
    message: str | None = Field(description="What the failed task said, or else the run.")
    schedule: str | None
    trigger: str | None = Field(description="Of a table that is late: the trigger that waits for it.")
    table: str | None
    seconds: float | None = Field(description="For how long it has run or waited, or is late.")
    usual_seconds: float | None = Field(description="How long is usual.")


class AttentionOut(Output):
    """What needs attention, most urgent first; empty if all is well."""

    model_config = example(
        {
            "items": [
                {
                    "kind": "failed",
                    "orchestration": "campaigns",
                    "name": "Campaigns",
                    "since": "2026-11-30T04:36:53Z",
                    "summary": "Campaigns #42 failed in Campaign recipient",
                    "job_id": "0198f2a4-6c1e-7d3a-9f52-3b7d1c0e8a41",
                    "number": 42,
                    "task": "sql-transformation/campaign-recipient",
                    "message": "column r.opted_in does not exist",
                    "schedule": None,
                    "trigger": None,
                    "table": None,
                    "seconds": None,
                    "usual_seconds": None,
                }
            ],
            "more": 3,
        }
    )

    items: list[AttentionItem]
    more: int = Field(description="How many there are besides; of each kind at most 1,000 are looked at.")
