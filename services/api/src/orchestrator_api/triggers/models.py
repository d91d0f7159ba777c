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
    tables_ready: int = Field(
        description="How many of `tables` have been updated since the last full run, and count."
    )


class DispositionOut(Output):
    """What happened to one table update for this trigger."""

    table: str
    seq: int
    disposition: str
    at: datetime
    job_id: UUID | None
    number: int | None = Field(description="Of the run that it was for, once that is accepted.")
    event_id: str | None
    source: str | None
    deliveries: int | None


class RhythmOut(Output):
    """What is usual for a table, from its newest updates (at least five, at most 60)."""

    interval_seconds: float = Field(description="The median time from one update to the next.")
    usual_time: str | None = Field(
        examples=["06:40"],
        description="When the first update of a day usually comes, in the time zone that was asked for; null "
        "if that is not stable.",
    )
    weekdays: list[int] = Field(description="On which it is usually updated; 0 is Monday.")
    words: str = Field(examples=["weekdays, first usually 06:40"])


class PunctualityOut(Output):
    """What is usual for a table, and how late it is."""

    rhythm: RhythmOut | None = Field(description="Null of a table with fewer than five recorded updates.")
    expected_at: datetime | None = Field(description="When the next update is, or was, expected.")
    late_seconds: float | None = Field(description="How long ago that was; 0 until it is late.")


class DroppedOut(Output):
    """What mode `ignore` would have done to the updates of one table."""

    table: str
    updates: int
    dropped: int
    longest_seconds: float = Field(
        description="For how long, at most, the data of a dropped update waited for one that counted."
    )


class StarvationOut(Output):
    """The recorded updates, replayed as mode `ignore` would have decided."""

    since: datetime = Field(description="At most seven days ago.")
    tables: list[DroppedOut]
    warning: str | None = Field(
        description="If most updates of a table would have been dropped, or its data would have been old for "
        "longer than the cool-down."
    )


class TriggerPreviewIn(Input):
    """A trigger that is not saved yet."""

    model_config = example(
        {"tables": ["in.c-sales.orders"], "cool_down_seconds": 900, "timezone": "Europe/Prague"}
    )

    tables: list[TableRef] = Field(min_length=1, max_length=MAX_TABLES, examples=[["in.c-crm.contacts"]])
    cool_down_seconds: int = Field(default=0, ge=0, le=MAX_COOL_DOWN_SECONDS)
    timezone: str = Field(
        default="UTC",
        max_length=100,
        description="Usual times of day are those of this time zone.",
        json_schema_extra={"format": "time-zone"},
    )


class PreviewedTable(PunctualityOut):
    """One table of the trigger."""

    table: str
    last_heard_at: datetime | None


class TriggerPreviewOut(Output):
    """How regular the tables are, and what the cool-down means for them."""

    tables: list[PreviewedTable]
    ignore: str = Field(description="What mode `ignore` means, in a sentence.")
    defer: str = Field(description="What mode `defer` means, in a sentence.")
    starvation: StarvationOut = Field(description="What mode `ignore` would have done.")


class TableReadiness(PunctualityOut):
    """The state of one table of the trigger."""

    table: str
    counted: int | None
    used: int | None
    updated_since_last_run: bool
    last_heard_at: datetime | None
    missing_since: datetime | None
    missing_because: str | None = Field(description="What happened then; only later updates count.")
    ready_since: datetime | None = Field(
        description="When the first update was heard that counts and that no run has used."
    )


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
    tables_ready: int = Field(description="How many of `tables` are not `missing`.")
    tables: list[TableReadiness]
    missing: list[str]
    cool_down_until: datetime | None
    pending_job_id: UUID | None
    last_fire: LastFire | None
    starvation: StarvationOut | None = Field(description="Only in mode `ignore` with a cool-down.")
    reasons: list[str] = Field(description="Sentences: what it did last, and what keeps it from running now.")
    summary: str = Field(description="All reasons in one text.")
