"""Telling a process apart from a later one with the same pid."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from orchestrator_local.servers.processes import is_alive


@dataclass(frozen=True)
class ProcessIdentity:
    """A pid together with the start time of its process."""

    pid: int
    started: str

    @classmethod
    def of(cls, pid: int) -> "ProcessIdentity":
        return cls(pid, start_of(pid))

    @property
    def is_running(self) -> bool:
        return self.started != "" and is_alive(self.pid) and start_of(self.pid) == self.started


def start_of(pid: int) -> str:
    """The boot id and clock tick at which a process started; empty if the process does not exist."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return f"{Path('/proc/sys/kernel/random/boot_id').read_text().strip()} {fields[19]}"
    except (OSError, IndexError):
        return "" if Path("/proc/self").exists() else _start_without_proc(pid)


def _start_without_proc(pid: int) -> str:
    found = subprocess.run(
        ["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return found.stdout.strip()
