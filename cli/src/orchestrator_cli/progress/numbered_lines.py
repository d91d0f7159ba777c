"""Printing numbered lines of a log: around one, the last ones, or those that contain a text."""

import sys
from collections.abc import Iterable, Iterator

from orchestrator_cli.client import ApiClient, Json
from orchestrator_cli.failures import BadInput
from orchestrator_cli.output import plain
from orchestrator_cli.progress.logs import logs_below
from orchestrator_cli.progress.watch import RUN_COMPONENT, fetch_tasks

AROUND = 20
"""Lines that are shown around one."""


def print_around(client: ApiClient, project_path: str, job_id: str, line: int) -> None:
    """The lines around one."""
    if client.get(f"{project_path}/jobs/{job_id}").get("component") == RUN_COMPONENT:
        raise BadInput(
            "--around: a run has no log of its own; give the id of a task's job",
            details=[f"the jobs of its tasks: orchestrator jobs show {job_id} --json"],
        )
    part = client.get(f"{project_path}/jobs/{job_id}/log/lines", around=line, limit=AROUND)
    _print(part["lines"])
    if line > part["total_lines"]:
        print(f"the log has {part['total_lines']} lines", file=sys.stderr)


def print_tail(client: ApiClient, project_path: str, job_id: str, count: int) -> None:
    """The last lines; for a run, those of each task."""
    for name, each in _jobs(client, project_path, job_id):
        part = client.get(f"{project_path}/jobs/{each}/log/lines", tail="true", limit=count)
        _print(part["lines"], name)


def print_hits(client: ApiClient, project_path: str, job_id: str, text: str) -> None:
    """The lines that contain the text; for a run, those of each task."""
    count = 0
    for name, each in _jobs(client, project_path, job_id):
        hits = list(_hits(client, f"{project_path}/jobs/{each}/log/search", text))
        count += len(hits)
        if hits:
            _print(hits, name)
    print("1 line" if count == 1 else f"{count:,} lines", file=sys.stderr)


def _jobs(client: ApiClient, project_path: str, job_id: str) -> Iterator[tuple[str, str]]:
    job = client.get(f"{project_path}/jobs/{job_id}")
    return logs_below(client, project_path, job, fetch_tasks(client, project_path, job))


def _hits(client: ApiClient, path: str, text: str) -> Iterator[Json]:
    first: int | None = 1
    while first is not None:
        found = client.get(path, q=text, first=first)
        yield from found["hits"]
        first = found["next"]


def _print(lines: Iterable[Json], name: str = "") -> None:
    if name:
        print(f"--- {plain(name)}", flush=True)
    for line in lines:
        more = " …" if line["is_cut"] else ""
        print(f"{line['number']:>6}  {plain(str(line['text']))}{more}")
