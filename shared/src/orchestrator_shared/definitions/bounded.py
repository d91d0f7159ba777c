"""Models whose validation does bounded work, whatever they are given."""

from dataclasses import dataclass
from typing import Any, Self

from pydantic import (
    BaseModel,
    ModelWrapValidatorHandler,
    ValidationError,
    ValidationInfo,
    model_validator,
)
from pydantic_core import PydanticCustomError, PydanticOmit

MAX_ERRORS = 50
MAX_KEYS = 1_000
"""No model has this many fields, and each unknown key would be an error of its own."""


@dataclass(slots=True)
class ErrorBudget:
    """How many more errors to look for; passed as the context of one validation."""

    left: int = MAX_ERRORS


class Bounded(BaseModel):
    """With an `ErrorBudget`, whatever comes after its last error is not looked at.

    Without one, a list of a hundred thousand empty objects is as many errors, each with its path.
    """

    @model_validator(mode="wrap")
    @classmethod
    def _within_budget(
        cls, value: Any, handler: ModelWrapValidatorHandler[Self], info: ValidationInfo
    ) -> Self:
        budget = info.context
        if not isinstance(budget, ErrorBudget):
            return handler(value)
        if budget.left <= 0:
            raise PydanticOmit  # leave the element out: an error of its own would cost again
        if isinstance(value, dict) and len(value) > MAX_KEYS:
            budget.left -= 1
            raise PydanticCustomError("too_many_keys", f"has more than {MAX_KEYS} fields")
        try:
            return handler(value)
        except ValidationError as error:
            if budget.left > 0:
                budget.left -= error.error_count()
            raise
