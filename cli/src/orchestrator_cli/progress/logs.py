"""Printing a job's log, optionally until the job ends."""

import sys
from collections.abc import Iterator

from orchestrator_cli.client import ApiClient, Json
from orchestrator_cli.output import plain
from orchestrator_cli.progress.log_text import LogText
from orchestrator_cli.progress.watch import (
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
        out, error = self._texts.setdefault(job, (LogText(sys.stdout, prefix), LogText(sys.stderr, prefix)))
        while True:
            after = self._cursors.get(job)
            page = self._client.get(f"{self._path}/jobs/{job}/log", after=after, limit=PAGE)
            for chunk in page["chunks"]:
                (error if chunk.get("stream") == "stderr" else out).write(str(chunk["text"]))
            self._cursors[job] = page["next"]
            if page["finished"] or not page["chunks"]:
                return bool(page["finished"])

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
    for name, each in logs_below(client, project_path, job, fetch_tasks(client, project_path, job)):
        if name:
            print(f"--- {plain(name)}", flush=True)
        logs.show_new(each)
        logs.finish(each, line_end=bool(name))


def follow_log(client: ApiClient, project_path: str, job_id: str) -> None:
    """New text as it arrives; for a run, each line names its task."""
    logs = Logs(Patient(client), project_path)
    try:
        with left_running(job_id):
            _follow_log(client, project_path, job_id, logs)
    finally:
        logs.finish_all()


def _follow_log(client: ApiClient, project_path: str, job_id: str, logs: Logs) -> None:
    whole: set[str] = set()
    patient = Patient(client)
    # Read the job before its log: once the job is finished, its log is complete.
    for job, phases in snapshots(client, project_path, job_id):
        for name, each in logs_below(patient, project_path, job, phases):
            if each not in whole and logs.show_new(each, f"{name} | " if name else ""):
                logs.finish(each)
                whole.add(each)


def logs_below(
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
            yield from logs_below(client, project_path, nested, below, f"{name} / ")
        else:
            yield name, child
