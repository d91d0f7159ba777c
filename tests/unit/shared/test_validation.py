"""What pydantic finds wrong is told in plain words, and never with the rejected value."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, field_validator

from orchestrator_shared.definitions.orchestration import TASK_ID
from orchestrator_shared.domain.ids import PROJECT, SLUG
from orchestrator_shared.validation import YAML, describe, explain, path_of


class Inner(BaseModel):
    number: int = 0


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid")

    flag: bool = False
    number: Annotated[int, Field(ge=1, le=5)] = 1
    wait_seconds: Annotated[float, Field(le=60)] = 1
    share: float = 0
    name: Annotated[str, Field(pattern=SLUG, max_length=70)] = "a"
    project: Annotated[str, Field(pattern=PROJECT)] = "a"
    task: Annotated[str, Field(pattern=TASK_ID)] = "a"
    variable: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")] = "a"
    address: Annotated[str, Field(pattern=r"^\S+@\S+$")] = "a@b"
    url: Annotated[str, Field(pattern=r"^https?://\S+$")] = "https://x"
    colour: Annotated[str, Field(pattern=r"^#\d+$")] = "#1"
    items: Annotated[list[int], Field(min_length=1)] = [1]
    inner: Inner = Inner()
    fields: dict[str, Any] = {}
    at: AwareDatetime | None = None
    id: UUID | None = None
    kind: Literal["x", "y"] = "x"

    @field_validator("share")
    @classmethod
    def _is_fair(cls, value: float) -> float:
        if value > 1:
            raise ValueError("more than everything")
        return value


ENDS = "begin and end with a letter or digit"
CASES = [
    ("flag", "hidden", "must be true or false"),
    ("number", "hidden", "must be a whole number"),
    ("number", 1.5, "must be a whole number"),
    ("number", 0, "must be at least 1"),
    ("number", 6, "must be at most 5"),
    ("wait_seconds", 61, "must be at most 1m (60 seconds)"),
    ("share", "hidden", "must be a number"),
    ("share", 2, "more than everything"),
    ("name", 7, "must be a string"),
    (
        "name",
        "A hidden",
        f"use lower-case letters, digits, `.`, `_` and `-`; {ENDS}",
    ),
    ("name", "a" * 71, "must have at most 70 characters"),
    (
        "project",
        "a.hidden",
        f"use lower-case letters, digits, `_` and `-`; {ENDS}",
    ),
    (
        "task",
        "A",
        f"use lower-case letters, digits, `.`, `_`, `-` and `/`; {ENDS}",
    ),
    ("variable", "1", "use lower-case letters, digits and `_`; begin with a letter"),
    ("address", "hidden", "must be an address, as in data-team@example.com"),
    ("url", "hidden", "must be a URL, as in https://host/path"),
    ("colour", "hidden", r"must match ^#\d+$"),
    ("items", "hidden", "must be a list"),
    ("items", [], "must have at least 1 entry"),
    ("inner", "hidden", "must be an object"),
    ("fields", "hidden", "must be an object"),
    ("at", "hidden", "must be an instant with its time zone, as in 2026-11-21T08:15:00Z"),
    ("at", datetime(2026, 1, 1), "lacks the time zone: write it as in 2026-11-21T08:15:00Z"),  # noqa: DTZ001
    ("id", "hidden", "must be a UUID, as in 019a3c5e-0000-7000-8000-000000000000"),
    ("kind", "hidden", "must be 'x' or 'y'"),
    ("other", "hidden", "unknown field"),
]


def refused(values: dict[str, Any]) -> ValidationError:
    with pytest.raises(ValidationError) as caught:
        Model.model_validate(values)
    return caught.value


@pytest.mark.parametrize(("field", "value", "expected"), CASES)
def test_each_kind_of_mistake(field: str, value: Any, expected: str) -> None:
    text = explain(refused({field: value}))
    assert text == f"{field}: {expected}"
    assert "hidden" not in text


def test_definitions_have_words_of_their_own() -> None:
    items = refused({"inner": 1, "name": 7, "other": 1}).errors()
    assert [(path_of(item), describe(item, YAML)) for item in items] == [
        ("name", "expected a string"),
        ("inner", "expected keys with values"),
        ("other", "unknown key"),
    ]


def test_one_line_has_the_first_few_with_their_paths() -> None:
    error = refused({"inner": {"number": "x"}, "items": ["x", "y"], "flag": "x"})
    assert explain(error, prefix="data", most=3) == (
        "data.flag: must be true or false; data.items.0: must be a whole number; "
        "data.items.1: must be a whole number"
    )
    assert path_of({"loc": ()}) == "body"
