"""The content of a mail, before it is rendered."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import quote

from orchestrator_notifier.domain.facts import Reason
from orchestrator_notifier.domain.report import FailedTask, MissedReport, RunReport, Start
from orchestrator_notifier.domain.text import instant, lines, one_line, paragraph, span
from orchestrator_shared.domain.statuses import JobStatus, NotificationEvent, Origin, TaskStatus

SUBJECT_CHARACTERS = 160
MESSAGE_CHARACTERS = 2000
LOG_LINES, LOG_WIDTH = 20, 300
TASKS_SHOWN = 10
REPEATED_AT_MOST = 10


class Tone(StrEnum):
    """Severity, which chooses the colour."""

    ERROR = "error"
    WARNING = "warning"
    SUCCESS = "success"
    NEUTRAL = "neutral"


@dataclass(frozen=True, slots=True)
class Problem:
    """One task that did not end well."""

    title: str
    note: str
    message: str
    log: Sequence[str]


@dataclass(frozen=True, slots=True)
class Action:
    """Something to do next: a link, a command, or both."""

    label: str
    url: str | None
    command: str | None


@dataclass(frozen=True, slots=True)
class Content:
    """The whole content of a mail; every text is safe to show."""

    subject: str
    tone: Tone
    badge: str
    title: str
    summary: str
    rows: Sequence[tuple[str, str]]
    problems: Sequence[Problem]
    more: str
    actions: Sequence[Action]
    why: str
    change: str
    change_url: str | None


@dataclass(frozen=True, slots=True)
class Audience:
    """Who gets the mail, and why."""

    event: str
    reason: Reason
    recipient: str


_ENDS = {
    JobStatus.ERROR: (Tone.ERROR, "failed"),
    JobStatus.WARNING: (Tone.WARNING, "finished with a warning"),
    JobStatus.SUCCESS: (Tone.SUCCESS, "succeeded"),
    JobStatus.TERMINATED: (Tone.NEUTRAL, "was terminated"),
    JobStatus.CANCELLED: (Tone.NEUTRAL, "was cancelled"),
}
_BADGES = {
    JobStatus.ERROR: "Failed",
    JobStatus.WARNING: "Warning",
    JobStatus.SUCCESS: "Success",
    JobStatus.TERMINATED: "Terminated",
    JobStatus.CANCELLED: "Cancelled",
}


def run_content(report: RunReport, audience: Audience, public_url: str | None) -> Content:
    """A run that ended."""
    tone, verb = _ENDS[report.status]
    badge = _BADGES[report.status]
    if audience.event == NotificationEvent.RECOVERED:
        verb, badge = "recovered", "Recovered"
    title = f"{report.orchestration} #{report.number} {verb}"
    culprits = _named([task.names[-1] for task in report.failed], report.failed_count)
    subject = f"[{report.project}] {title}" + (f": {culprits}" if culprits else "")
    why, change, change_url = why_notified(report.project, report.orchestration, audience, public_url)
    return Content(
        subject=one_line(subject, SUBJECT_CHARACTERS),
        tone=tone,
        badge=badge,
        title=one_line(title, SUBJECT_CHARACTERS),
        summary=paragraph(_summary(report), MESSAGE_CHARACTERS),
        rows=[(label, one_line(value, 300)) for label, value in rows_of(report) if value],
        problems=[_problem(task) for task in report.failed[:TASKS_SHOWN]],
        more=_more(report.failed_count - TASKS_SHOWN),
        actions=_run_actions(report, public_url),
        why=why,
        change=change,
        change_url=change_url,
    )


def _summary(report: RunReport) -> str:
    total = sum(report.counts.values()) - report.counts.get(TaskStatus.SKIPPED, 0)
    if not total:
        return report.message
    tasks = "task" if total == 1 else "tasks"
    parts = [f"{report.counts.get(TaskStatus.SUCCESS, 0)} of {total} {tasks} succeeded"]
    for status, text in (
        (TaskStatus.ERROR, "failed"),
        (TaskStatus.WARNING, "with a warning"),
        (TaskStatus.TERMINATED, "terminated"),
        (TaskStatus.CANCELLED, "cancelled"),
        (TaskStatus.NOT_EXECUTED, "not executed"),
    ):
        if count := report.counts.get(status, 0):
            parts.append(f"{count} {text}")
    told_already = report.failed or (report.end_reason is not None and report.end_reason.names_tasks)
    ending = f"\n{report.message}" if report.message and not told_already else ""
    return ", ".join(parts) + "." + ending


def rows_of(report: RunReport) -> list[tuple[str, str | None]]:
    """Facts about the run, as rows."""
    same_name = report.name == report.orchestration
    same_project = report.project_name == report.project
    return [
        (
            "Orchestration",
            report.orchestration if same_name else f"{report.name} ({report.orchestration})",
        ),
        ("Project", report.project if same_project else f"{report.project_name} ({report.project})"),
        ("Status", report.status.value),
        ("Started by", _started_by(report)),
        ("Stopped by", report.stopped_by),
        ("Scheduled for", instant(report.scheduled_for)),
        ("Started", instant(report.started_at) if report.started_at else "never"),
        ("Finished", instant(report.finished_at) if report.finished_at else None),
        ("Duration", span(report.started_at, report.finished_at)),
        ("Version", str(report.version) if report.version else None),
    ]


def _started_by(report: RunReport) -> str:
    if report.root is None:
        return start_text(report.start)
    _, orchestration, number = report.root
    return f"nested in {orchestration} #{number}, which was started by {start_text(report.start)}"


def start_text(start: Start) -> str:
    """As in `schedule weekdays`."""
    match start.origin:
        case Origin.SCHEDULE:
            return f"schedule {start.schedule}" if start.schedule else "a schedule"
        case Origin.TRIGGER:
            return f"trigger {start.trigger} (its tables were updated)" if start.trigger else "a trigger"
        case Origin.MANUAL:
            return f"{start.requested_by} by hand" if start.requested_by else "a person"
        case Origin.RETRY:
            return f"a retry by {start.requested_by}" if start.requested_by else "a retry"
        case Origin.API:
            return f"the API ({start.requested_by})" if start.requested_by else "the API"
        case Origin.PARENT:
            return "another run"


def _problem(task: FailedTask) -> Problem:
    parts = [f"phase {task.phase}", task.status.value]
    if task.attempts > 1:
        parts.append(f"after {task.attempts} attempts")
    if duration := span(task.started_at, task.finished_at):
        parts.append(duration)
    if task.continued:
        parts.append("the run continued")
    title = _path(task)
    if title.rpartition(" → ")[2] != task.what:
        title = f"{title} ({task.what})"
    return Problem(
        title=one_line(title, 200),
        note=one_line(" · ".join(parts), 200),
        message=paragraph(task.message, MESSAGE_CHARACTERS) or "no message",
        log=lines(task.log, limit=LOG_LINES, width=LOG_WIDTH),
    )


def _path(task: FailedTask) -> str:
    return " → ".join(task.names)


def _named(names: Sequence[str], total: int) -> str:
    shown = list(names[:2])
    if not shown:
        return ""
    rest = total - len(shown)
    return f"{', '.join(shown)} and {rest} more" if rest > 0 else " and ".join(shown)


def _more(count: int) -> str:
    return f"and {count} more {'task' if count == 1 else 'tasks'}" if count > 0 else ""


def look_at(report: RunReport, public_url: str | None) -> Action:
    """Where the run is shown."""
    return Action(
        "Look at the run",
        run_url(report, public_url),
        f"orchestrator jobs show {report.id} --project {report.project}",
    )


def run_url(report: RunReport, public_url: str | None, dialog: str = "") -> str | None:
    """The page of the run, or one of its dialogs: `retry`, `termination`."""
    base = _orchestration_url(report.project, report.orchestration, public_url)
    return f"{base}/runs/{report.number}{dialog and f'/{dialog}'}" if base else None


def _run_actions(report: RunReport, public_url: str | None) -> list[Action]:
    shown = look_at(report, public_url)
    if report.status is JobStatus.SUCCESS:
        return [shown]
    # A nested run is repeated as what it is: its parent's version and selection are not ours to guess.
    chosen = list(report.to_repeat)
    tasks = (
        "".join(f" --task {shlex.quote(one_line(task, 200))}" for task in chosen)
        if 0 < len(chosen) <= REPEATED_AT_MOST
        else ""
    )
    label = "Run what did not succeed again" if tasks else "Run it again"
    url = run_url(report, public_url, "retry")
    again = Action(label, url, f"orchestrator run {report.orchestration} --project {report.project}{tasks}")
    return [shown, again]


def missed_content(report: MissedReport, audience: Audience, public_url: str | None) -> Content:
    """Missed fires of a schedule, or a trigger's missed deadline."""
    is_schedule = audience.event == NotificationEvent.SCHEDULE_MISSED
    subject, summary, rows = _schedule_words(report) if is_schedule else _deadline_words(report)
    why, change, change_url = why_notified(report.project, report.orchestration, audience, public_url)
    url = _orchestration_url(report.project, report.orchestration, public_url)
    look = [Action("Look at the orchestration", url, None)] if url else []
    command = f"orchestrator run {report.orchestration} --project {report.project}"
    return Content(
        subject=one_line(f"[{report.project}] {subject}", SUBJECT_CHARACTERS),
        tone=Tone.WARNING,
        badge="Missed" if is_schedule else "Late",
        title=one_line(subject, SUBJECT_CHARACTERS),
        summary=summary,
        rows=[(label, one_line(value, 300)) for label, value in rows if value],
        problems=[],
        more="",
        actions=[*look, Action("Run it now", None, command)],
        why=why,
        change=change,
        change_url=change_url,
    )


