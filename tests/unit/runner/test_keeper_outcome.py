"""How exits and reports become outcomes."""

import json

import pytest

from orchestrator_runner.executors.outcome import (
    Exit,
    Report,
    StopCause,
    decide_outcome,
    duration_text,
    exit_text,
    last_line,
    storable,
)
from orchestrator_shared.domain.reports import MAX_FILE_BYTES, OutputTable
from orchestrator_shared.domain.statuses import ErrorKind, JobStatus
from orchestrator_shared.domain.tables import TableName


def decide(code: int = 0, line: str = "", *, result: object = None, state: bytes | None = None):  # type: ignore[no-untyped-def]
    content = None if result is None else result if isinstance(result, bytes) else json.dumps(result).encode()
    return decide_outcome(Exit(code, line), Report(content, state), stopped=None, timeout_seconds=None)


def test_success_takes_everything_from_the_report() -> None:
    tables = ["in.c-a.b", {"table": "in.c-a.c", "rows": 7, "unknown": 1}]
    outcome = decide(result={"message": "done", "output_tables": tables}, state=b'{"last": 5}')
    assert (outcome.status, outcome.message, outcome.state) == (JobStatus.SUCCESS, "done", {"last": 5})
    assert outcome.output_tables == (
        OutputTable(TableName("in.c-a", "b")),
        OutputTable(TableName("in.c-a", "c"), 7),
    )


def test_a_failure_reports_neither_tables_nor_state() -> None:
    outcome = decide(1, "bad column", result={"output_tables": ["in.c-a.b"]}, state=b"{}")
    assert (outcome.status, outcome.error_kind) == (JobStatus.ERROR, ErrorKind.USER)
    assert (outcome.message, outcome.output_tables, outcome.state) == ("bad column", (), None)


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        (b"{", "result.json: not valid JSON"),
        (b"\xff", "result.json: not valid JSON"),
        (b"[" * 100_000, "result.json: not valid JSON"),
        (b'{"a": 1e999}', "result.json: not valid JSON"),
        (b'{"a": NaN}', "result.json: not valid JSON: NaN is not a JSON number"),
        (b'{"a": "\\ud800"}', "result.json: not valid JSON"),
        (b'{"a": "\\u0000"}', "result.json: contains a NUL character"),
        ([], "result.json: must be an object"),
        ({"message": 5}, "result.json: message: must be a string"),
        ({"output_tables": "in.c-a.b"}, "result.json: output_tables: must be a list"),
        ({"output_tables": ["in.c-a.b", 7]}, "result.json: output_tables[1]: must be"),
        ({"output_tables": ["nodots"]}, "result.json: output_tables[0]: 'nodots' is not a table name"),
        ({"output_tables": [{"table": "a.b", "rows": -1}]}, "result.json: output_tables[0].rows: must be"),
        ({"output_tables": [{"table": "a.b", "rows": True}]}, "result.json: output_tables[0].rows: must be"),
        (b" " * (MAX_FILE_BYTES + 1), "result.json: is larger than 1048576 bytes"),
    ],
)
def test_a_broken_report_is_an_internal_error_that_names_the_field(result: object, expected: str) -> None:
    outcome = decide(result=result)
    assert (outcome.status, outcome.error_kind) == (JobStatus.ERROR, ErrorKind.INTERNAL)
    assert outcome.message.startswith(expected)


def test_an_escaped_backslash_is_not_a_nul() -> None:
    assert decide(state=rb'{"path": "C:\\u0000"}').state == {"path": r"C:\u0000"}


def test_stop_and_timeout_win_over_the_exit_code() -> None:
    for cause, status, kind in (
        (StopCause.REQUEST, JobStatus.TERMINATED, None),
        (StopCause.TIMEOUT, JobStatus.ERROR, ErrorKind.USER),
    ):
        outcome = decide_outcome(Exit(0), Report(), stopped=cause, timeout_seconds=1800)
        assert (outcome.status, outcome.error_kind) == (status, kind)
    assert outcome.message == "timed out after 30m"


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (2, "exited with 2"),
        (128, "exited with 128"),
        (137, "exited with 137 (SIGKILL)"),
        (255, "exited with 255"),
        (-11, "killed by SIGSEGV"),
        (-40, "killed by signal 40"),
    ],
)
def test_exit_text(code: int, text: str) -> None:
    assert exit_text(code) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (1.5, "1.5s"),
        (59.9996, "1m"),
        (90, "1m 30s"),
        (1800, "30m"),
        (86400, "24h"),
        (3661, "1h 1m 1s"),
    ],
)
def test_duration_text(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text


@pytest.mark.parametrize(
    ("tail", "line"),
    [
        (b"", ""),
        (b"\n \n", ""),
        (b"a\nb\n\n  \n", "b"),
        (b"10 %\r20 %\r", "20 %"),
        (b"one", "one"),
        (b"\xff\n", "�"),
    ],
)
def test_last_line(tail: bytes, line: str) -> None:
    assert last_line(tail, is_whole=True) == line


def test_the_cut_beginning_of_a_long_line_shows_no_end_of_a_secret() -> None:
    assert (
        last_line(b"cret-rest of a long line", is_whole=False, secrets=[b"secret"]) == "rest of a long line"
    )


def test_messages_fit_and_can_be_stored() -> None:
    assert storable("a\0b\ud800") == "a␀b?"
    cut = storable("ž" * 5000)
    assert len(cut.encode()) <= 4096
    assert cut.endswith("ž…")
