"""Which component jobs a runner is working on, read from the process table (Linux)."""

import os
from dataclasses import dataclass
from pathlib import Path

from orchestrator_local.stack.identity import ProcessIdentity

JOB_VARIABLE = b"ORCHESTRATOR_JOB_ID="


@dataclass(frozen=True)
class ComponentProcess:
    """A component's process and its job."""

    identity: ProcessIdentity
    job_id: str


def component_processes(runner: int) -> list[ComponentProcess]:
    """Descendants of a runner that carry a job's id in their environment."""
    children = _children_by_parent()
    found, pending = [], list(children.get(runner, []))
    while pending:
        pid = pending.pop()
        pending += children.get(pid, [])
        if job := _job_of(pid):
            found.append(ComponentProcess(ProcessIdentity.of(pid), job))
    return found


def _children_by_parent() -> dict[int, list[int]]:
    children: dict[int, list[int]] = {}
    for name in os.listdir("/proc") if Path("/proc/self").exists() else []:
        if not name.isdigit():
            continue
        try:
            parent = int(Path(f"/proc/{name}/stat").read_text().rpartition(")")[2].split()[1])
        except (OSError, ValueError, IndexError):
            continue
        children.setdefault(parent, []).append(int(name))
    return children


def _job_of(pid: int) -> str:
    try:
        variables = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return ""
    return next(
        (each[len(JOB_VARIABLE) :].decode() for each in variables if each.startswith(JOB_VARIABLE)), ""
    )
