"""The content of a mail about a run that takes or waits too long."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from orchestrator_notifier.domain.content import (
    SUBJECT_CHARACTERS,
    Action,
    Audience,
    Content,
    Tone,
    look_at,
    rows_of,
    run_url,
    why_notified,
)
from orchestrator_notifier.domain.report import RunReport
from orchestrator_notifier.domain.text import instant, one_line, span
from orchestrator_shared.domain.statuses import NotificationEvent


def late_content(
    report: RunReport, detail: Mapping[str, Any], audience: Audience, public_url: str | None
) -> Content:
    """A run that was too long underway, as it is when the mail is written: it may be over by then."""
    is_processing = audience.event == NotificationEvent.PROCESSING_LONG
    phrase, summary, rows = _processing(report, detail) if is_processing else _waiting(report, detail)
    title = f"{report.orchestration} #{report.number} {phrase}"
    why, change, change_url = why_notified(report.project, report.orchestration, audience, public_url)
    url = run_url(report, public_url, "termination")
    stop = Action("Stop it", url, f"orchestrator jobs terminate {report.id} --project {report.project}")
    return Content(
        subject=one_line(f"[{report.project}] {title}", SUBJECT_CHARACTERS),
        tone=Tone.WARNING,
        badge="Long run" if is_processing else "Long wait",
        title=one_line(title, SUBJECT_CHARACTERS),
        summary=summary,
        rows=[(label, one_line(value, 300)) for label, value in rows_of(report) + rows if value],
        problems=[],
        more="",
        actions=[look_at(report, public_url), *([] if report.finished_at else [stop])],
        why=why,
        change=change,
        change_url=change_url,
    )


Words = tuple[str, str, list[tuple[str, str | None]]]


def _processing(report: RunReport, detail: Mapping[str, Any]) -> Words:
    usual = _duration(detail["usual_seconds"])
    verb = "took" if report.finished_at else "takes"
    summary = (
        f"It {verb} more than {detail['percent']} % longer than usual. The mean of the last "
        f"{detail['usual_runs']} successful full runs is {usual}; waiting does not count."
    )
    return f"{verb} longer than usual", summary, [("Usually", usual)]


def _waiting(report: RunReport, detail: Mapping[str, Any]) -> Words:
    limit = _duration(detail["minutes"] * 60)
    is_over = report.started_at is not None or report.finished_at is not None
    phrase = f"{'waited' if is_over else 'has been waiting'} for more than {limit}"
    summary = f"It {phrase}."
    if not is_over:
        summary += " The run's page shows what it waits for."
    accepted = datetime.fromisoformat(detail["accepted_at"])
    return phrase, summary, [("Waiting since" if not is_over else "Waited since", instant(accepted))]


def _duration(seconds: float) -> str:
    begin = datetime.fromtimestamp(0, UTC)
    return span(begin, begin + timedelta(seconds=seconds)) or ""
