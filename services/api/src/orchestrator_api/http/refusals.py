"""Errors that only HTTP has: authentication, permissions, and several wrong fields at once."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator_shared.domain.cron_syntax import CronError
from orchestrator_shared.domain.errors import UserError


@dataclass(frozen=True, slots=True)
class FieldError:
    """One wrong field: its dotted path, and how to correct it."""

    field: str
    detail: str
    position: int | None = None
    """For a cron expression: the position of the character, counted from 1."""

    @classmethod
    def of(cls, error: UserError, field: str) -> "FieldError":
        return cls(field, error.detail, error.position if isinstance(error, CronError) else None)


class Invalid(UserError):
    """Several fields are wrong."""

    def __init__(self, errors: Sequence[FieldError]) -> None:
        super().__init__(errors[0].detail, field=errors[0].field)
        self.errors = tuple(errors)


class Unauthenticated(UserError):
    """No token, or one that is not valid."""


class TooMany(UserError):
    """One sender sent too many of these."""

    def __init__(self, detail: str, *, retry_after: float) -> None:
        super().__init__(f"{detail}: try again in {math.ceil(retry_after)} seconds")
        self.retry_after = math.ceil(retry_after)


class Forbidden(UserError):
    """The token is valid, but does not allow this."""


def refuse(errors: Sequence[FieldError]) -> None:
    """Raise Invalid if there are errors."""
    if errors:
        raise Invalid(errors)
