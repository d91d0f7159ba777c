"""Decides what the state of a container means."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator_runner.executors.outcome import Exit, Report, decide_outcome
from orchestrator_runner.executors.port import Outcome
from orchestrator_shared.domain.statuses import ErrorKind, JobStatus

_ENDED = frozenset({"exited", "dead"})


@dataclass(frozen=True, slots=True)
class Container:
    """What the engine tells about a container."""

    id: str
    status: str
    exit_code: int = 0
    is_out_of_memory: bool = False
    error: str = ""

    @classmethod
    def of(cls, inspected: Mapping[str, Any]) -> "Container":
        """Read the answer to an inspection."""
        state = inspected["State"]
        return cls(
            id=inspected["Id"],
            status=state["Status"],
            exit_code=state.get("ExitCode", 0),
            is_out_of_memory=bool(state.get("OOMKilled")),
            error=state.get("Error") or "",
        )

    @property
    def was_started(self) -> bool:
        """Whether its program ran, or runs; an ended one with an error could not be started."""
        return self.status not in ("created", "removing")

    @property
    def has_ended(self) -> bool:
        """Whether nothing of it runs any more."""
        return self.status in _ENDED


def decide_end(
    container: Container,
    report: Report,
    *,
    last_error_line: str,
    memory_mb: int,
    timeout_seconds: float | None,
) -> Outcome:
    """The outcome of a container that ended without being asked to."""
    if container.error and not container.is_out_of_memory:
        message = f"the engine ended the container: {container.error}"
        return Outcome(JobStatus.ERROR, message, ErrorKind.INTERNAL, exit_code=container.exit_code)
    if container.is_out_of_memory and container.exit_code != 0:
        limit = f"out of memory: the container reached its limit of {memory_mb} MB (docker.memory_mb)"
        message = ": ".join(filter(None, (limit, last_error_line)))
        return Outcome(JobStatus.ERROR, message, ErrorKind.INTERNAL, exit_code=container.exit_code)
    ended = Exit(container.exit_code, last_error_line)
    return decide_outcome(ended, report, stopped=None, timeout_seconds=timeout_seconds)
