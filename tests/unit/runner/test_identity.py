"""One job id is one job."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

from orchestrator_runner.queue.identity import each_once, id_of_refusal, owner_of, unknown
from orchestrator_shared.contracts.commands import RunRequested
from orchestrator_shared.domain.statuses import Origin

NOW = datetime(2026, 11, 21, tzinfo=UTC)


def request(job_id: UUID, project: str) -> RunRequested:
    return RunRequested(
        job_id=job_id,
        project=project,
        configuration="daily",
        origin=Origin.API,
        requested_at=NOW,
        scheduled_for=NOW,
    )


def test_a_repetition_is_left_out_and_a_foreign_id_is_refused() -> None:
    job = uuid4()
    own, foreign = request(job, "a"), request(job, "b")
    heard = each_once([own, foreign, own, foreign])
    first, second = unknown(heard, {})
    assert (first.request, first.is_refused) == (own, False)
    assert (second.request.job_id, second.is_refused) == (id_of_refusal(foreign), True)
    assert second.request.project == "b"
    known = {each.request.job_id: owner_of(each.request) for each in (first, second)}
    assert unknown(heard, known) == []
