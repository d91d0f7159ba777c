"""The documents that people write; once read, durations are seconds and defaults are filled in."""

import re
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from orchestrator_shared.definitions.bounded import Bounded
from orchestrator_shared.definitions.docker_component import DockerComponent
from orchestrator_shared.definitions.http_component import HttpComponent
from orchestrator_shared.definitions.job_request import NESTED_TIMEOUT, wrong_task_parameters
from orchestrator_shared.definitions.kubernetes_component import KubernetesComponent
from orchestrator_shared.definitions.labels import MAX_LABELS, Label, sorted_labels
from orchestrator_shared.definitions.orchestration import (
    MAX_ATTEMPTS,
    MAX_DELAY_SECONDS,
    TASK_ID,
    OrchestrationDefinition,
    Phase,
    RetryOn,
    ShortText,
    Slug,
    Task,
)
from orchestrator_shared.domain.cron import (
    MAX_EVERY_SECONDS,
    MIN_EVERY_SECONDS,
    Cron,
    CronError,
    Every,
    Schedule,
)
from orchestrator_shared.domain.durations import parse_duration
from orchestrator_shared.domain.errors import UserError
from orchestrator_shared.domain.ids import ORCHESTRATOR, SLUG
from orchestrator_shared.domain.limits import (
    MAX_PARAMETERS_DEPTH,
    MAX_TABLES,
    MAX_VARIABLE_CHARACTERS,
    is_deeper,
)
from orchestrator_shared.domain.mail_addresses import check_mail_address
from orchestrator_shared.domain.statuses import ComponentType, CoolDownMode, NotificationEvent, OverlapPolicy
from orchestrator_shared.domain.subscriptions import DEFAULT_MINUTES, DEFAULT_PERCENT, Subscription
from orchestrator_shared.domain.tables import BUCKET_PATTERN, TableRef
from orchestrator_shared.domain.zones import parse_zone

_SLUG = re.compile(SLUG)
_VARIABLE = re.compile(r"#?[a-z][a-z0-9_]{0,62}")


def _seconds(value: object) -> int | None:
    try:
        return None if value is None else parse_duration(value)
    except UserError as error:
        raise ValueError(error.detail) from error


def _check_address(address: str) -> None:
    if "://" in address:
        raise ValueError(f"{address[:100]!r}: there are no webhooks yet; write an email address")
    try:
        check_mail_address(address)
    except UserError as error:
        raise ValueError(error.detail) from error


def _is_shallow(value: dict[str, Any]) -> dict[str, Any]:
    if is_deeper(value, MAX_PARAMETERS_DEPTH):
        raise ValueError(f"nested deeper than {MAX_PARAMETERS_DEPTH} levels")
    return value


def _at_position(error: CronError) -> PydanticCustomError:
    return PydanticCustomError("cron", "{reason}", {"reason": error.detail, "position": error.position})


Seconds = Annotated[int, BeforeValidator(_seconds)]
Parameters = Annotated[dict[str, Any], AfterValidator(_is_shallow)]
VariableText = Annotated[str, Field(max_length=MAX_VARIABLE_CHARACTERS)]
Description = Annotated[str, Field(max_length=10_000)]
Labels = Annotated[
    list[Label],
    Field(max_length=MAX_LABELS, json_schema_extra={"uniqueItems": True}),
    AfterValidator(sorted_labels),
]
ParameterName = Annotated[str, Field(min_length=1, max_length=200)]


