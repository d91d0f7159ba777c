"""Printing a job's log, and going on with it until the job ends."""

import sys
from collections.abc import Iterator

from orchestrator_cli.client import ApiClient, Json
from orchestrator_cli.following.watch import RUN_COMPONENT, Patient, Reader, fetch_tasks, snapshots
from orchestrator_cli.output import plain

PAGE = 500


def print_log(client: ApiClient, project_path: str, job_id: str) -> None:
    """Everything there is now; of a run, its tasks' logs one after another."""
    job = client.get(f"{project_path}/jobs/{job_id}")
    for name, each in _with_children(client, project_path, job, fetch_tasks(client, project_path, job)):
        if name:
            print(f"--- {plain(name)}", flush=True)
        _print_new(client, project_path, each, None, "")


def follow_log(client: ApiClient, project_path: str, job_id: str) -> None:
    """New text as it comes; of a run, every line says which task it is from."""
    cursors: dict[str, str | None] = {}
    whole: set[str] = set()
    patient = Patient(client)
    # The job is looked at before its log: what a finished one has written is there then.
    for job, phases in snapshots(client, project_path, job_id):
        for name, each in _with_children(patient, project_path, job, phases):
            if each in whole:
                continue
            prefix = f"{name} | " if name else ""
            cursors[each], is_whole = _print_new(patient, project_path, each, cursors.get(each), prefix)
            if is_whole:
                whole.add(each)


def _with_children(
    client: Reader, project_path: str, job: Json, phases: list[Json], prefix: str = ""
) -> Iterator[tuple[str, str]]:
    """Name and id of every job with a log: of a run those of its tasks, of nested runs theirs."""
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


def _print_new(
    client: Reader, project_path: str, job: str, cursor: str | None, prefix: str
) -> tuple[str | None, bool]:
    """Where to read on, and whether that was all there will ever be."""
    while True:
        page = client.get(f"{project_path}/jobs/{job}/log", after=cursor, limit=PAGE)
        for chunk in page["chunks"]:
            _write(chunk, prefix)
        cursor = page["next"]
        if page["finished"] or not page["chunks"]:
            return cursor, bool(page["finished"])


def _write(chunk: Json, prefix: str) -> None:
    text = plain(str(chunk["text"]))
    if prefix:
        text = "".join(f"{prefix}{line}\n" for line in text.splitlines())
    stream = sys.stderr if chunk.get("stream") == "stderr" else sys.stdout
    stream.write(text if text.endswith("\n") or not prefix else f"{text}\n")
    stream.flush()
