"""Watching several runs at once: start the first, find those that start by themselves, show all."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from orchestrator_cli.client import ApiClient, Json
from orchestrator_cli.output import clock_time
from orchestrator_cli.progress.tree import plain_lines, run_tree
from orchestrator_cli.progress.watch import fetch_tasks
from orchestrator_local.demo.evidence import runs_of
from orchestrator_local.demo.outcomes import ObservedRun
from orchestrator_local.demo.scenario import BY_EVENT, BY_HAND, BY_TIME, ON_PURPOSE, ORIGINS

POLL_SECONDS = 0.4
MOST_SECONDS = 180.0


class Stage:
    """The runs of one demo, until the last one ends."""

    def __init__(
        self, client: ApiClient, project_path: str, runs: dict[str, ObservedRun], *, known: set[str]
    ) -> None:
        """`known` are ids of earlier runs, which do not belong to this demo."""
        self._client = client
        self._path = project_path
        self._known = known
        self._seen: dict[str, str] = {}
        self.runs = runs

    def start(self, name: str) -> None:
        answer = self._client.post(f"{self._path}/orchestrations/{name}/runs")
        self._update_run(name, str(answer["job_id"]))

    def tick(self) -> None:
        """Update everything that is not finished."""
        for name, run in self.runs.items():
            if run.is_known and not run.is_finished:
                self._update_run(name, str(run.job["id"]))
            elif not run.is_known and name in (BY_EVENT, BY_TIME):
                self._find(name)
        # It reads the tables of the first run, so it starts later.
        purposely = self.runs.get(ON_PURPOSE)
        if self.runs[BY_HAND].is_finished and purposely and not purposely.is_known:
            self.start(ON_PURPOSE)

    def _find(self, name: str) -> None:
        """The run that started automatically since this demo began."""
        runs = runs_of(self._client, self._path, name)
        ours = [run for run in runs if run["origin"] == ORIGINS[name] and run["id"] not in self._known]
        if ours:
            self._update_run(name, str(min(ours, key=lambda run: str(run["requested_at"]))["id"]))

    def _update_run(self, name: str, job_id: str) -> None:
        job = self._client.get(f"{self._path}/jobs/{job_id}")
        self.runs[name] = ObservedRun(job, fetch_tasks(self._client, self._path, job))

    @property
    def is_over(self) -> bool:
        return all(run.is_finished for run in self.runs.values())

    def play(self, screen: Console, *, also: Callable[[], None] | None = None) -> None:
        """Watch until every run has ended or time is up; the report shows what is missing."""
        deadline = time.monotonic() + MOST_SECONDS
        if not screen.is_terminal:
            self._play_plain(deadline, also)
            return
        with Live(console=screen, refresh_per_second=8, transient=True) as live:
            while not self.is_over and time.monotonic() < deadline:
                self.tick()
                if also:
                    also()
                live.update(self.view())
                time.sleep(POLL_SECONDS)

    def _play_plain(self, deadline: float, also: Callable[[], None] | None) -> None:
        while not self.is_over and time.monotonic() < deadline:
            self.tick()
            for line in self.news():
                print(f"  {line}", flush=True)
            if also:
                also()
            time.sleep(POLL_SECONDS)

    def news(self) -> list[str]:
        now = clock_time(datetime.now(UTC).isoformat())
        lines = []
        for run in self.runs.values():
            if run.is_known:
                lines += [f"{now} {line}" for line in plain_lines(self._seen, run.job, _named(run))]
        return lines

    def view(self) -> Group:
        trees = [run_tree(run.job, run.phases) for run in self.runs.values() if run.is_known]
        return Group(*trees, *(Text(line, style="dim") for line in self.waiting_lines(datetime.now(UTC))))

    def waiting_lines(self, now: datetime) -> list[str]:
        """What has not started yet, and what it is waiting for."""
        lines = []
        if BY_EVENT in self.runs and not self.runs[BY_EVENT].is_known:
            lines.append(f"· {BY_EVENT} waits for its two tables")
        if BY_TIME in self.runs and not self.runs[BY_TIME].is_known:
            lines.append(f"· {BY_TIME} waits for the next full minute, in {60 - now.second} s")
        return lines


def _named(run: ObservedRun) -> list[Json]:
    """Phases prefixed with the orchestration's name, because several runs share one screen."""
    name = run.job["configuration"]
    return [{**phase, "name": f"{name} / {phase['name']}"} for phase in run.phases]