class _Written(Bounded):
    """Types are strict: the string "true" is not a boolean. Unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


def split_run(run: str) -> tuple[str, str]:
    """`component/configuration` in its two parts; raises ValueError."""
    component, slash, configuration = run.partition("/")
    if not slash or not _SLUG.fullmatch(component) or not _SLUG.fullmatch(configuration):
        raise ValueError("expected component/configuration, as in adform/campaigns")
    return component, configuration


class TaskDocument(_Written):
    """A task as written: `run: component/configuration` and what differs from the defaults."""

    run: str = Field(max_length=130)
    id: str | None = Field(default=None, pattern=TASK_ID)
    name: ShortText | None = None
    enabled: bool = True
    continue_on_failure: bool = False
    timeout_seconds: Seconds | None = Field(default=None, validation_alias="timeout", ge=1, le=31_622_400)
    attempts: int = Field(default=1, ge=1, le=MAX_ATTEMPTS)
    attempt_delay_seconds: Seconds = Field(
        default=0, validation_alias="attempt_delay", ge=0, le=MAX_DELAY_SECONDS
    )
    attempt_backoff: float = Field(default=1.0, ge=1, le=10)
    retry_on: RetryOn = "any"
    parameters: Parameters = Field(default_factory=dict)

    @field_validator("run")
    @classmethod
    def _is_run(cls, run: str) -> str:
        split_run(run)
        return run

    @model_validator(mode="after")
    def _can_run(self) -> Self:
        component, _ = split_run(self.run)
        if component == ORCHESTRATOR and self.timeout_seconds is not None:
            raise ValueError(f"timeout: {NESTED_TIMEOUT}")
        for key, reason in wrong_task_parameters(component, self.parameters):
            raise ValueError(f"parameters.{key}: {reason}")
        return self

    def task(self) -> Task:
        """The task as it is stored."""
        component, configuration = split_run(self.run)
        return Task(component=component, configuration=configuration, **self.model_dump(exclude={"run"}))


class PhaseDocument(_Written):
    """A phase as written."""

    name: ShortText
    tasks: list[TaskDocument] = Field(default_factory=list)


class ScheduleDocument(_Written):
    """When to run: `cron` or `every`, in a time zone."""

    cron: str | None = None
    every_seconds: Seconds | None = Field(
        default=None, validation_alias="every", ge=MIN_EVERY_SECONDS, le=MAX_EVERY_SECONDS
    )
    timezone: str = "UTC"
    enabled: bool = True
    overlap: Annotated[OverlapPolicy, Field(strict=False)] = OverlapPolicy.ONE_WAITING
    misfire: Literal["fire_once", "skip", "fire_all"] = "fire_once"
    catch_up_seconds: Seconds = Field(default=86_400, validation_alias="catch_up", ge=0)

    @field_validator("cron")
    @classmethod
    def _is_cron(cls, text: str | None) -> str | None:
        try:
            return None if text is None else Cron.parse(text).text
        except CronError as error:
            raise _at_position(error) from error

    @field_validator("timezone")
    @classmethod
    def _is_zone(cls, name: str) -> str:
        try:
            return parse_zone(name).key
        except UserError as error:
            raise ValueError(error.detail) from error

    @model_validator(mode="after")
    def _is_one_of_both(self) -> Self:
        if (self.cron is None) == (self.every_seconds is None):
            raise ValueError('write either cron: "30 5 * * 1-5" or every: 45m')
        if self.cron is not None:
            try:
                Cron.parse(self.cron).check_zone(parse_zone(self.timezone))
            except CronError as error:
                raise ValueError(f"cron: {error.detail}") from error
        return self

    def schedule(self) -> Schedule:
        """What fires."""
        return Cron.parse(self.cron) if self.cron is not None else Every(self.every_seconds or 0)


class TriggerDocument(_Written):
    """Run when all these tables were updated."""

    tables: list[str] = Field(min_length=1, max_length=MAX_TABLES)
    cool_down_seconds: Seconds = Field(default=0, validation_alias="cool_down", ge=0)
    mode: Annotated[CoolDownMode, Field(strict=False)] = CoolDownMode.IGNORE
    enabled: bool = True
    allow_self_trigger: bool = False

    @field_validator("tables")
    @classmethod
    def _are_tables(cls, tables: list[str]) -> list[str]:
        for text in tables:
            try:
                reference = TableRef.parse(text, own_project="own")
            except UserError as error:
                raise ValueError(error.detail) from error
            if not _SLUG.fullmatch(reference.project):
                raise ValueError(f"{text[:150]!r}: {reference.project[:70]!r} is not a valid project id")
        if len(set(tables)) < len(tables):
            raise ValueError("duplicate table")
        return tables


_DEFAULT_LIMITS = {
    NotificationEvent.PROCESSING_LONG.value: {"percent": DEFAULT_PERCENT},
    NotificationEvent.WAITING_LONG.value: {"minutes": DEFAULT_MINUTES},
}


class EventDocument(_Written):
    """An event as written: its name, or its name with its limit as in `waiting_long: {minutes: 45}`."""

    event: str
    percent: int | None = None
    minutes: int | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, data: Any) -> Any:
        event: Any = data
        limits: Any = {}
        if isinstance(data, dict) and len(data) == 1:
            ((event, limits),) = data.items()
        if not isinstance(event, str) or not isinstance(limits, dict) or "event" in limits:
            raise ValueError("expected an event, as in error, or processing_long: {percent: 30}")
        return {**_DEFAULT_LIMITS.get(event, {}), **limits, "event": event}

    @model_validator(mode="after")
    def _is_event(self) -> Self:
        try:
            self.subscription("")
        except UserError as error:
            raise ValueError(error.detail) from error
        return self

    def subscription(self, address: str) -> Subscription:
        """With the defaults written out."""
        return Subscription.checked(self.event, address, self.percent, self.minutes)


class OrchestrationDocument(_Written):
    """An orchestration with its schedules, triggers and notifications."""

    orchestration: Slug
    name: ShortText | None = None
    description: Description | None = None
    labels: Labels = Field(default_factory=list)
    enabled: bool = True
    phases: list[PhaseDocument] = Field(default_factory=list)
    schedules: dict[Slug, ScheduleDocument] = Field(default_factory=dict)
    triggers: dict[Slug, TriggerDocument] = Field(default_factory=dict)
    notify: dict[str, list[EventDocument]] = Field(default_factory=dict)

    @field_validator("notify")
    @classmethod
    def _are_addresses(cls, notify: dict[str, list[EventDocument]]) -> dict[str, list[EventDocument]]:
        for address, events in notify.items():
            _check_address(address)
            if len(set(events)) > len({event.event for event in events}):
                raise ValueError(f"{address[:100]!r}: duplicate event with different limits")
        order = list(NotificationEvent)
        return {
            address: sorted(set(events), key=lambda each: order.index(NotificationEvent(each.event)))
            for address, events in notify.items()
        }

    def subscriptions(self) -> list[Subscription]:
        """Who is notified of what, each once, in a fixed order."""
        found = {each.subscription(address) for address, events in self.notify.items() for each in events}
        return sorted(found, key=lambda each: (each.event, each.address))

    def definition(self) -> OrchestrationDefinition:
        """The part that is stored as the configuration's version; empty phases are dropped."""
        phases = tuple(
            Phase(name=phase.name, tasks=tuple(task.task() for task in phase.tasks)) for phase in self.phases
        )
        return OrchestrationDefinition(description=self.description, phases=phases)


