"""How a task's exit and the files it left become the outcome of an attempt."""

import json
import re
import signal
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from orchestrator_runner.domain.execution import Outcome, OutputTable
from orchestrator_shared.domain.errors import UserError
from orchestrator_shared.domain.statuses import ErrorKind, JobStatus
from orchestrator_shared.domain.tables import TableName

MAX_MESSAGE_BYTES = 4096
MAX_FILE_BYTES = 1024 * 1024
MAX_OUTPUT_TABLES = 10_000
_USER_ERROR = 1


class StopCause(StrEnum):
    """Why a task was asked to end."""

    REQUEST = "request"
    TIMEOUT = "timeout"


@dataclass(frozen=True, slots=True)
class Exit:
    """How the task's main process ended, and what it said last."""

    code: int
    """The exit code, or minus the signal's number."""
    last_error_line: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """What a task may leave behind; None where there is no file."""

    result: bytes | None = None
    state: bytes | None = None
    fault: str | None = None
    """Why one of them could not be read."""


class InvalidReport(ValueError):
    """A file that breaks the contract; the message names the file and the field."""


def decide_outcome(
    ended: Exit, report: Report, *, stopped: StopCause | None, timeout_seconds: float | None
) -> Outcome:
    """The outcome of one attempt; messages may still hold secrets."""
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


def parse_result(content: bytes | None) -> tuple[str, tuple[OutputTable, ...]]:
    """Message and output tables of result.json; unknown fields are left alone."""
    if content is None:
        return "", ()
    result = parse_object("result.json", content)
    message = result.get("message") or ""
    if not isinstance(message, str):
        raise InvalidReport("result.json: message: must be a string")
    return message, parse_tables(result.get("output_tables"), where="result.json: output_tables")


def parse_tables(value: object, *, where: str) -> tuple[OutputTable, ...]:
    """The tables that a task reports; raises InvalidReport naming `where`."""
    tables = value or []
    if not isinstance(tables, list) or len(tables) > MAX_OUTPUT_TABLES:
        raise InvalidReport(f"{where}: must be a list of at most {MAX_OUTPUT_TABLES} tables")
    return tuple(_parse_table(f"{where}[{n}]", table) for n, table in enumerate(tables))


def _parse_table(where: str, value: object) -> OutputTable:
    entry = {"table": value} if isinstance(value, str) else value
    if not isinstance(entry, dict) or not isinstance(entry.get("table"), str):
        raise InvalidReport(f'{where}: must be "bucket.table" or an object with "table"')
    try:
        name = TableName.parse(entry["table"], field=where)
    except UserError as error:
        raise InvalidReport(str(error)) from error
    rows = entry.get("rows")
    if rows is not None and (isinstance(rows, bool) or not isinstance(rows, int) or not 0 <= rows < 2**63):
        raise InvalidReport(f"{where}.rows: must be a number of rows, 0 or more")
    return OutputTable(name, rows)


def parse_object(name: str, content: bytes) -> Mapping[str, Any]:
    """A JSON object that PostgreSQL can store."""
    if len(content) > MAX_FILE_BYTES:
        raise InvalidReport(f"{name}: is larger than {MAX_FILE_BYTES} bytes")
    try:
        value = json.loads(content.decode(), parse_constant=_refuse_constant)
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
        text.encode()
    except (ValueError, RecursionError) as error:
        raise InvalidReport(f"{name}: is no valid JSON: {error}") from error
    if not isinstance(value, dict):
        raise InvalidReport(f"{name}: must be an object")
    if re.search(r"(?<!\\)(?:\\\\)*\\u0000", text):
        raise InvalidReport(f"{name}: holds a NUL character (\\u0000), which cannot be stored")
    return value


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")


def exit_text(code: int) -> str:
    """An exit as people know it: shells report a signal as 128 plus its number."""
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
    """As people write it: 90 is 1m 30s, 86400 is 24h."""
    whole, fraction = divmod(round(seconds, 3), 1)
    minutes, rest = divmod(int(whole), 60)
    hours, minutes = divmod(minutes, 60)
    parts = [f"{hours}h" if hours else "", f"{minutes}m" if minutes else ""]
    if rest or fraction or not (hours or minutes):
        parts.append(f"{rest + round(fraction, 3):g}s")
    return " ".join(filter(None, parts))


def last_line(tail: bytes, *, is_whole: bool, secrets: Iterable[bytes] = ()) -> str:
    """The last line with something in it; `tail` is the end of a text, `is_whole` if it is all of it."""
    stripped = tail.rstrip()
    start = max(stripped.rfind(b"\n"), stripped.rfind(b"\r")) + 1
    line = stripped[start:]
    if start == 0 and not is_whole:
        # The line began before what we kept: what is left of a secret at the cut could not be recognised.
        line = line[max((len(secret) - 1 for secret in secrets), default=0) :]
    return line.decode(errors="replace").strip()


def storable(text: str, limit: int = MAX_MESSAGE_BYTES) -> str:
    """Text that PostgreSQL accepts, cut to the limit."""
    clean = text.replace("\0", "\N{SYMBOL FOR NULL}").encode(errors="replace")
    if len(clean) <= limit:
        return clean.decode()
    mark = "…".encode()
    return (clean[: limit - len(mark)].decode(errors="ignore").encode() + mark).decode()
