"""`stack.json`, in which the supervisor publishes its start-up progress and its processes."""

import json
import time
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from orchestrator_cli.private_files import write_private
from orchestrator_local.stack.identity import ProcessIdentity


class StackState(StrEnum):
    """The lifecycle state of a stack."""

    STARTING = "starting"
    READY = "ready"
    STOPPING = "stopping"
    FAILED = "failed"


@dataclass
class Step:
    """One step of the start-up, shown to the waiting user."""

    text: str
    seconds: float | None = None


@dataclass
class ProcessEntry:
    """One supervised process, as recorded."""

    pid: int
    started: str
    port: int = 0
    restarts: int = 0

    @property
    def identity(self) -> ProcessIdentity:
        return ProcessIdentity(self.pid, self.started)


@dataclass
class StackRecord:
    """The content of the file, rewritten as a whole on every change."""

    supervisor: ProcessEntry
    state: StackState = StackState.STARTING
    url: str = ""
    error: str = ""
    runners: int = 1
    steps: list[Step] = field(default_factory=list)
    processes: dict[str, ProcessEntry] = field(default_factory=dict)

    @property
    def is_supervised(self) -> bool:
        return self.supervisor.identity.is_running

    def write(self, file: Path) -> None:
        write_private(file, json.dumps(asdict(self), indent=2) + "\n")


def read_record(file: Path) -> StackRecord | None:
    """The record of a stack, running or not; None if it is missing or unreadable."""
    try:
        found: dict[str, Any] = json.loads(file.read_text())
        return StackRecord(
            supervisor=ProcessEntry(**found["supervisor"]),
            state=StackState(found["state"]),
            url=str(found["url"]),
            error=str(found["error"]),
            runners=int(found["runners"]),
            steps=[Step(**step) for step in found["steps"]],
            processes={name: ProcessEntry(**entry) for name, entry in found["processes"].items()},
        )
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


class Progress:
    """Updates the record's steps while the supervisor starts up."""

    def __init__(self, record: StackRecord, file: Path) -> None:
        self.record = record
        self._file = file
        self._began = time.monotonic()

    def begin(self, text: str) -> None:
        self.finish()
        self._began = time.monotonic()
        self.record.steps.append(Step(text))
        self.save()

    def finish(self) -> None:
        if self.record.steps and self.record.steps[-1].seconds is None:
            self.record.steps[-1].seconds = round(time.monotonic() - self._began, 1)
            self.save()

    def save(self) -> None:
        self.record.write(self._file)
