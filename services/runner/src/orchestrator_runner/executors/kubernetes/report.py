"""What `orchestrator-task` reports about its program: to the api in parts, or in the pod's status."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from orchestrator_runner.executors.outcome import Report

_MARK = "orchestrator"
MAX_PARTS = 50
_NO_REPORT = (ValueError, TypeError, KeyError, AttributeError)
"""What reading something else raises."""


@dataclass(frozen=True, slots=True)
class TaskReport:
    """How the program ended, and the files that it left."""

    exit: int
    """The exit code, or the negative signal number."""
    line: str
    """The last line on stderr."""
    left: Report = field(repr=False)


@dataclass(frozen=True, slots=True)
class PodMessage:
    """A pod's termination message, if `orchestrator-task` wrote it."""

    report: TaskReport
    is_reported: bool
    """Whether the api took the whole report."""
    is_whole: bool
    """Whether this is the whole report; otherwise the files are missing here."""


def read_message(text: str) -> PodMessage | None:
    """Read a termination message; None if it is something else, such as the end of the log."""
    try:
        found = json.loads(text)
        data = found[_MARK]
        report = _report(data)
    except _NO_REPORT:
        return None
    return PodMessage(report, data.get("reported") is True, data.get("whole") is True)


def _report(data: Mapping[str, Any]) -> TaskReport:
    """Raises ValueError, TypeError or KeyError if the data is no report."""
    texts = {name: data.get(name) for name in ("result", "state", "fault")}
    if type(data["exit"]) is not int or not all(isinstance(text, str | None) for text in texts.values()):
        raise ValueError("not a report")
    return TaskReport(
        exit=data["exit"],
        line=str(data.get("line") or ""),
        left=Report(_encoded(texts["result"]), _encoded(texts["state"]), texts["fault"]),
    )


def _encoded(text: str | None) -> bytes | None:
    return None if text is None else text.encode(errors="surrogatepass")


class Reports:
    """Puts the parts together; the reports of several pods are kept apart."""

    def __init__(self) -> None:
        self._parts: dict[str, dict[int, str]] = {}
        self._whole: dict[str, TaskReport] = {}

    def add(self, body: bytes) -> None:
        """Take what was posted to the callback address; what is no part of a report is ignored."""
        try:
            data = json.loads(body)
            pod, part, count, text = data["pod"], data["part"], data["parts"], data["data"]
            if not (isinstance(pod, str) and isinstance(text, str) and 0 <= part < count <= MAX_PARTS):
                return
            parts = self._parts.setdefault(pod, {})
            parts[part] = text
            if len(parts) == count:
                whole = base64.b64decode("".join(parts[number] for number in range(count)))
                self._whole.setdefault(pod, _report(json.loads(whole)))
        except _NO_REPORT:
            return

    def of(self, pod: str) -> TaskReport | None:
        """The whole report of this pod, if it has arrived."""
        return self._whole.get(pod)

    def any_success(self) -> TaskReport | None:
        """A report of success, of whichever pod: it proves that the program has ended well."""
        return next((report for report in self._whole.values() if report.exit == 0), None)
