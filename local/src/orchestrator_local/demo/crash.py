"""`demo --crash`: kill a runner in the middle of a run and watch another one take over its jobs."""

import os
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime

from rich.console import Console
from rich.text import Text

from orchestrator_cli.client import ApiClient, Json
from orchestrator_cli.output import duration, moment
from orchestrator_local.demo.evidence import query_warehouse
from orchestrator_local.demo.outcomes import ObservedRun
from orchestrator_local.demo.play import prepare, switch_schedule
from orchestrator_local.demo.process_tree import ComponentProcess, component_processes
from orchestrator_local.demo.report import verdict
from orchestrator_local.demo.scenario import BY_HAND, Example
from orchestrator_local.demo.setting import Setting
from orchestrator_local.demo.stage import Stage
from orchestrator_local.demo.takeover import Takeover, checks, jobs_of, timeline
from orchestrator_local.stack.layout import Layout
from orchestrator_local.stack.plan import LEASE_SECONDS
from orchestrator_local.stack.record import ProcessEntry, read_record

RUNNING_SECONDS = 0.7


class Assassin:
    """Watches the runners until one is running a component, kills it, then records what follows."""

    def __init__(self, layout: Layout, stage: Stage, say: Console) -> None:
        self._layout = layout
        self._stage = stage
        self._say = say
        self._victims: list[ComponentProcess] = []
        self.takeover = Takeover()

    def observe(self) -> None:
        now = datetime.now(UTC)
        runners = self._runners()
        working = {name: component_processes(entry.pid) for name, entry in runners.items()}
        if self.takeover.killed_at is None:
            self._strike(runners, working, now)
            return
        if self.takeover.programs_gone_at is None and not any(v.identity.is_running for v in self._victims):
            self.takeover.programs_gone_at = now
        successor = runners.get(self.takeover.runner)
        if successor and successor.pid != self.takeover.pid and not self.takeover.successor_at:
            self.takeover.successor_pid, self.takeover.successor_at = successor.pid, now
        where = {each.job_id: name for name, processes in working.items() for each in processes}
        self.takeover.observe(self._stage.runs[BY_HAND].phases, where, now)

    def _strike(
        self, runners: dict[str, ProcessEntry], working: dict[str, list[ComponentProcess]], now: datetime
    ) -> None:
        """Kill the busiest runner once the API, too, shows its tasks as running: the report names them."""
        shown = dict(_processing(self._stage.runs[BY_HAND].phases, now))
        name = max(working, key=lambda each: sum(p.job_id in shown for p in working[each]), default="")
        victims = [each for each in working.get(name, []) if each.job_id in shown]
        if not victims or not runners[name].identity.is_running:
            return
        pid = runners[name].pid
        os.kill(pid, signal.SIGKILL)
        self._victims = victims
        self.takeover.runner, self.takeover.pid, self.takeover.killed_at = name, pid, now
        self.takeover.tasks = {victim.job_id: shown[victim.job_id] for victim in victims}
        self._say.print(Text(f"  ✂ kill -9 {pid}: {name} is dead in the middle of the run", style="bold red"))

    def _runners(self) -> dict[str, ProcessEntry]:
        record = read_record(self._layout.record)
        processes = record.processes if record else {}
        return {name: entry for name, entry in processes.items() if name.startswith("runner")}


def _processing(phases: list[Json], now: datetime) -> Iterator[tuple[str, str]]:
    """Job id and task name of everything that has been running for a moment."""
    for task, job in jobs_of(phases):
        started = moment(job.get("started_at"))
        if job["status"] == "processing" and started and (now - started).total_seconds() > RUNNING_SECONDS:
            yield str(job["id"]), task


def play_crash(setting: Setting, layout: Layout, example: Example, screen: Console) -> bool:
    """Returns whether the run succeeded through the takeover."""
    began = time.monotonic()
    with setting.client() as client:
        prepare(client, setting, example, screen)
        switch_schedule(client, setting.project_path, enabled=False)
        takeover = _run_and_kill(client, setting, layout, screen)
    if takeover.status == "success" and setting.warehouse_url:
        _, rows = query_warehouse(setting.warehouse_url, "loaded")
        takeover.rows = rows[0][0]
    found = checks(takeover)
    screen.print(Text.assemble(("What happened", "bold cyan"), f"  in {duration(time.monotonic() - began)}"))
    for line in (*timeline(takeover, lease_seconds=LEASE_SECONDS), Text(), *verdict(found)):
        screen.print(line)
    return all(check.holds for check in found)


def _run_and_kill(client: ApiClient, setting: Setting, layout: Layout, screen: Console) -> Takeover:
    stage = Stage(client, setting.project_path, {BY_HAND: ObservedRun()}, known=set())
    assassin = Assassin(layout, stage, screen)
    stage.start(BY_HAND)
    stage.play(screen, also=assassin.observe)
    assassin.observe()
    run = stage.runs[BY_HAND]
    screen.print(stage.view())
    takeover = assassin.takeover
    takeover.status = run.status
    takeover.ended_at = datetime.now(UTC) if run.is_finished else None
    return takeover
