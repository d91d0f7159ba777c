"""Printing a job's log, and going on with it until the job ends."""

import sys
import time
from collections.abc import Iterator

from orchestrator_cli.client import ApiClient, Json
from orchestrator_cli.following.tree import is_final
from orchestrator_cli.following.watch import POLL_SECONDS, RUN_COMPONENT, fetch_tasks
from orchestrator_cli.output import plain

PAGE = 500


def print_log(client: ApiClient, project_path: str, job_id: str) -> None:
    """Everything there is now; of a run, its tasks' logs one after another."""
    for name, job in _with_children(client, project_path, job_id):
        if name:
            print(f"--- {plain(name)}", flush=True)
        for chunk in _chunks(client, project_path, job):
            _write(chunk, prefix="")


def follow_log(client: ApiClient, project_path: str, job_id: str) -> None:
    """New text as it comes; of a run, every line says which task it is from."""
    cursors: dict[str, str | None] = {}
    while True:
        root = client.get(f"{project_path}/jobs/{job_id}")
        for name, job in _with_children(client, project_path, job_id):
            cursors[job] = _print_new(
                client, project_path, job, cursors.get(job), f"{name} | " if name else ""
            )
        if is_final(root):
            return
        time.sleep(POLL_SECONDS)


def _with_children(client: ApiClient, project_path: str, job_id: str) -> Iterator[tuple[str, str]]:
    job = client.get(f"{project_path}/jobs/{job_id}")
    if job.get("component") != RUN_COMPONENT:
        yield "", job_id
        return
    for phase in fetch_tasks(client, project_path, job):
        for task in phase["tasks"]:
            if task.get("job"):
                yield str(task["id"]), str(task["job"]["id"])


def _print_new(client: ApiClient, project_path: str, job: str, cursor: str | None, prefix: str) -> str | None:
    while True:
        page = client.get(f"{project_path}/jobs/{job}/log", after=cursor, limit=PAGE)
        for chunk in page["chunks"]:
            _write(chunk, prefix)
            cursor = f"{chunk['attempt']}:{chunk['seq']}"
        if len(page["chunks"]) < PAGE:
            return cursor


def _chunks(client: ApiClient, project_path: str, job: str) -> Iterator[Json]:
    cursor: str | None = None
    while True:
        page = client.get(f"{project_path}/jobs/{job}/log", after=cursor, limit=PAGE)
        yield from page["chunks"]
        if len(page["chunks"]) < PAGE:
            return
        last = page["chunks"][-1]
        cursor = f"{last['attempt']}:{last['seq']}"


def _write(chunk: Json, prefix: str) -> None:
    text = plain(str(chunk["text"]))
    if prefix:
        text = "".join(f"{prefix}{line}\n" for line in text.splitlines())
    stream = sys.stderr if chunk.get("stream") == "stderr" else sys.stdout
    stream.write(text if text.endswith("\n") or not prefix else f"{text}\n")
    stream.flush()
