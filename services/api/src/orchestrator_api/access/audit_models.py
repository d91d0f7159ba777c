"""The audit log."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from orchestrator_api.http.models import Output


class ChangeOut(Output):
    """One difference between before and after."""

    path: str = Field(description="Field names, separated by dots.", examples=["parameters.rows"])
    kind: Literal["added", "removed", "changed", "reordered"]
    before: Any = Field(default=None, description="Long values are cut off; secrets are `***`.")
    after: Any = None
    secret: bool = Field(default=False, description="A secret: `***` stands for any value.")


class AuditOut(Output):
    """A change, a run request, or a refusal. What earlier releases did not record is null or empty."""

    id: UUID
    at: datetime
    actor: str = Field(
        description="The e-mail address of a person, `token` and its name, or `job` and its id.",
        examples=["ada@example.com", "token loader"],
    )
    actor_kind: Literal["person", "token", "job", "system", "unknown"] | None = Field(
        description="`unknown` if the request was refused before it was clear who sent it."
    )
    actor_id: UUID | None = Field(description="The id of the person, token or job.")
    action: str = Field(examples=["configuration.changed"])
    subject_kind: str | None = Field(examples=["configuration"])
    subject: str = Field(
        description="The name or id of what was changed, as in `component/configuration`, "
        "`orchestrator/orchestration`, `orchestration/schedule`."
    )
    subject_id: str | None = Field(description="Its id, where the subject is a name that may change.")
    detail: dict[str, Any]
    changes: list[ChangeOut] = Field(description="What was changed; at most 100 differences.")
    omitted_changes: int = Field(description="How many more differences there were.")
    address: str | None = Field(description="Where the request came from.")
    request_id: str | None = Field(description="`X-Request-Id` of the request.")
