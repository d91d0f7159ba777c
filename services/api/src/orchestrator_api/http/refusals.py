"""Errors specific to HTTP: authentication, permissions, rate limits, and several invalid fields at once."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from orchestrator_shared.domain.cron_syntax import CronError
from orchestrator_shared.domain.errors import UserError


@dataclass(frozen=True, slots=True)
class FieldError:
    """One invalid field: its dotted path, and how to correct it."""

    field: str
    detail: str
    position: int | None = None
    """For a cron expression: the position of the character, counted from 1."""

    @classmethod
    def of(cls, error: UserError, field: str) -> "FieldError":
        return cls(field, error.detail, error.position if isinstance(error, CronError) else None)


class Invalid(UserError):
    """One or more fields are invalid."""

    def __init__(self, errors: Sequence[FieldError]) -> None:
        super().__init__(errors[0].detail, field=errors[0].field)
        self.errors = tuple(errors)


class Unauthenticated(UserError):
    """There is no token, or it is not valid."""


class TooMany(UserError):
    """One sender has sent too many requests of this kind."""

    def __init__(self, detail: str, *, retry_after: float) -> None:
        super().__init__(f"{detail}: try again in {math.ceil(retry_after)} seconds")
        self.retry_after = math.ceil(retry_after)


class Forbidden(UserError):
    """The token is valid but does not permit this."""

    is_of_caller = False
    """Whether the caller had been identified; otherwise, who presents nothing valid is told that instead."""


@dataclass(frozen=True, slots=True)
class LastChange:
    """Who last changed something, when, and how: `changed`, `deleted` or the like."""

    by: str
    at: datetime
    how: str


class PreconditionRequired(UserError):
    """The request would change what there is, but does not say which state of it the caller has seen."""


class PreconditionFailed(UserError):
    """What the caller wants to change is no longer as they saw it."""

    def __init__(self, detail: str, *, field: str, etag: str | None, change: LastChange | None) -> None:
        super().__init__(detail, field=field)
        self.etag = etag
        self.change = change


def refuse(errors: Sequence[FieldError]) -> None:
    """Raise Invalid if there are errors."""
    if errors:
        raise Invalid(errors)
