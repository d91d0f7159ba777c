"""Definitions as documents."""

from typing import Any, Literal

from pydantic import Field

from orchestrator_api.definitions.planning import PRUNED, Kind
from orchestrator_api.http.models import Input, Output, example

PrunedKind = Literal["configuration", "orchestration", "variable", "bucket"]


DOCUMENTS = [
    {
        "configuration": "csv-extractor/orders",
        "parameters": {"path": "orders.csv", "table": "in.c-sales.orders"},
    },
    {
        "orchestration": "campaigns",
        "phases": [{"name": "Load", "tasks": [{"run": "csv-extractor/orders"}]}],
        "schedules": {"morning": {"cron": "30 5 * * 1-5", "timezone": "Europe/Prague"}},
    },
]


class DefinitionsIn(Input):
    """The YAML documents, sent as JSON."""

    model_config = example({"documents": DOCUMENTS})

    documents: list[dict[str, Any]] = Field(max_length=10_000)
    prune: bool = Field(
        default=False,
        description="Delete what exists in the project but is in none of the documents: configurations, "
        "orchestrations, and variables that are not secret.",
    )
    prune_kinds: list[PrunedKind] = Field(
        default=[],
        max_length=10,
        description="The same for these kinds. `bucket` ends the shares of buckets without a document.",
    )

    @property
    def pruned(self) -> frozenset[Kind]:
        """The kinds whose items are deleted where no document has them."""
        return (PRUNED if self.prune else frozenset()) | {Kind(kind) for kind in self.prune_kinds}


class ApplyIn(DefinitionsIn):
    """The documents, and the plan of them that you have looked at."""

    model_config = example({"documents": DOCUMENTS, "plan_id": "Zm9vYmFyYmF6cXV4"})

    plan_id: str | None = Field(
        default=None,
        max_length=100,
        description="The `plan_id` of a plan of the same documents: refused if anything that it is about has "
        "changed since. `*` overwrites whatever is there. Required to change or delete what exists.",
    )


class ChangeOut(Output):
    """One item and what happens to it."""

    kind: str
    id: str
    action: str = Field(description="create, update, unchanged or delete")
    fields: list[str] = Field(description="The paths that differ; never their values.")


class AppliedOut(Output):
    """What was changed, or would be changed."""

    plan_id: str = Field(
        description="Identifies these changes and the states that they start from; send it with the apply."
    )
    changes: list[ChangeOut]
    errors: list[str] = Field(
        description="Problems that keep the orchestrations in the documents from running."
    )
    warnings: list[str]


class DefinitionsOut(Output):
    """The project as documents. Secrets are shown as `***`, which keeps the stored secret when applied."""

    documents: list[dict[str, Any]]
