"""Configurations of components as people look through them: what runs them, and how their last job ended."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from orchestrator_api.catalog import usages
from orchestrator_api.catalog.rows import Configuration
from orchestrator_api.http.session import Session
from orchestrator_api.runs import jobs
from orchestrator_api.runs.rows import LastJob


@dataclass(frozen=True, slots=True)
class ListedConfiguration:
    """A configuration without its parameters."""

    component: str
    id: str
    name: str
    description: str
    version: int
    author: str
    updated_at: datetime
    used_in: int
    last_job: LastJob | None


async def overview(session: Session, rows: Sequence[Configuration]) -> list[ListedConfiguration]:
    """The rows with how many orchestrations run each, and its newest job."""
    keys = [(row.component, row.id) for row in rows]
    used = await usages.counts(session, keys)
    last = await jobs.last_jobs(session, keys)
    return [
        ListedConfiguration(
            row.component,
            row.id,
            row.name,
            row.description,
            row.version,
            row.author,
            row.updated_at,
            used.get((row.component, row.id), 0),
            last.get((row.component, row.id)),
        )
        for row in rows
    ]
