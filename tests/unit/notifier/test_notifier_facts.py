"""Which facts a run makes, and who hears of them."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from orchestrator_notifier.domain.facts import (
    Fact,
    FinishedRun,
    Reason,
    Recipient,
    deadline_missed,
    facts_of_run,
    recipients,
    schedule_missed,
)
from orchestrator_shared.contracts.events import ScheduleMissed, TriggerDeadlineMissed
from orchestrator_shared.domain.statuses import FINAL_STATUSES, JobStatus, NotificationEvent

RUN = UUID(int=7)
ROOT = UUID(int=1)
FIRST = datetime(2026, 3, 2, 4, 30, tzinfo=UTC)


def ended(status: JobStatus, **fields: Any) -> list[Fact]:
    given: dict[str, Any] = {"attended": False, "notify": None, "previous_status": None, **fields}
    return facts_of_run(
        FinishedRun(id=RUN, root_id=ROOT, project="demo", orchestration="campaigns", status=status, **given)
    )


@pytest.mark.parametrize("status", sorted(FINAL_STATUSES))
def test_an_unattended_end_is_for_subscribers_only_if_it_ended_by_itself(status: JobStatus) -> None:
    (fact,) = ended(status, notify="me@example.com")
    assert fact.key == f"run-finished:{RUN}"
    assert fact.event == status.value
    assert fact.starter is None
    assert fact.to_subscribers is (status in {JobStatus.ERROR, JobStatus.WARNING, JobStatus.SUCCESS})


@pytest.mark.parametrize("status", sorted(FINAL_STATUSES))
def test_an_attended_end_is_for_the_starter_whatever_it_was(status: JobStatus) -> None:
    (fact,) = ended(status, attended=True, notify="me@example.com", previous_status=JobStatus.ERROR)
    assert fact.starter == "me@example.com"
    assert not fact.to_subscribers


def test_a_declined_message_is_a_fact_for_no_one() -> None:
    (fact,) = ended(JobStatus.ERROR, attended=True)
    assert recipients(fact, ["a@example.com"], set()) == []


@pytest.mark.parametrize(
    ("status", "previous", "recovers"),
    [
        (JobStatus.SUCCESS, JobStatus.ERROR, True),
        (JobStatus.SUCCESS, JobStatus.WARNING, True),
        (JobStatus.SUCCESS, JobStatus.TERMINATED, True),
        (JobStatus.SUCCESS, JobStatus.SUCCESS, False),
        (JobStatus.SUCCESS, None, False),
        (JobStatus.WARNING, JobStatus.ERROR, False),
    ],
)
def test_a_recovery(status: JobStatus, previous: JobStatus | None, recovers: bool) -> None:
    events = [fact.event for fact in ended(status, previous_status=previous)]
    assert events == [NotificationEvent.RECOVERED.value] * recovers + [status.value]


def test_each_address_is_notified_once_whatever_its_case() -> None:
    (fact,) = ended(JobStatus.SUCCESS)
    addresses = ["b@example.com", "A@example.com", "a@EXAMPLE.com", "c@example.com"]
    assert recipients(fact, addresses, {"c@example.com"}) == [
        Recipient("A@example.com", Reason.SUBSCRIPTION),
        Recipient("b@example.com", Reason.SUBSCRIPTION),
    ]


def test_missed_facts_have_natural_keys() -> None:
    fires = ScheduleMissed(
        schedule_id=RUN, project="demo", orchestration="campaigns", count=2, first=FIRST, last=FIRST
    )
    late = TriggerDeadlineMissed(
        trigger_id=RUN,
        project="demo",
        orchestration="campaigns",
        deadline=FIRST,
        late_tables=[f"in.c-x.t{n}" for n in range(80)],
    )
    assert schedule_missed(fires).key == f"schedule-missed:{RUN}:1772425800000000:1772425800000000"
    fact = deadline_missed(late)
    assert fact.key == f"deadline-missed:{RUN}:1772425800000000"
    assert (len(fact.detail["late_tables"]), fact.detail["late_count"]) == (50, 80)
