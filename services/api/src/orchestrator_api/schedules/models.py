"""Schedules, their fires, previews and backfills."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, model_validator

from orchestrator_api.http.models import Editable, Input, Instant, Output, Slug, example, one_of
from orchestrator_api.schedules.examples import MORNING
from orchestrator_api.schedules.presets import Asked, PresetId
from orchestrator_shared.domain.clock_changes import Effect
from orchestrator_shared.domain.limits import MAX_CATCH_UP_SECONDS

Cron = Annotated[
    str,
    Field(
        max_length=100,
        examples=["30 5 * * 1-5"],
        description="Five fields: minute, hour, day of month, month, day of week.",
        json_schema_extra={"format": "cron"},
    ),
]
Timezone = Annotated[
    str,
    Field(
        max_length=100,
        examples=["Europe/Prague"],
        description="A name of the IANA time zone database.",
        json_schema_extra={"format": "time-zone"},
    ),
]


_TIMES = one_of({"cron": "string"}, {"every_seconds": "integer"})


class TimesIn(Input):
    """When to fire: a cron expression in a time zone, or an interval."""

    model_config = example({"cron": "30 5 * * 1-5", "timezone": "Europe/Prague"}, _TIMES)

    cron: Cron | None = None
    every_seconds: int | None = Field(default=None, ge=60, le=366 * 86400)
    timezone: Timezone = "UTC"

    @model_validator(mode="after")
    def _is_one_of(self) -> "TimesIn":
        if (self.cron is None) == (self.every_seconds is None):
            raise ValueError("give either cron or every_seconds")
        return self


class ScheduleIn(TimesIn):
    """A time schedule of an orchestration."""

    model_config = example(
        {"cron": "30 5 * * 1-5", "timezone": "Europe/Prague", "overlap": "skip"},
        _TIMES,
    )

    enabled: bool = True
    overlap: Literal["one_waiting", "queue", "skip"] = "one_waiting"
    misfire: Literal["fire_once", "skip", "fire_all"] = "fire_once"
    catch_up_seconds: int = Field(default=86400, ge=0, le=MAX_CATCH_UP_SECONDS)


class ScheduleOut(Editable):
    """A time schedule and its next fire."""

    model_config = example(MORNING)

    id: UUID
    orchestration: str
    name: str
    cron: str | None
    every_seconds: int | None
    timezone: str
    words: str | None = Field(
        default=None,
        description="Its times in plain English, without the time zone; null for an expression that is no "
        "longer accepted.",
    )
    enabled: bool
    overlap: str
    misfire: str
    catch_up_seconds: int
    version: int
    next_at: datetime | None = None
    warning: str | None = None
    hint: str | None = Field(
        default=None,
        description="Only in the answer to saving it: run the orchestration by hand first, if this is its "
        "first schedule and no run of it has finished yet.",
    )
    problem: str | None = Field(
        default=None, description="Why it cannot fire, such as a time zone that no longer exists."
    )


class FireOut(Output):
    """One recorded fire."""

    fire_key: str
    scheduled_for: datetime
    at: datetime
    outcome: str
    job_id: UUID | None
    version: int
    number: int | None = Field(description="Of its run, once that is accepted.")
    status: str | None = Field(
        description="Of its run; `merged` or `skipped` if the overlap policy let none start; null while no "
        "runner has accepted it, and for a fire that requested none."
    )
    other_number: int | None = Field(
        description="Of a merged or skipped fire: the run that it joined, or that had not ended."
    )


class PreviewFire(Output):
    """A future fire."""

    at: datetime = Field(description="In UTC.")
    local: str = Field(description="In the schedule's time zone.")
    moved: bool = Field(description="Daylight saving skips its local time, so it fires after the gap.")
    repeated: bool = Field(description="Whether it is in an hour that daylight saving repeats.")


class ClockChangeOut(Output):
    """A change of the clocks in the schedule's time zone, and what it does to the fires of that night."""

    at: datetime = Field(description="In UTC.")
    local: str = Field(description="What the clock shows right after the change.")
    shift_seconds: int = Field(description="How far the clock is turned; negative: back.")
    effect: Effect
    label: str = Field(examples=["moved"], description="The effect in a few words.")
    words: str = Field(
        examples=["02:30 does not exist that night; it fires once, right after the gap, at 03:00."],
        description="The effect in a sentence.",
    )
    fires: list[PreviewFire] = Field(description="The fires that differ, at most ten.")


class PreviewOut(Output):
    """The next five fires, and what the next two clock changes do to the schedule."""

    words: str = Field(
        examples=["Mondays to Fridays at 05:30"], description="The times in plain English, without the zone."
    )
    preset: PresetId | None = Field(description="The preset with which it can be written.")
    fires: list[PreviewFire]
    clock_changes: list[ClockChangeOut] = Field(description="Empty for a zone that keeps its clocks.")
    warning: str | None = None


class PresetOut(Output):
    """A usual schedule to choose."""

    model_config = example(
        {
            "id": "weekly",
            "name": "Weekly",
            "asks_for": ["weekday", "time"],
            "cron": "0 6 * * 1",
            "words": "Mondays at 06:00",
        }
    )

    id: PresetId
    name: str
    asks_for: list[Asked] = Field(description="What a person chooses in it.")
    cron: str
    words: str


class BackfillIn(Input):
    """A past period to catch up on; the schedule is named by its id, or by orchestration and name."""

    model_config = example(
        {
            "orchestration": "campaigns",
            "schedule": "morning",
            "from": "2026-11-01T00:00:00Z",
            "to": "2026-11-08T00:00:00Z",
            "dry_run": True,
        },
        one_of({"schedule_id": "string"}, {"orchestration": "string", "schedule": "string"}),
    )

    schedule_id: Annotated[UUID, Field(strict=False)] | None = None
    orchestration: Slug | None = None
    schedule: Slug | None = None
    start: Instant = Field(alias="from", description="Inclusive.")
    end: Instant = Field(alias="to", description="Exclusive; must not be in the future.")
    dry_run: bool = Field(default=False, description="Only list the runs, without requesting them.")
    notify: bool = Field(
        default=False, description="Send a mail to the person who starts it when each run ends."
    )
    confirm: bool = Field(default=False, description="Run it even if it is disabled.")

    @model_validator(mode="after")
    def _names_a_schedule(self) -> "BackfillIn":
        named = self.orchestration is not None and self.schedule is not None
        if (self.schedule_id is None) != named or (
            self.schedule_id and (self.orchestration or self.schedule)
        ):
            raise ValueError("give either schedule_id, or orchestration and schedule")
        return self


class BackfillFireOut(Output):
    """One fire and its run."""

    scheduled_for: datetime
    local: str = Field(description="In the schedule's time zone.")
    fire_key: str
    job_id: UUID
    is_new: bool = Field(
        description="Whether its run is requested by this backfill; false if it was requested earlier."
    )


class BackfillOut(Output):
    """The runs of a backfill, oldest first."""

    schedule_id: UUID
    orchestration: str
    schedule: str
    dry_run: bool
    requested: int = Field(description="How many runs were requested now.")
    fires: list[BackfillFireOut]
