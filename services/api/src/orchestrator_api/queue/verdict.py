"""Says in one sentence what a run's time was spent on: `Whose fault was it?`"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from orchestrator_api.queue.rows import JobRef
from orchestrator_api.queue.timeline import SegmentCause, Wait
from orchestrator_shared.domain.durations import spoken_duration
from orchestrator_shared.domain.ids import ORCHESTRATOR

NEGLIGIBLE_SECONDS = 1.0
NEGLIGIBLE_SHARE = 0.01
"""Waits below both are no part of the sentence; the data has them."""
SPOKEN_SECONDS = 0.05
"""What is shorter would be called 0 s."""
MENTIONED = 3


@dataclass(frozen=True, slots=True)
class Verdict:
    """Where the time between the request and the end went, along the longest path."""

    sentence: str
    waited_seconds: float
    ran_seconds: float
    """All that was not waiting."""
    waits: Sequence[Wait]


def judge(
    elapsed_seconds: float,
    waits: Sequence[Wait],
    holders: Mapping[UUID, JobRef],
    *,
    run_id: UUID,
    has_started: bool,
    is_over: bool,
) -> Verdict:
    """The verdict; `waits` the longest first, and `run_id` the run whose own jobs are called its tasks."""
    waited = sum(wait.seconds for wait in waits)
    ran = max(elapsed_seconds - waited, 0.0)
    ran_words = f"it ran {spoken_duration(ran)}" if is_over else f"it has run {spoken_duration(ran)} so far"
    if not has_started:
        ran_words = "it never started" if is_over else "it has not started yet"
    reasons = _reasons(elapsed_seconds, waits, holders, run_id)
    if not reasons:
        sentence = f"{ran_words[:1].upper()}{ran_words[1:]} and waited for nothing."
    else:
        verb = "It waited" if is_over else "It has waited"
        total = f" {spoken_duration(waited)}:" if len(reasons) > 1 else ""
        sentence = f"{verb}{total} {_joined(reasons)}; {ran_words}."
    return Verdict(sentence, round(waited, 3), round(ran, 3), waits)


def _joined(reasons: Sequence[str]) -> str:
    """With a comma before `and`, because reasons have commas of their own."""
    return ", and ".join(filter(None, (", ".join(reasons[:-1]), reasons[-1])))


def _reasons(
    elapsed: float, waits: Sequence[Wait], holders: Mapping[UUID, JobRef], run_id: UUID
) -> list[str]:
    """`41 min for nightly-sales #411, which held csv-writer/out`: the longest, and the sum of the rest."""
    least = max(min(NEGLIGIBLE_SECONDS, NEGLIGIBLE_SHARE * elapsed), SPOKEN_SECONDS)
    long = [wait for wait in waits if wait.seconds >= least]
    shown = long if len(long) <= MENTIONED else long[: MENTIONED - 1]
    reasons = [f"{spoken_duration(wait.seconds)} {_phrase(wait, holders, run_id)}" for wait in shown]
    if rest := sum(wait.seconds for wait in long[len(shown) :]):
        reasons.append(f"{spoken_duration(rest)} for other reasons")
    return reasons


def _phrase(wait: Wait, holders: Mapping[UUID, JobRef], run_id: UUID) -> str:
    match wait.cause:
        case SegmentCause.CONFIGURATION_BUSY:
            return _for_holder(wait, holders.get(wait.holder_id) if wait.holder_id else None, run_id)
        case SegmentCause.SLOT_OR_LIMIT:
            return "for a free slot"
        case SegmentCause.DELAY:
            return "between attempts"
        case SegmentCause.ACCEPTANCE:
            return "to be accepted by a runner"
        case SegmentCause.UNDIVIDED:
            return "for its configuration or a slot"
        case SegmentCause.EARLIER_PHASE | SegmentCause.RUNNING:
            raise ValueError(f"{wait.cause} is not a wait of a job")


def _for_holder(wait: Wait, holder: JobRef | None, run_id: UUID) -> str:
    if holder is None:
        return f"for {wait.target}, which another job held"
    if holder.run_id == run_id:
        return f"for its own task {holder.task_id}, which held {wait.target}"
    if (wait.target or "").startswith(f"{ORCHESTRATOR}/"):
        return f"for {holder.name} to end"
    return f"for {holder.name}, which held {wait.target}"
