"""Table updates, tables heard of, and shares."""

from datetime import datetime

from pydantic import Field

from orchestrator_api.http.models import Input, Output


class ShareOut(Output):
    """A project that may select the bucket's tables in its triggers."""

    shared_with: str
    created_at: datetime


class TableOut(Output):
    """A table that updates were heard of."""

    project: str
    name: str
    updates: int = Field(description="How many updates were heard.")
    last_heard_at: datetime | None


class TableUpdateIn(Input):
    """A table has new data."""

    table: str = Field(max_length=200, examples=["in.c-sales.orders"])
    id: str | None = Field(
        default=None,
        min_length=1,
        max_length=200,
        description="The same id twice for one table is one update.",
    )
    rows: int | None = Field(default=None, ge=0, le=2**63 - 1)


class TableUpdatesIn(Input):
    """One update, or a batch of them under `updates`."""

    table: str | None = Field(default=None, max_length=200, examples=["in.c-sales.orders"])
    id: str | None = Field(default=None, min_length=1, max_length=200)
    rows: int | None = Field(default=None, ge=0, le=2**63 - 1)
    updates: list[TableUpdateIn] | None = Field(default=None, min_length=1, max_length=1000)


class TableUpdatesOut(Output):
    """The updates were accepted and will be published."""

    accepted: int
    ids: list[str]
