"""What happened around a runner's death, and the text that reports it. Pure: times are passed in."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from rich.text import Text

from orchestrator_cli.client import Json
from orchestrator_cli.output import plain
from orchestrator_local.demo.outcomes import Check

EXPECTED_ROWS = "336,776"


@dataclass(frozen=True)
class Resumption:
    """A job of the dead runner that runs again: when this was seen, which attempt, and where."""

    at: datetime
    attempt: int
    runner: str


@dataclass
class Takeover:
    """The killed runner, its tasks, and what happened to them."""

    runner: str = ""
    pid: int = 0
    killed_at: datetime | None = None
    tasks: dict[str, str] = field(default_factory=dict)
    """Job id to task."""
    programs_gone_at: datetime | None = None
    successor_pid: int = 0
    successor_at: datetime | None = None
    resumed: dict[str, Resumption] = field(default_factory=dict)
    """By task."""
    ended_before: set[str] = field(default_factory=set)
    """Tasks that had just ended when the runner was killed."""
    status: str = ""
    ended_at: datetime | None = None
    rows: str = ""

    def observe(self, phases: list[Json], where: Mapping[str, str], now: datetime) -> None:
        """Record tasks of the dead runner that run again or ended, in a later attempt or before it died."""
        for task, job in jobs_of(phases):
            attempt = int(job.get("attempt") or 0)
            again = job["status"] in {"processing", "success"} and attempt > 1
            if job["id"] not in self.tasks:
                continue
            if job["status"] == "success" and attempt == 1:
                self.ended_before.add(task)
            elif again and task not in self.resumed:
                self.resumed[task] = Resumption(now, attempt, where.get(job["id"], "another runner"))


def jobs_of(phases: list[Json]) -> Iterator[tuple[str, Json]]:
    """Every task that has a job, with its job."""
    for phase in phases:
        for task in phase["tasks"]:
            if task.get("job"):
                yield str(task["id"]), task["job"]


def checks(takeover: Takeover) -> list[Check]:
    tasks = set(takeover.tasks.values()) - takeover.ended_before
    found = [
        Check("a runner was killed while it was working", takeover.killed_at is not None),
        Check("its programs ended with it", takeover.programs_gone_at is not None),
        Check("its jobs were taken over", bool(tasks) and takeover.resumed.keys() == tasks),
        Check(f"the run ended with success (actual: {takeover.status or 'not ended'})",
              takeover.status == "success"),
    ]  # fmt: skip
    if takeover.rows:
        found.append(Check(f"the table holds {EXPECTED_ROWS} flights, each once (actual: {takeover.rows})",
                           takeover.rows == EXPECTED_ROWS))  # fmt: skip
    return found


def timeline(takeover: Takeover, *, lease_seconds: float) -> list[Text]:
    """The story, one line per event."""
    if takeover.killed_at is None:
        return [Text("No runner was killed.", style="red")]
    start = takeover.killed_at
    names = ", ".join(takeover.tasks.values())
    lines = [_event(start, start, f"kill -9 of {takeover.runner} (pid {takeover.pid}) while it ran {names}")]
    if takeover.programs_gone_at:
        said = "the programs that it had started are gone too: its keeper ended them"
        lines.append(_event(start, takeover.programs_gone_at, said))
    if takeover.successor_at:
        said = f"{takeover.runner} is back as a new replica (pid {takeover.successor_pid}) and owns nothing"
        lines.append(_event(start, takeover.successor_at, said))
    for at, said in resumptions(takeover, lease_seconds):
        lines.append(_event(start, at, said))
    if takeover.ended_at:
        lines.append(_event(start, takeover.ended_at, f"the run ended with {takeover.status}"))
    if takeover.rows:
        lines.append(
            Text(f"   in.c-nyc.flights holds {takeover.rows} rows: none lost, none twice", style="dim")
        )
    return lines


def resumptions(takeover: Takeover, lease_seconds: float) -> list[tuple[datetime, str]]:
    """One line per time and runner, since several jobs are taken over at once."""
    groups: dict[tuple[datetime, int, str], list[str]] = {}
    for task, found in takeover.resumed.items():
        groups.setdefault((found.at, found.attempt, found.runner), []).append(task)
    over = f"its lease of {lease_seconds:g} s has run out"
    lines = []
    for (at, attempt, name), tasks in groups.items():
        runner = f"the new {name}" if name == takeover.runner else name
        lines.append((at, f"{over}: {runner} took over {', '.join(tasks)} (attempt {attempt})"))
    return lines


def _event(start: datetime, at: datetime, said: str) -> Text:
    offset = (at - start).total_seconds()
    return Text.assemble("   ", (f"{at:%H:%M:%S}", "bold"), f"  +{offset:4.1f} s  ", plain(said))
