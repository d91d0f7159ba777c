"""Printing a job's log, optionally until the job ends."""

import sys
from collections.abc import Iterable, Iterator

from orchestrator_cli.client import ApiClient, Json
from orchestrator_cli.event_stream import EventStream
from orchestrator_cli.output import plain
from orchestrator_cli.progress import watch
from orchestrator_cli.progress.log_tails import LogTails
from orchestrator_cli.progress.log_text import LogText
from orchestrator_cli.progress.watch import (
    PLAIN_PAUSE_SECONDS,
    RUN_COMPONENT,
    Patient,
    Reader,
    fetch_tasks,
    left_running,
    snapshots,
)

PAGE = 500


class Logs:
    """The logs of several jobs on standard output and error."""

    def __init__(self, client: Reader, project_path: str) -> None:
        self._client = client
        self._path = project_path
        self._cursors: dict[str, str | None] = {}
        self._texts: dict[str, tuple[LogText, LogText]] = {}

    def show_new(self, job: str, prefix: str = "") -> bool:
        """Print what is new since the last call; returns whether the log is complete."""
        self._texts.setdefault(job, (LogText(sys.stdout, prefix), LogText(sys.stderr, prefix)))
        while True:
            after = self._cursors.get(job)
            page = self._client.get(f"{self._path}/jobs/{job}/log", after=after, limit=PAGE)
            for chunk in page["chunks"]:
                self.write(job, chunk, page["next"])
            self._cursors[job] = page["next"]
            if page["finished"] or not page["chunks"]:
                return bool(page["finished"])

    def write(self, job: str, chunk: Json, place: str | None) -> None:
        """Print a piece that has arrived by itself."""
        out, error = self._texts[job]
        (error if chunk.get("stream") == "stderr" else out).write(str(chunk["text"]))
        self._cursors[job] = place

    def place(self, job: str) -> str | None:
        """After what was printed last."""
        return self._cursors.get(job)

    def finish(self, job: str, *, line_end: bool = False) -> None:
        """Stop showing this job."""
        for text in self._texts.pop(job, ()):
            text.finish(line_end=line_end)

    def finish_all(self) -> None:
        for job in list(self._texts):
            self.finish(job)


def print_log(client: ApiClient, project_path: str, job_id: str) -> None:
    """Everything available now; for a run, its tasks' logs one after another."""
    job = client.get(f"{project_path}/jobs/{job_id}")
    logs = Logs(client, project_path)
    for name, each in _with_children(client, project_path, job, fetch_tasks(client, project_path, job)):
        if name:
            print(f"--- {plain(name)}", flush=True)
        logs.show_new(each)
        logs.finish(each, line_end=bool(name))


def follow_log(client: ApiClient, project_path: str, job_id: str) -> None:
    """New text as it arrives; for a run, each line names its task."""
    logs = Logs(Patient(client), project_path)

    def connect(job: str, after: str | None) -> EventStream:
        return client.stream(f"{project_path}/jobs/{job}/log/stream", after)

    try:
        with left_running(job_id), LogTails(connect, logs.write) as tails:
            _follow_log(client, project_path, job_id, Followed(logs, tails))
    finally:
        logs.finish_all()


class Followed:
    """The logs that are shown: each arrives by itself, if the server can do that, and is polled otherwise."""

    def __init__(self, logs: Logs, tails: LogTails) -> None:
        self._logs = logs
        self._tails = tails
        self._whole: set[str] = set()
        self._is_polled = False
        self.tell = tails.tell

    def show(self, named: Iterable[tuple[str, str]]) -> bool:
        """Show the logs of these jobs (name and id) as far as they are; returns whether all are complete."""
        self._is_polled = False
        jobs = list(named)
        for name, job in jobs:
            if job in self._whole or self._tails.has(job):
                continue
            if self._logs.show_new(job, f"{name} | " if name else ""):
                self._logs.finish(job)
                self._whole.add(job)
            elif not self._tails.begin(job, self._logs.place(job)):
                self._is_polled = True
        return self._whole.issuperset(job for _, job in jobs)

    def wait(self, *, is_told: bool) -> None:
        """Print what arrives until it is time to look again."""
        self._tails.wait(PLAIN_PAUSE_SECONDS if is_told and not self._is_polled else watch.POLL_SECONDS)


def _follow_log(client: ApiClient, project_path: str, job_id: str, followed: Followed) -> None:
    patient = Patient(client)
    with client.notices(f"{project_path}/jobs/{job_id}/events", followed.tell) as notices:

        def pause() -> None:
            followed.wait(is_told=notices.is_open)

        named: list[tuple[str, str]] = []
        is_whole = False
        # Read the job before its log: once the job is finished, its log is complete.
        for job, phases in snapshots(client, project_path, job_id, pause):
            named = list(_with_children(patient, project_path, job, phases))
            is_whole = followed.show(named)
            if is_whole and job.get("component") != RUN_COMPONENT:
                return
        while not is_whole:
            pause()
            is_whole = followed.show(named)


def _with_children(
    client: Reader, project_path: str, job: Json, phases: list[Json], prefix: str = ""
) -> Iterator[tuple[str, str]]:
    """Name and id of every job with a log: for a run, its tasks, including those of nested runs."""
    if job.get("component") != RUN_COMPONENT:
        yield "", str(job["id"])
        return
    for task in (task for phase in phases for task in phase["tasks"] if task.get("job")):
        name, child = f"{prefix}{task['id']}", str(task["job"]["id"])
        if task["component"] == RUN_COMPONENT:
            nested = {"component": RUN_COMPONENT, "id": child}
            below = fetch_tasks(client, project_path, nested)
            yield from _with_children(client, project_path, nested, below, f"{name} / ")
        else:
            yield name, child