class ConfigurationDocument(_Written):
    """A component's stored parameters."""

    configuration: str = Field(max_length=130)
    name: ShortText | None = None
    description: Description = ""
    parameters: Parameters = Field(default_factory=dict)

    @field_validator("configuration")
    @classmethod
    def _is_component_s(cls, run: str) -> str:
        if split_run(run)[0] == ORCHESTRATOR:
            raise ValueError("write orchestrations as `orchestration: name` documents")
        return run

    @property
    def component(self) -> str:
        return split_run(self.configuration)[0]

    @property
    def id(self) -> str:
        return split_run(self.configuration)[1]


class VariablesDocument(_Written):
    """Project variables for `{{ vars.name }}`; a name that begins with `#` is a secret one."""

    variables: dict[str, VariableText]

    @field_validator("variables", mode="before")
    @classmethod
    def _whole_numbers_are_texts(cls, variables: Any) -> Any:
        if not isinstance(variables, dict):
            return variables
        return {key: str(value) if type(value) is int else value for key, value in variables.items()}

    @field_validator("variables")
    @classmethod
    def _are_names(cls, variables: dict[str, str]) -> dict[str, str]:
        for name in variables:
            if not _VARIABLE.fullmatch(name):
                raise ValueError(f"{name[:70]!r}: name variables with lower-case letters, digits and `_`")
        return variables


