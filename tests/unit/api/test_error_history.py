"""Where an error stands in the log, and whether it happened before."""

from datetime import UTC, datetime
from uuid import UUID

from orchestrator_api.runs.error_history import error_line, same_error
from orchestrator_api.runs.fingerprints import fingerprint
from orchestrator_api.runs.log_lines import LogLine
from orchestrator_api.runs.rows import EarlierJob

NOW = datetime(2026, 11, 30, tzinfo=UTC)


def log(*texts: str, stream: str = "stderr") -> list[LogLine]:
    return [LogLine(number, NOW, 1, stream, text) for number, text in enumerate(texts, start=14)]


def number_of(lines: list[LogLine], message: str | None) -> int | None:
    line = error_line(lines, message)
    return line.number if line else None


def test_the_last_line_with_the_message() -> None:
    lines = log("no such file", "try again", "no such file", "exit code 1")
    assert number_of(lines, "no such file") == 16
    assert number_of(lines, "exited with 3: try again") == 15
    assert number_of(lines, "killed by SIGKILL: try again") == 15


def test_a_hint_belongs_to_the_error_above_it() -> None:
    lines = log(
        "INFO statement 2 of 3",
        "ERROR: column r.opted_in does not exist",
        "LINE 7:  WHERE r.opted_in",
        "HINT:  Perhaps you meant r.opt_in",
    )
    assert number_of(lines, "HINT:  Perhaps you meant r.opt_in") == 15
    assert number_of(log("INFO ready", "boom"), "boom") == 15


def test_an_error_of_the_other_stream_is_another_one() -> None:
    lines = [*log("ERROR: ignored", stream="stdout"), *log("boom")]
    assert error_line(lines, "boom") is lines[1]


def test_without_the_message_the_last_line_that_is_an_error() -> None:
    lines = log("ERROR: one", "ERROR: two", "done")
    assert number_of(lines, "timed out after 90s") == 15
    assert number_of(lines, None) == 15
    assert number_of(log("fine"), "timed out after 90s") is None
    assert number_of([], "x") is None


def test_a_message_that_was_cut_is_found_by_its_beginning() -> None:
    text = "bad value " + "x" * 5000
    assert number_of(log("a", text), text[:4000] + "…") == 15


def job(number: int, status: str, message: str | None = None, version: int = 1) -> EarlierJob:
    kind = "user" if status == "error" else None
    return EarlierJob(UUID(int=number), number, status, kind, message, version, NOW, None, None, None)


WANTED = fingerprint("user", "3 rows are missing")


def test_the_newest_earlier_job_with_the_same_error_and_what_ended_it() -> None:
    before = [
        job(9, "error", "no such file", 8),
        job(8, "success", version=8),
        job(7, "success", version=7),
        job(6, "terminated"),
        job(5, "error", "12 rows are missing", 6),
        job(4, "error", "4 rows are missing", 6),
    ]
    found = same_error(before, WANTED)
    assert found is not None
    assert (found.job.number, found.count, found.ended_by_version) == (5, 2, 7)


def test_a_success_with_the_same_version_was_not_ended_by_one() -> None:
    found = same_error([job(6, "success", version=6), job(5, "error", "1 rows are missing", 6)], WANTED)
    assert found is not None
    assert found.ended_by_version is None
    still = same_error([job(5, "error", "1 rows are missing", 6)], WANTED)
    assert still is not None
    assert still.ended_by_version is None


def test_an_error_that_never_happened() -> None:
    assert same_error([job(5, "error", "no such file"), job(4, "success")], WANTED) is None
    assert same_error([], WANTED) is None