Words = tuple[str, str, list[tuple[str, str]]]


def _schedule_words(report: MissedReport) -> Words:
    fires = "1 fire" if report.count == 1 else f"{report.count} fires"
    rows = [
        ("Orchestration", report.orchestration),
        ("Project", report.project),
        ("Schedule", " ".join(filter(None, (report.source, report.rhythm)))),
        ("Missed", fires),
        ("First", instant(report.first) if report.first else ""),
        ("Last", instant(report.last) if report.last and report.count > 1 else ""),
    ]
    summary = (
        f"{fires.capitalize()} of the schedule passed while no scheduler ran, and "
        f"{'was' if report.count == 1 else 'were'} not made up."
    )
    return f"{report.orchestration} missed {fires} of schedule {report.source}", summary, rows


def _deadline_words(report: MissedReport) -> Words:
    named = ", ".join(report.late_tables)
    rest = report.late_count - len(report.late_tables)
    rows = [
        ("Orchestration", report.orchestration),
        ("Project", report.project),
        ("Trigger", report.source),
        ("Deadline", instant(report.last) if report.last else ""),
        ("Late tables", f"{named} and {rest} more" if rest > 0 else named),
    ]
    summary = "Not all tables of the trigger were updated by its deadline."
    return f"{report.orchestration}: tables of trigger {report.source} are late", summary, rows


def why_notified(
    project: str, orchestration: str, audience: Audience, public_url: str | None
) -> tuple[str, str, str | None]:
    """Why this person gets the mail, and how and where to unsubscribe."""
    if audience.reason is Reason.STARTER:
        why = f"You get this because you started this run as {one_line(audience.recipient, 320)}."
        return why, "No one else is notified of a run that a person starts.", None
    why = (
        f"You get this because {one_line(audience.recipient, 320)} is subscribed to the event "
        f"“{audience.event}” of the orchestration {orchestration} in the project {project}."
    )
    change = (
        f"To unsubscribe, remove “{audience.event}” from this address under “notify” in the definition of "
        f"{orchestration} and apply it, or change the notifications of the orchestration."
    )
    return why, change, _orchestration_url(project, orchestration, public_url)


def _orchestration_url(project: str, orchestration: str, public_url: str | None) -> str | None:
    path = f"projects/{quote(project, safe='')}/orchestrations/{quote(orchestration, safe='')}"
    return f"{public_url}/{path}" if public_url else None
