"""Definitions as documents."""

from typing import Any

from pydantic import Field

from orchestrator_api.http.models import Input, Output


class DefinitionsIn(Input):
    """Documents as they stand in YAML, sent as JSON."""

    documents: list[dict[str, Any]] = Field(max_length=10_000)
    prune: bool = Field(
        default=False, description="Delete what is in the project but in none of the documents."
    )


class ChangeOut(Output):
    """One thing and what happens to it."""

    kind: str
    id: str
    action: str = Field(description="create, update, unchanged or delete")
    fields: list[str] = Field(description="Paths that differ.")


class AppliedOut(Output):
    """What was changed, or would be."""

    changes: list[ChangeOut]
    errors: list[str] = Field(description="What keeps runs of the documents' orchestrations from succeeding.")
    warnings: list[str]


class DefinitionsOut(Output):
    """The project as documents; secrets are `***`, which keeps what is stored when it is applied."""

    documents: list[dict[str, Any]]
