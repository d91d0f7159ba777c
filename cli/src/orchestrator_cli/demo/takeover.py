"""What happened around a runner's death, and how it is told. Pure but for the clock that it is handed."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from rich.text import Text

from orchestrator_cli.client import Json
from orchestrator_cli.demo.outcomes import Check
from orchestrator_cli.output import plain

EXPECTED_ROWS = "336,776"


@dataclass
class Takeover:
    """The killed runner, its jobs, and what became of them."""

    runner: str = ""
    pid: int = 0
    killed_at: datetime | None = None
    jobs: frozenset[str] = frozenset()
    programs_gone_at: datetime | None = None
    successor_pid: int = 0
    successor_at: datetime | None = None
    taken_over: dict[str, tuple[datetime, int]] = field(default_factory=dict)
    """Task to the moment at which its next attempt was seen, and that attempt's number."""
    status: str = ""
    ended_at: datetime | None = None
    rows: str = ""

    def observe(self, phases: list[Json], now: datetime) -> None:
        """Note tasks of the dead runner that run again or have ended after another attempt."""
        for task, job in _jobs(phases):
            attempt = int(job.get("attempt") or 0)
            again = job["status"] in {"processing", "success"} and attempt > 1
            if job["id"] in self.jobs and again and task not in self.taken_over:
                self.taken_over[task] = (now, attempt)


def _jobs(phases: list[Json]) -> Iterator[tuple[str, Json]]:
    for phase in phases:
        for task in phase["tasks"]:
            if task.get("job"):
                yield str(task["id"]), task["job"]


def checks(takeover: Takeover) -> list[Check]:
    found = [
        Check("a runner was killed while it worked", takeover.killed_at is not None),
        Check("its programs ended with it", takeover.programs_gone_at is not None),
        Check("its jobs were taken over", bool(takeover.taken_over)),
        Check(f"the run ended with success (it ended with {takeover.status or 'nothing'})",
              takeover.status == "success"),
    ]  # fmt: skip
    if takeover.rows:
        found.append(Check(f"{EXPECTED_ROWS} flights are in the table, each once (there are {takeover.rows})",
                           takeover.rows == EXPECTED_ROWS))  # fmt: skip
    return found


def timeline(takeover: Takeover, *, lease_seconds: float) -> list[Text]:
    """The story, a line per event."""
    if takeover.killed_at is None:
        return [Text("No runner was killed.", style="red")]
    start = takeover.killed_at
    lines = [
        _event(
            start,
            start,
            f"kill -9 of {takeover.runner} (pid {takeover.pid}) while it ran {len(takeover.jobs)} task(s)",
        )
    ]
    if takeover.programs_gone_at:
        lines.append(
            _event(start, takeover.programs_gone_at, "its keeper had ended the programs that it had started")
        )
    if takeover.successor_at:
        said = f"{takeover.runner} was started again as a new replica (pid {takeover.successor_pid})"
        lines.append(_event(start, takeover.successor_at, said))
    for task, (at, attempt) in takeover.taken_over.items():
        said = f"{task}: the lease of {lease_seconds:g} s had run out; attempt {attempt} runs"
        lines.append(_event(start, at, said))
    if takeover.ended_at:
        lines.append(_event(start, takeover.ended_at, f"the run ended with {takeover.status}"))
    if takeover.rows:
        lines.append(
            Text(f"   in.c-nyc.flights holds {takeover.rows} rows: none lost, none twice", style="dim")
        )
    return lines


def _event(start: datetime, at: datetime, said: str) -> Text:
    offset = (at - start).total_seconds()
    return Text.assemble("   ", (f"{at:%H:%M:%S}", "bold"), f"  +{offset:4.1f} s  ", plain(said))
