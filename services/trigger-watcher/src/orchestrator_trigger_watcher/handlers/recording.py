"""Storing and publishing what was decided, in the transaction that decided it."""

from functools import partial

from orchestrator_shared.contracts.commands import RunRequested
from orchestrator_shared.domain.statuses import Origin
from orchestrator_shared.messaging.outbox import UnitOfWork
from orchestrator_trigger_watcher import metrics
from orchestrator_trigger_watcher.adapters.trigger_store import TriggerStore
from orchestrator_trigger_watcher.domain.decisions import Fire
from orchestrator_trigger_watcher.domain.ledger import Ledger
from orchestrator_trigger_watcher.domain.states import TriggerState


async def record(work: UnitOfWork, ledger: Ledger) -> None:
    """Save states, dispositions, fires and ends, and request runs."""
    triggers = TriggerStore(work.connection)
    await triggers.save(states=ledger.changed())
    await triggers.record_dispositions(disposed=ledger.disposed)
    for state, fire in ledger.fires:
        await triggers.record_fire(trigger_id=state.id, fire=fire)
        work.publish(run_request(state, fire))
    for _, ended in ledger.ended:
        seconds = await triggers.record_end(ended=ended)
        if seconds is not None:
            work.after_commit(partial(metrics.UPDATE_TO_RUN_SECONDS.observe, max(0.0, seconds)))
    work.after_commit(lambda: _count(ledger))


def run_request(state: TriggerState, fire: Fire) -> RunRequested:
    return RunRequested(
        job_id=fire.job_id,
        project=state.project,
        configuration=state.orchestration,
        origin=Origin.TRIGGER,
        requested_at=fire.at,
        scheduled_for=fire.at,
        requested_by=f"trigger {state.name}"[:200],
        trigger_id=state.id,
        generation=fire.generation,
        chain_length=fire.chain_length,
    )


def _count(ledger: Ledger) -> None:
    for disposed in ledger.disposed:
        metrics.DISPOSITIONS.labels(disposed.disposition.value).inc()
    metrics.FIRES.inc(len(ledger.fires))
    for _, ended in ledger.ended:
        metrics.PENDING_ENDS.labels(ended.how.value).inc()
