"""Finds things of a project by a few letters, over all of them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from orchestrator_api.http.paging import MAX_NUMBER
from orchestrator_api.http.session import Session
from orchestrator_api.runs.filters import whole_id
from orchestrator_api.search.rows import Asked, FoundConfiguration, FoundJob, FoundRun, FoundTable
from orchestrator_api.search.store import SearchStore

_PARTS = re.compile(r"[\s#\-._/]+")
_DIGITS = "0123456789"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a text asks for."""

    asked: Asked
    run: tuple[Asked, int] | None = None
    """The words before a number, and the number."""
    job_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """By kind, the best first."""

    orchestrations: Sequence[FoundConfiguration] = field(default_factory=list)
    runs: Sequence[FoundRun] = field(default_factory=list)
    configurations: Sequence[FoundConfiguration] = field(default_factory=list)
    tables: Sequence[FoundTable] = field(default_factory=list)
    jobs: Sequence[FoundJob] = field(default_factory=list)


def wanted(text: str) -> Wanted:
    """`campaigns 42` and `campaigns #42` are runs; an id is a job; all else are words of a name."""
    text = text.strip()
    name = text.rstrip(_DIGITS)
    digits = text[len(name) :]
    number = int(digits) if 0 < len(digits) <= len(str(MAX_NUMBER)) else 0
    run = (_asked(name), number) if 1 <= number <= MAX_NUMBER else None
    return Wanted(_asked(text), run, whole_id(text))


def _asked(text: str) -> Asked:
    return Asked([word for word in _PARTS.split(text.lower()) if word])


async def search(session: Session, text: str, limit: int) -> Found:
    """What matches, so many of each kind."""
    found, store, project = wanted(text), SearchStore(session.connection), session.project
    asked, runs = found.asked, list[FoundRun]()
    if found.job_id is not None:
        job = await store.job(project=project, job_id=found.job_id)
        return Found(jobs=[job] if job else [])
    if not asked.words:
        return Found()
    if found.run is not None:
        before, number = found.run
        runs = await store.runs(project=project, asked=before, number=number, limit=limit)
    return Found(
        await store.configurations(project=project, asked=asked, of_orchestrations=True, limit=limit),
        runs,
        await store.configurations(project=project, asked=asked, of_orchestrations=False, limit=limit),
        await store.tables(project=project, asked=asked, limit=limit),
    )
