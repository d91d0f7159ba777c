"""Schedules, triggers and subscriptions."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BeforeValidator, ConfigDict, Field, model_validator

from orchestrator_api.models.base import Input, Instant, Output, Slug, one_of
from orchestrator_shared.domain.errors import UserError
from orchestrator_shared.domain.limits import MAX_CATCH_UP_SECONDS, MAX_COOL_DOWN_SECONDS, MAX_TABLES
from orchestrator_shared.domain.mail_addresses import LENGTHS, MAX_CHARACTERS, PATTERN, check_mail_address
from orchestrator_shared.domain.statuses import NotificationEvent
from orchestrator_shared.domain.subscriptions import (
    DEFAULT_MINUTES,
    DEFAULT_PERCENT,
    MAX_MINUTES,
    MAX_PERCENT,
    NOT_MADE_YET,
    Subscription,
)
from orchestrator_shared.domain.tables import MAX_LENGTH, REF_PATTERN


def _known(event: Any) -> Any:
    if isinstance(event, str) and event in NOT_MADE_YET:
        raise ValueError(NOT_MADE_YET[NotificationEvent(event)])
    return event


Event = Annotated[
    Literal[
        "error",
        "warning",
        "success",
        "processing_long",
        "waiting_long",
        "schedule_missed",
        "recovered",
    ],
    BeforeValidator(_known),
]
Cron = Annotated[
    str,
    Field(
        max_length=100,
        examples=["30 5 * * 1-5"],
        description="Five fields.",
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
TableRef = Annotated[str, Field(json_schema_extra={"pattern": REF_PATTERN, "maxLength": MAX_LENGTH})]


def _only_of(event: str, limit: str) -> dict[str, Any]:
    """For the description: the limit is given with this event only."""
    of_event = {"properties": {"event": {"const": event}}}
    return {"anyOf": [of_event, {"properties": {limit: {"type": "null"}}}]}


class TimesIn(Input):
    """When to fire: a cron expression in a time zone, or an interval."""

    model_config = ConfigDict(json_schema_extra=one_of({"cron": "string"}, {"every_seconds": "integer"}))

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

    enabled: bool = True
    overlap: Literal["one_waiting", "queue", "skip"] = "one_waiting"
    misfire: Literal["fire_once", "skip", "fire_all"] = "fire_once"
    catch_up_seconds: int = Field(default=86400, ge=0, le=MAX_CATCH_UP_SECONDS)


class ScheduleOut(Output):
    """A time schedule and its next fire."""

    id: UUID
    orchestration: str
    name: str
    cron: str | None
    every_seconds: int | None
    timezone: str
    enabled: bool
    overlap: str
    misfire: str
    catch_up_seconds: int
    version: int
    next_at: datetime | None = None
    warning: str | None = None
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


class PreviewFire(Output):
    """A fire to come."""

    at: datetime = Field(description="In UTC.")
    local: str = Field(description="In the schedule's time zone.")
    moved: bool = Field(description="The time falls into a gap of daylight saving and fires after it.")
    repeated: bool = Field(description="In an hour that daylight saving repeats.")


class PreviewOut(Output):
    """The next five fires."""

    fires: list[PreviewFire]
    warning: str | None = None


class BackfillIn(Input):
    """A period of the past to make up for, of a schedule named by its id, or by orchestration and name."""

    model_config = ConfigDict(
        json_schema_extra=one_of({"schedule_id": "string"}, {"orchestration": "string", "schedule": "string"})
    )

    schedule_id: Annotated[UUID, Field(strict=False)] | None = None
    orchestration: Slug | None = None
    schedule: Slug | None = None
    start: Instant = Field(alias="from", description="Included.")
    end: Instant = Field(alias="to", description="Not included; not in the future.")
    dry_run: bool = Field(default=False, description="Only tell which runs it would be.")
    notify: bool = Field(
        default=False, description="Tell the person who starts it about the end of each run."
    )
    confirm: bool = Field(default=False, description="Run it although it is disabled.")

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
    is_new: bool = Field(description="Asked for now (in a dry run: not asked for yet); false: earlier.")


class BackfillOut(Output):
    """The runs of a backfill, oldest first."""

    schedule_id: UUID
    orchestration: str
    schedule: str
    dry_run: bool
    requested: int = Field(description="How many runs were asked for now.")
    fires: list[BackfillFireOut]


class TriggerIn(Input):
    """An event trigger: fires when all tables were updated since the last run."""

    tables: list[TableRef] = Field(min_length=1, max_length=MAX_TABLES, examples=[["in.c-crm.contacts"]])
    cool_down_seconds: int = Field(default=0, ge=0, le=MAX_COOL_DOWN_SECONDS)
    mode: Literal["ignore", "defer"] = "ignore"
    enabled: bool = True
    allow_self_trigger: bool = Field(
        default=False,
        description="It may wait for tables that its own orchestration writes, so that runs start runs.",
    )


class TriggerOut(Output):
    """An event trigger."""

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
    """What became of one table update for this trigger."""

    table: str
    seq: int
    disposition: str
    at: datetime
    job_id: UUID | None
    event_id: str | None
    source: str | None
    deliveries: int | None


class TableReadiness(Output):
    """How one table of the trigger stands."""

    table: str
    counted: int | None
    used: int | None
    updated_since_last_run: bool
    last_heard_at: datetime | None
    missing_since: datetime | None
    missing_because: str | None = Field(description="What happened then: only a later update counts.")


class TableOfFire(Output):
    """A table whose update completed the set, or belonged to it."""

    table: str
    seq: int | None
    heard_at: datetime | None


class LastFire(Output):
    """The newest run that the trigger asked for, and the updates that made it."""

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
    reasons: list[str] = Field(description="Sentences: what it did last, what keeps it from running.")
    summary: str = Field(description="The reasons in one line.")


class SubscriptionIn(Input):
    """Who hears of what."""

    model_config = ConfigDict(
        json_schema_extra={
            "allOf": [_only_of("processing_long", "percent"), _only_of("waiting_long", "minutes")]
        }
    )

    event: Event
    address: str = Field(
        max_length=MAX_CHARACTERS,
        pattern=PATTERN,
        examples=["data-team@example.com"],
        json_schema_extra={"format": "email", "allOf": [{"pattern": LENGTHS}]},
    )
    percent: int | None = Field(
        default=None,
        ge=1,
        le=MAX_PERCENT,
        description="Of processing_long: how much longer than the mean of the last 20 successful full runs; "
        f"{DEFAULT_PERCENT} unless given.",
    )
    minutes: int | None = Field(
        default=None,
        ge=1,
        le=MAX_MINUTES,
        description=f"Of waiting_long: how long a wait is too long; {DEFAULT_MINUTES} unless given.",
    )

    @model_validator(mode="after")
    def _fits_its_event(self) -> "SubscriptionIn":
        try:
            check_mail_address(self.address)
            self.subscription()
        except UserError as error:
            raise ValueError(error.detail) from error
        return self

    def subscription(self) -> Subscription:
        """With the defaults written out."""
        return Subscription.checked(self.event, self.address, self.percent, self.minutes)


class SubscriptionsIn(Input):
    """All subscriptions of an orchestration; those not listed end."""

    subscriptions: list[SubscriptionIn] = Field(max_length=1000)

    @model_validator(mode="after")
    def _says_each_once(self) -> "SubscriptionsIn":
        wanted = {each.subscription() for each in self.subscriptions}
        if len(wanted) > len({(each.event, each.address) for each in wanted}):
            raise ValueError("an address is there twice for one event, with different limits: give one")
        return self


class SubscriptionOut(Output):
    """Who hears of what."""

    event: str
    channel: str
    address: str
    percent: int | None = Field(description="Of processing_long: how much longer than usual.")
    minutes: int | None = Field(description="Of waiting_long: how long a wait is too long.")


class SubscriptionsOut(Output):
    """All subscriptions of an orchestration."""

    subscriptions: list[SubscriptionOut]
