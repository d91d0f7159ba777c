"""Table updates, known tables, and shares."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from orchestrator_api.http.models import Input, Output, example
from orchestrator_api.triggers.models import RhythmOut
from orchestrator_shared.domain.tables import MAX_LENGTH, TABLE_PATTERN


class ShareOut(Output):
    """A project that may select the bucket's tables in its triggers."""

    shared_with: str
    created_at: datetime
    triggers: int = Field(
        description="How many enabled triggers it has on its tables; ending the share disables them."
    )


class TableOut(Output):
    """A table for which updates were received."""

    project: str
    name: str
    updates: int = Field(description="How many updates were received.")
    last_heard_at: datetime | None
    rhythm: RhythmOut | None = Field(
        default=None, description="Only if asked for; null of a table with fewer than five recorded updates."
    )
    expected_at: datetime | None = Field(
        default=None, description="With the rhythm: when the next update is, or was, expected."
    )
    late_seconds: float | None = Field(
        default=None, description="With the rhythm: how long ago that was; 0 until it is late."
    )


class BucketOut(Output):
    """A bucket of the project, or one that another project shares with it."""

    project: str = Field(description="The project that owns the bucket.")
    bucket: str
    tables: int = Field(description="How many of its tables had updates.")
    last_heard_at: datetime | None
    shared_at: datetime | None = Field(description="Since when it is shared with this project.")
    shared_with: list[str] = Field(description="The projects that this project shares it with.")


class ListenerOut(Output):
    """A trigger on the table."""

    orchestration: str
    trigger: str
    trigger_id: UUID
    enabled: bool = Field(description="Whether the trigger and its orchestration are enabled.")


class ListenersElsewhereOut(Output):
    """How many triggers of another project are on the table."""

    project: str
    triggers: int


class ListenersOut(Output):
    """What listens to a table."""

    items: list[ListenerOut] = Field(description="The project's own triggers.")
    other_projects: list[ListenersElsewhereOut] = Field(
        description="Projects with triggers on a table of this project, which shares its bucket with them."
    )


TableText = Annotated[
    str,
    Field(
        examples=["in.c-sales.orders"], json_schema_extra={"pattern": TABLE_PATTERN, "maxLength": MAX_LENGTH}
    ),
]


class TableUpdateIn(Input):
    """A table has new data."""

    table: TableText
    id: str | None = Field(
        default=None,
        min_length=1,
        max_length=200,
        description="Identifies the update: sent twice for one table, it counts once.",
    )
    rows: int | None = Field(default=None, ge=0, lt=2**63)


_ONE_UPDATE: dict[str, Any] = {
    "properties": {"table": {"type": "string"}, "updates": {"type": "null"}},
    "required": ["table"],
}
_SEVERAL_UPDATES: dict[str, Any] = {
    "properties": {
        "table": {"type": "null"},
        "id": {"type": "null"},
        "rows": {"type": "null"},
        "updates": {"type": "array"},
    },
    "required": ["updates"],
}


class TableUpdatesIn(Input):
    """One update, or a batch of them under `updates`."""

    model_config = example(
        {"updates": [{"table": "in.c-sales.orders", "id": "export-2026-11-30", "rows": 1250}]},
        {"oneOf": [_ONE_UPDATE, _SEVERAL_UPDATES]},
    )

    table: TableText | None = None
    id: str | None = Field(default=None, min_length=1, max_length=200)
    rows: int | None = Field(default=None, ge=0, lt=2**63)
    updates: list[TableUpdateIn] | None = Field(default=None, min_length=1, max_length=1000)


class TableUpdatesOut(Output):
    """The updates were accepted and will be published."""

    accepted: int
    ids: list[str]
