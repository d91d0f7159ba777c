"""Decides the outcome of an attempt from how its pod ended and what its program reported."""

from orchestrator_runner.executors.kubernetes.client import Refused
from orchestrator_runner.executors.kubernetes.report import TaskReport
from orchestrator_runner.executors.kubernetes.verdict import Ended, TimedOut, Vanished
from orchestrator_runner.executors.outcome import (
    Exit,
    Report,
    StopCause,
    decide_outcome,
    duration_text,
    exit_text,
    last_line,
)
from orchestrator_runner.executors.port import Outcome
from orchestrator_shared.domain.statuses import ErrorKind, JobStatus

_MOST_TAIL = 4096


def decide_end(ended: Ended, report: TaskReport | None, fault: str | None, namespace: str) -> Outcome:
    """Decide what the end of the container means; `fault` says what is wrong with the report."""
    code = ended.how.exit_code if report is None else report.exit
    if ended.why:
        text = f"{exit_text(code)}: {ended.why}"
        return Outcome(JobStatus.ERROR, text, ErrorKind.INTERNAL, exit_code=ended.how.exit_code)
    if fault is not None:
        return Outcome(JobStatus.ERROR, fault, ErrorKind.INTERNAL, exit_code=ended.how.exit_code)
    if report is None:
        return _unreported(ended, namespace)
    return decide_outcome(Exit(code, report.line), report.left, stopped=None, timeout_seconds=None)


def _unreported(ended: Ended, namespace: str) -> Outcome:
    """The container failed, and `orchestrator-task` did not get to say how."""
    line = last_line(ended.how.message[-_MOST_TAIL:].encode(errors="replace"), is_whole=True)
    if ended.how.reason == "StartError":
        return Outcome(JobStatus.ERROR, f"cannot be started: {line}", ErrorKind.INTERNAL)
    return decide_outcome(Exit(ended.how.exit_code, line), Report(), stopped=None, timeout_seconds=None)


def decide_timeout(verdict: TimedOut, timeout_seconds: float | None, words: str) -> Outcome:
    """A deadline of the cluster was reached before the runner's own time limit."""
    if not verdict.has_begun:
        return _internal(f"did not start before its deadline{_because(words)}")
    return decide_outcome(Exit(0), Report(), stopped=StopCause.TIMEOUT, timeout_seconds=timeout_seconds)


def decide_vanished(verdict: Vanished, success: TaskReport | None) -> Outcome | None:
    """The cluster removed it: if the program had reported its success, that counts; else None."""
    if success is None:
        return None
    return decide_outcome(Exit(0, success.line), success.left, stopped=None, timeout_seconds=None)


def not_started(seconds: float, words: str) -> Outcome:
    """The program was not running when the time for its start was over."""
    return _internal(f"did not start within {duration_text(seconds)}{_because(words)}")


def refused(error: Refused) -> Outcome:
    """The cluster does not take the Job or its Secret."""
    return _internal(f"the cluster refused the Job ({error.status}): {error}")


def _because(words: str) -> str:
    return f": {words}" if words else ""


def _internal(message: str) -> Outcome:
    return Outcome(JobStatus.ERROR, message, ErrorKind.INTERNAL)