class BucketDocument(_Written):
    """With which projects a bucket is shared; only the project's admins may change that."""

    bucket: str = Field(max_length=144, pattern=BUCKET_PATTERN)
    shared_with: list[Slug] = Field(max_length=1000)

    @field_validator("shared_with")
    @classmethod
    def _are_different(cls, projects: list[str]) -> list[str]:
        if len(set(projects)) < len(projects):
            raise ValueError("duplicate project")
        return projects


class ComponentDocument(_Written):
    """A custom component; only the instance's administrator can register it."""

    component: Slug
    name: ShortText
    description: str = Field(default="", max_length=10_000, exclude_if=lambda text: not text)
    type: Annotated[ComponentType, Field(strict=False)]
    executor: Literal["process", "http", "docker", "kubernetes"] = "process"
    command: list[str] = Field(default_factory=list, max_length=200)
    environment: dict[str, str | None] = Field(default_factory=dict)
    """Name to value; null passes on the runner's own value."""
    http: HttpComponent | None = Field(default=None, exclude_if=lambda section: section is None)
    """Which requests to send; of executor http only."""
    docker: DockerComponent | None = Field(default=None, exclude_if=lambda section: section is None)
    """Which image to run; of executor docker only."""
    kubernetes: KubernetesComponent | None = Field(default=None, exclude_if=lambda section: section is None)
    """What its Jobs look like; of executor kubernetes only."""
    after_crash: Literal["rerun", "fail"] = "fail"
    parameters: Parameters = Field(default_factory=dict)
    """JSON Schema of the configurations' parameters."""
    reads: list[ParameterName] = Field(
        default_factory=list, max_length=50, exclude_if=lambda names: not names
    )
    """Parameters that name the tables it reads: a table's name, or a list of them; dots lead into objects."""
    writes: list[ParameterName] = Field(
        default_factory=list, max_length=50, exclude_if=lambda names: not names
    )
    """Parameters that name the tables it writes."""

    @model_validator(mode="after")
    def _is_runnable(self) -> Self:
        if self.component == ORCHESTRATOR or self.type is ComponentType.ORCHESTRATOR:
            raise ValueError("the orchestrator is built in")
        if self.executor == "process" and not (self.command and self.command[0]):
            raise ValueError(
                'a process needs its command as a list, as in command: ["{python}", "program.py"]'
            )
        sections = (("http", self.http), ("docker", self.docker), ("kubernetes", self.kubernetes))
        for executor, section in sections:
            if (self.executor == executor) != (section is not None):
                raise ValueError(
                    f"executor: {executor} and the section {executor} belong together: write both or neither"
                )
        if self.kubernetes is not None and (self.command or self.environment):
            raise ValueError("command and environment of a Job belong into the section kubernetes")
        if self.docker is not None and (self.command or self.environment):
            raise ValueError("command and environment of a container belong into the section docker")
        return self


Definition = (
    OrchestrationDocument | ConfigurationDocument | VariablesDocument | BucketDocument | ComponentDocument
)

KINDS: dict[str, type[Definition]] = {
    "orchestration": OrchestrationDocument,
    "configuration": ConfigurationDocument,
    "variables": VariablesDocument,
    "bucket": BucketDocument,
    "component": ComponentDocument,
}
"""The key that names a document's kind."""


def identities(definition: Definition) -> list[str]:
    """What a document defines: two documents that define the same contradict each other."""
    if isinstance(definition, OrchestrationDocument):
        return [f"orchestration {definition.orchestration}"]
    if isinstance(definition, ConfigurationDocument):
        return [f"configuration {definition.configuration}"]
    if isinstance(definition, BucketDocument):
        return [f"bucket {definition.bucket}"]
    if isinstance(definition, ComponentDocument):
        return [f"component {definition.component}"]
    return [f"variable {name.removeprefix('#')}" for name in definition.variables]
