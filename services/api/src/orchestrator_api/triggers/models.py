"""Triggers, and why they did or did not fire."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from orchestrator_api.http.models import Editable, Input, Output, example
from orchestrator_api.triggers.examples import SALES
from orchestrator_shared.domain.limits import MAX_COOL_DOWN_SECONDS, MAX_TABLES
from orchestrator_shared.domain.tables import MAX_LENGTH, REF_PATTERN

TableRef = Annotated[str, Field(json_schema_extra={"pattern": REF_PATTERN, "maxLength": MAX_LENGTH})]


class TriggerIn(Input):
    """An event trigger: fires when all its tables have been updated since the last run."""

    model_config = example(
        {"tables": ["in.c-sales.orders", "in.c-sales.returns"], "cool_down_seconds": 900, "mode": "defer"}
    )

    tables: list[TableRef] = Field(min_length=1, max_length=MAX_TABLES, examples=[["in.c-crm.contacts"]])
    cool_down_seconds: int = Field(default=0, ge=0, le=MAX_COOL_DOWN_SECONDS)
    mode: Literal["ignore", "defer"] = "ignore"
    enabled: bool = True
    allow_self_trigger: bool = Field(
        default=False,
        description="Allow tables that the orchestration itself writes, so that one run may start the next.",
    )


class TriggerOut(Editable):
    """An event trigger."""

    model_config = example(SALES)

    id: UUID
    orchestration: str
    name: str
    tables: list[str]
    cool_down_seconds: int
    mode: str
    enabled: bool
    allow_self_trigger: bool
    version: int


class DispositionOut(Output):
    """What happened to one table update for this trigger."""

    table: str
    seq: int
    disposition: str
    at: datetime
    job_id: UUID | None
    event_id: str | None
    source: str | None
    deliveries: int | None


class TableReadiness(Output):
    """The state of one table of the trigger."""

    table: str
    counted: int | None
    used: int | None
    updated_since_last_run: bool
    last_heard_at: datetime | None
    missing_since: datetime | None
    missing_because: str | None = Field(description="What happened then; only later updates count.")


class TableOfFire(Output):
    """A table whose update completed the set, or belonged to it."""

    table: str
    seq: int | None
    heard_at: datetime | None


class LastFire(Output):
    """The newest run that the trigger requested, and the updates that caused it."""

    generation: int
    at: datetime
    job_id: UUID
    tables: list[TableOfFire]
    started_at: datetime | None
    ended: str | None


class ExplanationOut(Output):
    """Why the trigger did, or did not, start its orchestration."""

    trigger_id: UUID
    orchestration: str
    name: str
    ready: bool
    tables: list[TableReadiness]
    missing: list[str]
    cool_down_until: datetime | None
    pending_job_id: UUID | None
    last_fire: LastFire | None
    reasons: list[str] = Field(description="Sentences: what it did last, and what keeps it from running now.")
    summary: str = Field(description="All reasons in one text.")
