"""Base models shared by all bodies: strict inputs, pages with a cursor, problems."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Generic, TypeVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from orchestrator_shared.definitions.bounded import Bounded
from orchestrator_shared.definitions.orchestration import TASK_ID
from orchestrator_shared.domain.ids import SLUG
from orchestrator_shared.domain.limits import MAX_PARAMETERS_DEPTH, is_deeper

T = TypeVar("T")

MAX_INT = 2_147_483_647
Slug = Annotated[
    str, Field(pattern=SLUG, description="Lower-case letters, digits, dots, dashes, underscores.")
]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Description = Annotated[str, Field(max_length=10_000)]
Note = Annotated[
    str, Field(max_length=1_000, description="Why this was changed; shown in the list of versions.")
]
TaskId = Annotated[
    str, Field(max_length=130, pattern=TASK_ID, description="A name of your own, or component/configuration.")
]


def _is_shallow(value: dict[str, Any]) -> dict[str, Any]:
    if is_deeper(value, MAX_PARAMETERS_DEPTH):
        raise ValueError(f"nested deeper than {MAX_PARAMETERS_DEPTH} levels")
    return value


JsonObject = Annotated[dict[str, Any], AfterValidator(_is_shallow)]


_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[Tt ]|$)")


def _is_no_number(value: object) -> object:
    """Reject numbers, even quoted ones: pydantic would read them as seconds since 1970."""
    if isinstance(value, int | float) or (isinstance(value, str) and not _DATE.match(value)):
        raise ValueError("must be a timestamp with a time zone, such as 2026-11-21T08:15:00Z, not a number")
    return value


def _is_storable(value: datetime) -> datetime:
    if not 1970 <= value.year <= 9000:
        raise ValueError("must be between the years 1970 and 9000")
    return value.astimezone(UTC)


Instant = Annotated[
    AwareDatetime,
    Field(strict=False, description="A timestamp with a time zone, between the years 1970 and 9000."),
    BeforeValidator(_is_no_number),
    AfterValidator(_is_storable),
]


def one_of(*choices: Mapping[str, str | Sequence[str]]) -> dict[str, Any]:
    """For the API description: exactly one of these groups of fields must be given, with these types."""
    names = [name for choice in choices for name in choice]
    return {
        "oneOf": [
            {
                "properties": {name: {"type": choice.get(name, "null")} for name in names},
                "required": list(choice),
            }
            for choice in choices
        ]
    }


def example(shown: dict[str, Any], also: Mapping[str, Any] | None = None) -> ConfigDict:
    """For the API description: a realistic value of the model, and what else its schema says.

    A subclass inherits neither if it has an example of its own.
    """
    return ConfigDict(json_schema_extra={**(also or {}), "examples": [shown]})


class Input(Bounded):
    """A request body. Unknown fields are rejected by name, and types are not converted: 0 is not false."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Switch(Input):
    """Whether something is to be enabled; everything else stays as it is."""

    model_config = example({"enabled": True})

    enabled: bool


class Output(BaseModel):
    """A response body."""

    model_config = ConfigDict(from_attributes=True)


class Editable(Output):
    """Something that people change: its tag says which state they have seen."""

    etag: str = Field(
        examples=['"Zm9vYmFyYmF6cXV4"'],
        description="Identifies this state; send it as `If-Match` when you change or delete it.",
    )


class Page(Output, Generic[T]):
    """One page of a list."""

    items: list[T]
    next: str | None = Field(default=None, description="Cursor of the next page; null on the last page.")


class ProblemField(BaseModel):
    """One invalid field."""

    field: str
    detail: str
    position: int | None = Field(
        default=None,
        description="In a cron expression, the position of the invalid character, counted from 1.",
    )


class LastChangeOut(BaseModel):
    """Whose change a stale condition would have overwritten."""

    by: str = Field(description="The person's e-mail address, or the token's name.")
    at: datetime
    how: str = Field(description="`created`, `changed`, `deleted` or the like.")


class SavedSinceOut(BaseModel):
    """A configuration that someone saved after the plan was fetched."""

    component: str
    configuration: str
    version: int
    author: str
    saved_at: datetime
    note: str


class Problem(BaseModel):
    """Why a request was rejected (RFC 9457)."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    errors: list[ProblemField] = []
    request_id: str | None = Field(
        default=None,
        description="Finds this request in the api's log and in the audit log; the header `X-Request-Id`.",
    )
    change: LastChangeOut | None = Field(
        default=None, description="Only with 412: the change that the request did not know of, if recorded."
    )
    saved: list[SavedSinceOut] | None = Field(
        default=None, description="Only with 409 of a retry: what was saved since its plan was fetched."
    )
