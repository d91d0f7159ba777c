"""Where an error stands in the log, and whether it happened before: pure decisions."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from orchestrator_api.runs.fingerprints import fingerprint
from orchestrator_api.runs.log_lines import Level, LogLine
from orchestrator_api.runs.rows import EarlierJob

_LONGEST_RECORD: Final = 20
"""Lines of one error: `ERROR: …`, and below it what the program says about it."""
_EXIT = re.compile(r"^(?:exited with \d+(?: \(\w+\))?|killed by \w+(?: \d+)?): ")
_ENOUGH: Final = 200


@dataclass(frozen=True, slots=True)
class SameError:
    """The last job before that failed with the same error."""

    job: EarlierJob
    count: int
    """How many did, among the last 200 jobs."""
    ended_by_version: int | None
    """The version that the next success ran, if it is another one than the one that failed."""


def error_line(lines: Sequence[LogLine], message: str | None) -> LogLine | None:
    """The line of the error: the one with its message, or else the last one that says it is an error."""
    wanted = _EXIT.sub("", message or "", count=1).removesuffix("…").strip()[:_ENOUGH]
    places = [index for index, line in enumerate(lines) if wanted and wanted in line.text]
    if places:
        return _beginning(lines, places[-1])
    return next((line for line in reversed(lines) if line.level is Level.ERROR), None)


def _beginning(lines: Sequence[LogLine], place: int) -> LogLine:
    """The line that begins the error: a database writes a hint last, below the error itself."""
    line = lines[place]
    for above in reversed(lines[max(0, place - _LONGEST_RECORD) : place + 1]):
        if (above.stream, above.attempt) != (line.stream, line.attempt):
            break
        if above.level is not None:
            return above if above.level is Level.ERROR else line
    return line


def same_error(before: Sequence[EarlierJob], wanted: str) -> SameError | None:
    """The newest of the earlier jobs (newest first) that failed with this fingerprint."""
    same = [
        index
        for index, job in enumerate(before)
        if job.status == "error" and fingerprint(job.error_kind or "", job.message) == wanted
    ]
    if not same:
        return None
    earlier = before[same[0]]
    later = reversed(before[: same[0]])
    success = next((job.version for job in later if job.status == "success"), None)
    return SameError(earlier, len(same), None if success == earlier.version else success)
