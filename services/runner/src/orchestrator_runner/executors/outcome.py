"""Decides the outcome of an attempt from the task's exit and the files it left."""

import signal
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from orchestrator_runner.executors.masking import mask
from orchestrator_runner.executors.port import Outcome
from orchestrator_shared.domain.reports import InvalidReport, parse_object, parse_result
from orchestrator_shared.domain.statuses import ErrorKind, JobStatus

MAX_MESSAGE_BYTES = 4096
_MIN_SECRET_IN_NAME = 6
"""A shorter one, such as `dev`, is part of many table names by chance."""
_USER_ERROR = 1


class StopCause(StrEnum):
    """Why a task was asked to stop."""

    REQUEST = "request"
    TIMEOUT = "timeout"


@dataclass(frozen=True, slots=True)
class Exit:
    """How the task's main process ended, and the last thing it wrote."""

    code: int
    """The exit code, or the negative signal number."""
    last_error_line: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """The files a task may leave; None for each that is missing."""

    result: bytes | None = None
    state: bytes | None = None
    fault: str | None = None
    """Why one of the files could not be read."""


def decide_outcome(
    ended: Exit, report: Report, *, stopped: StopCause | None, timeout_seconds: float | None
) -> Outcome:
    """Decide the outcome of one attempt; messages may still contain secrets."""
    code, number = (ended.code, None) if ended.code >= 0 else (None, -ended.code)
    if stopped is StopCause.REQUEST:
        return Outcome(JobStatus.TERMINATED, "terminated", exit_code=code, signal=number)
    if stopped is StopCause.TIMEOUT:
        message = f"timed out after {duration_text(timeout_seconds or 0)}"
        return Outcome(JobStatus.ERROR, message, ErrorKind.USER, exit_code=code, signal=number)
    if ended.code == 0:
        return _decide_success(report)
    if ended.code == _USER_ERROR:
        message = ended.last_error_line or "ended with exit code 1 and wrote nothing to stderr"
        return Outcome(JobStatus.ERROR, message, ErrorKind.USER, exit_code=code)
    message = ": ".join(filter(None, (exit_text(ended.code), ended.last_error_line)))
    return Outcome(JobStatus.ERROR, message, ErrorKind.INTERNAL, exit_code=code, signal=number)


def _decide_success(report: Report) -> Outcome:
    try:
        if report.fault is not None:
            raise InvalidReport(report.fault)
        message, tables = parse_result(report.result)
        state = None if report.state is None else parse_object("state.json", report.state)
    except InvalidReport as error:
        return Outcome(JobStatus.ERROR, str(error), ErrorKind.INTERNAL, exit_code=0)
    return Outcome(JobStatus.SUCCESS, message, output_tables=tables, state=state, exit_code=0)


def without_secrets(outcome: Outcome, forms: tuple[bytes, ...]) -> Outcome:
    """The outcome as it may be stored, sent and mailed.

    A table name cannot be masked, so one that contains a secret is refused.
    """
    telling = tuple(form for form in forms if len(form) >= _MIN_SECRET_IN_NAME)
    for table in outcome.output_tables:
        if (name := _masked(str(table.table), telling)) != str(table.table):
            message = f"output table {name}: its name contains a secret; give the table another name"
            return Outcome(JobStatus.ERROR, message, ErrorKind.USER, exit_code=outcome.exit_code)
    tables = tuple(
        table if _masked(str(table.rows), forms) == str(table.rows) else replace(table, rows=None)
        for table in outcome.output_tables
    )
    return replace(outcome, message=storable(_masked(outcome.message, forms)), output_tables=tables)


def _masked(text: str, forms: tuple[bytes, ...]) -> str:
    return mask(text.encode(errors="replace"), forms).decode(errors="replace")


def exit_text(code: int) -> str:
    """An exit in familiar words: shells report a signal as 128 plus its number."""
    if code < 0:
        return f"killed by {_signal_name(-code)}"
    name = _signal_name(code - 128) if code > 128 else ""
    return f"exited with {code} ({name})" if name.startswith("SIG") else f"exited with {code}"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def duration_text(seconds: float) -> str:
    """A duration as people write it: 90 is 1m 30s, 86400 is 24h."""
    whole, fraction = divmod(round(seconds, 3), 1)
    minutes, rest = divmod(int(whole), 60)
    hours, minutes = divmod(minutes, 60)
    parts = [f"{hours}h" if hours else "", f"{minutes}m" if minutes else ""]
    if rest or fraction or not (hours or minutes):
        parts.append(f"{rest + round(fraction, 3):g}s")
    return " ".join(filter(None, parts))


def last_line(tail: bytes, *, is_whole: bool, secrets: Iterable[bytes] = ()) -> str:
    """The last line that is not blank.

    `tail` is the end of a text; `is_whole` says whether it is all of it.
    """
    stripped = tail.rstrip()
    start = max(stripped.rfind(b"\n"), stripped.rfind(b"\r")) + 1
    line = stripped[start:]
    if start == 0 and not is_whole:
        # The line began before the part we kept, so a secret cut there could not be recognised.
        line = line[max((len(secret) - 1 for secret in secrets), default=0) :]
    return line.decode(errors="replace").strip()


def storable(text: str, limit: int = MAX_MESSAGE_BYTES) -> str:
    """Text that PostgreSQL accepts, cut to the limit."""
    clean = text.replace("\0", "\N{SYMBOL FOR NULL}").encode(errors="replace")
    if len(clean) <= limit:
        return clean.decode()
    mark = "…".encode()
    return (clean[: limit - len(mark)].decode(errors="ignore").encode() + mark).decode()
