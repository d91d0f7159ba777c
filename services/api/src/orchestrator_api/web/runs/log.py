"""The part of a log that the page of a run shows, and the ways to the other parts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from starlette.datastructures import QueryParams

from orchestrator_api.http.paging import MAX_NUMBER
from orchestrator_api.http.session import Session
from orchestrator_api.runs import first_error, logs
from orchestrator_api.runs.first_error import FirstError
from orchestrator_api.runs.logs import Found, LinesPart
from orchestrator_api.runs.tasks import RunPhase, RunTask
from orchestrator_api.web.runs.words import status_of

LINES: Final = 200
LONGEST_SEARCH: Final = 200


@dataclass(frozen=True, slots=True)
class ShownLog:
    """Some lines of a task's log."""

    task: RunTask
    part: LinesPart
    marked: int | None
    """The line that the address names, or else that of the error."""
    error: int | None
    wanted: str
    """What is looked for; empty if nothing is."""
    found: Found | None

    @property
    def first(self) -> int:
        return self.part.lines[0].number if self.part.lines else 1

    @property
    def last(self) -> int:
        return self.part.lines[-1].number if self.part.lines else 0

    @property
    def earlier(self) -> int | None:
        """Where the part before this one begins."""
        return max(1, self.first - LINES) if self.first > 1 else None

    @property
    def later(self) -> int | None:
        """Where the part behind this one begins."""
        return self.last + 1 if self.last < self.part.total_lines else None


def chosen(phases: Sequence[RunPhase], wanted: str | None, failed: FirstError | None) -> RunTask | None:
    """The task that the address names; else the one that failed first, the one at work, or the last one."""
    begun = [task for phase in phases for task in phase.tasks if task.job is not None]
    named = [task for phase in phases for task in phase.tasks if task.id == wanted]
    if named:
        return named[0]
    culprits = [task for task in begun if failed and task.job and task.job.id == failed.failure.id]
    failing = [task for task in begun if status_of(task) == "error"]
    working = [task for task in begun if task.status == "started"]
    return next(iter([*culprits, *failing, *working, *begun[-1:]]), None)


def line_number(text: str | None) -> int | None:
    """The number of a line in an address; None for anything else."""
    if text is None or not (text.isascii() and text.isdigit() and len(text) <= 16):
        return None
    return int(text) if 1 <= int(text) <= MAX_NUMBER else None


async def shown_log(
    session: Session, task: RunTask | None, query: QueryParams, failed: FirstError | None
) -> ShownLog | None:
    """The lines around the one that is named, from one on, around the error, or the last ones."""
    if task is None or task.job is None:
        return None
    job = task.job.id
    if failed is None or failed.failure.id != job:
        failed = await first_error.first_error(session, job) if status_of(task) == "error" else None
    error = failed.line if failed is not None and failed.failure.id == job else None
    line, first = line_number(query.get("line")), line_number(query.get("from"))
    if first is not None or query.get("log") == "end":
        part = await logs.lines(session, job, first=first, count=LINES)
    elif (line or error) is not None:
        part = await logs.around(session, job, line=line or error or 1, count=LINES)
    else:
        part = await logs.lines(session, job, first=None, count=LINES)
    wanted = "".join(query.get("q", "").splitlines())[:LONGEST_SEARCH].strip()
    found = await logs.search(session, job, text=wanted) if wanted else None
    return ShownLog(task, part, line or error, error, wanted, found)
