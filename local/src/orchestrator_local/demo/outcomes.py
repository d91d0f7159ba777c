"""What the demo observed, and whether it matches what was expected."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from orchestrator_cli.client import Json
from orchestrator_cli.output import moment
from orchestrator_cli.progress.tree import is_final
from orchestrator_local.demo.bars import TaskSpan, have_overlap, phases_are_apart, spans_of
from orchestrator_local.demo.scenario import BY_EVENT, BY_HAND, BY_TIME, EXPECTED_END, ON_PURPOSE, ORIGINS

MOST_LATE_SECONDS = 10.0


@dataclass
class ObservedRun:
    """A run as last seen; empty until the run exists."""

    job: Json = field(default_factory=dict)
    phases: list[Json] = field(default_factory=list)

    @property
    def is_known(self) -> bool:
        return bool(self.job)

    @property
    def is_finished(self) -> bool:
        return is_final(self.job)

    @property
    def status(self) -> str:
        return str(self.job.get("status", "never started"))

    @property
    def spans(self) -> list[TaskSpan]:
        return spans_of(self.phases)

    def first_failure(self) -> Json:
        """The first task's job that ended in error."""
        jobs = (task.get("job") or {} for phase in self.phases for task in phase["tasks"])
        return next((job for job in jobs if job.get("status") == "error"), {})


@dataclass(frozen=True)
class Mail:
    """A mail as its reader sees it."""

    to: str
    subject: str
    lines: tuple[str, ...]


@dataclass
class Evidence:
    """Everything that the report shows."""

    runs: dict[str, ObservedRun] = field(default_factory=lambda: {name: ObservedRun() for name in ORIGINS})
    trigger: Json = field(default_factory=dict)
    fire: Json = field(default_factory=dict)
    mail: Mail | None = None
    delivery: Json = field(default_factory=dict)
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    sees_mails: bool = True
    sees_warehouse: bool = True


@dataclass(frozen=True)
class Check:
    """One expectation and whether it holds."""

    text: str
    holds: bool


def checks(evidence: Evidence) -> list[Check]:
    """Every expectation of the demo; it succeeds only if all of them hold."""
    return [
        *(_run_check(name, evidence.runs[name]) for name in ORIGINS),
        *_order_checks(evidence.runs[BY_HAND].spans),
        _event_check(evidence),
        _time_check(evidence.runs[BY_TIME].job),
        _mail_check(evidence),
        *_result_checks(evidence),
    ]


def _run_check(name: str, run: ObservedRun) -> Check:
    expected, origin = EXPECTED_END[name], ORIGINS[name]
    holds = run.status == expected and run.job.get("origin") == origin
    seen = f" (actual: {run.status}, {run.job.get('origin', 'not started')})" if not holds else ""
    return Check(f"{name}: started by {origin}, ends with {expected}{seen}", holds)


def _order_checks(spans: Sequence[TaskSpan]) -> list[Check]:
    first = [span for span in spans if spans and span.phase == spans[0].phase]
    return [
        Check(f"{BY_HAND}: tasks of one phase run at the same time", have_overlap(first)),
        Check(f"{BY_HAND}: a phase begins when the one before has ended", phases_are_apart(spans)),
    ]


def _event_check(evidence: Evidence) -> Check:
    fire = evidence.trigger.get("last_fire") or {}
    ours = evidence.runs[BY_EVENT].is_known and fire.get("job_id") == evidence.runs[BY_EVENT].job.get("id")
    return Check(
        f"{BY_EVENT}: the trigger started the run, for two of two tables", ours and len(fire["tables"]) == 2
    )


def _time_check(job: Json) -> Check:
    late = lateness(job)
    fine = late is not None and 0 <= late <= MOST_LATE_SECONDS
    return Check(f"{BY_TIME}: requested within {MOST_LATE_SECONDS:g} s of its full minute", fine)


def _mail_check(evidence: Evidence) -> Check:
    text = f"{ON_PURPOSE}: a mail reports it"
    if evidence.sees_mails:
        return Check(text, evidence.mail is not None)
    return Check(text, evidence.delivery.get("status") == "sent")


def _result_checks(evidence: Evidence) -> list[Check]:
    return [Check("the result has rows", bool(evidence.rows))] if evidence.sees_warehouse else []


def lateness(job: Json) -> float | None:
    """Seconds between the scheduled time of a fire and the start of its run."""
    due, began = moment(job.get("scheduled_for")), moment(job.get("started_at") or job.get("accepted_at"))
    return (began - due).total_seconds() if due and began else None


def seconds_between(earlier: str | None, later: str | None) -> float | None:
    a, b = moment(earlier), moment(later)
    return (b - a).total_seconds() if a and b else None
