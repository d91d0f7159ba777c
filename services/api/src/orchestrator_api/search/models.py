"""What a search answers."""

from uuid import UUID

from orchestrator_api.http.models import Output, example

FOUND = {
    "orchestrations": [{"id": "campaigns", "name": "Campaigns"}],
    "runs": [
        {
            "id": "0198f2a4-51d0-7c9b-8a27-64e0d2f1b3c5",
            "orchestration": "campaigns",
            "number": 42,
            "status": "error",
        }
    ],
    "configurations": [{"component": "csv-writer", "id": "campaigns-42", "name": "Campaigns of 42 days"}],
    "tables": [{"project": "demo", "name": "in.c-adform.campaigns"}],
    "jobs": [],
}


class FoundOrchestrationOut(Output):
    """An orchestration."""

    id: str
    name: str


class FoundRunOut(Output):
    """A run with the number that was asked for."""

    id: UUID
    orchestration: str
    number: int
    status: str


class FoundConfigurationOut(Output):
    """A configuration of a component."""

    component: str
    id: str
    name: str


class FoundTableOut(Output):
    """A known table; of another project if its bucket is shared."""

    project: str
    name: str


class FoundJobOut(Output):
    """The job with the id that was asked for."""

    id: UUID
    component: str
    configuration: str
    number: int
    status: str


class SearchOut(Output):
    """What was found, by kind; in each the best first."""

    model_config = example(FOUND)

    orchestrations: list[FoundOrchestrationOut]
    runs: list[FoundRunOut]
    configurations: list[FoundConfigurationOut]
    tables: list[FoundTableOut]
    jobs: list[FoundJobOut]
