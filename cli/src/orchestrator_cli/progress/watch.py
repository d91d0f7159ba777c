"""Following a job until it ends: a live tree on a terminal, plain lines anywhere else."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Protocol

from rich.console import Console
from rich.live import Live

from orchestrator_cli.client import ApiClient, Json
from orchestrator_cli.failures import Interrupted, Unreachable
from orchestrator_cli.output import can_redraw, clock_time
from orchestrator_cli.progress.tree import is_final, plain_lines, run_tree

POLL_SECONDS = 0.4
LIVE_PAUSE_SECONDS = 1.0
"""The longest pause between events, for the elapsed times of running tasks."""
PLAIN_PAUSE_SECONDS = 5.0
"""The same, for reasons to wait: they change without an event."""
OUTAGE_SECONDS = 60.0
RUN_COMPONENT = "orchestrator"

States = Iterator[tuple[Json, list[Json]]]


class Reader(Protocol):
    """Something that answers GET requests."""

    def get(self, path: str, **params: object) -> Json:
        """What is there."""


class Patient:
    """Retries when the server does not respond, to ride out a short outage."""

    def __init__(self, client: Reader) -> None:
        self._client = client

    def get(self, path: str, **params: object) -> Json:
        """The response, as soon as there is one."""
        lost_at: float | None = None
        while True:
            try:
                return self._client.get(path, **params)
            except Unreachable:
                lost_at = lost_at or time.monotonic()
                if time.monotonic() - lost_at > OUTAGE_SECONDS:
                    raise
            time.sleep(POLL_SECONDS)


def fetch_tasks(client: Reader, project_path: str, job: Json) -> list[Json]:
    """The phases of a run; empty for other jobs."""
    if job.get("component") != RUN_COMPONENT:
        return []
    phases = client.get(f"{project_path}/jobs/{job['id']}/tasks")["phases"]
    return list(phases)


def poll_pause() -> None:
    """The pause where nothing tells of changes."""
    time.sleep(POLL_SECONDS)


def snapshots(
    client: Reader, project_path: str, job_id: str, pause: Callable[[], None] = poll_pause
) -> States:
    """Yield the job and its phases repeatedly until it is finished, across short outages."""
    patient = Patient(client)
    while True:
        job = patient.get(f"{project_path}/jobs/{job_id}")
        yield job, fetch_tasks(patient, project_path, job)
        if is_final(job):
            return
        pause()


def follow(client: ApiClient, project_path: str, job_id: str, screen: Console) -> Json:
    """Show the job until it ends, looking again when an event tells of a change; returns its final state."""
    is_live = can_redraw(screen)
    with left_running(job_id), client.notices(f"{project_path}/jobs/{job_id}/events") as notices:
        longest = LIVE_PAUSE_SECONDS if is_live else PLAIN_PAUSE_SECONDS

        def pause() -> None:
            notices.wait(most=longest, otherwise=POLL_SECONDS)

        states = snapshots(client, project_path, job_id, pause)
        return _follow_live(states, screen) if is_live else _follow_plainly(states, screen)


@contextmanager
def left_running(job_id: str) -> Iterator[None]:
    """Ctrl-C ends the watching only, and says so."""
    try:
        yield
    except KeyboardInterrupt:
        raise Interrupted(
            f"stopped watching; {job_id} goes on",
            details=[
                f"watch it again: orchestrator jobs logs {job_id} --follow",
                f"stop it:        orchestrator jobs terminate {job_id}",
            ],
        ) from None


def _follow_plainly(states: States, screen: Console) -> Json:
    seen: dict[str, str] = {}
    job: Json = {}
    for job, phases in states:
        for line in plain_lines(seen, job, phases):
            print(f"{clock_time(datetime.now(UTC).isoformat())} {line}", file=screen.file, flush=True)
    return job


def _follow_live(states: States, screen: Console) -> Json:
    job: Json = {}
    with Live(console=screen, refresh_per_second=8, transient=False) as live:
        for job, phases in states:
            live.update(run_tree(job, phases))
    return job
