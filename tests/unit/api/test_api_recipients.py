"""Who will be notified of a run, as the api tells it, is whom the notifier will notify."""

from uuid import uuid4

import pytest

from orchestrator_api.notifications.recipients import (
    Recipients,
    recipients_of_manual_run,
    recipients_of_unattended_run,
)
from orchestrator_notifier.domain.facts import FinishedRun, facts_of_run, recipients
from orchestrator_shared.domain.statuses import JobStatus
from orchestrator_shared.domain.subscriptions import SUBSCRIBABLE, Subscription

ADA, BOB = "ada@example.com", "bob@example.com"
SUBSCRIPTIONS = [
    Subscription("error", ADA),
    Subscription("error", "Ada@Example.com"),
    Subscription("success", BOB),
    Subscription("recovered", ADA),
    Subscription("processing_long", BOB, percent=30),
    Subscription("waiting_long", BOB, minutes=5),
]
ENDS = [
    status for status in JobStatus if status in ("error", "warning", "success", "terminated", "cancelled")
]


def addresses(found: Recipients, event: str) -> set[str]:
    told = {each.event: each.recipients for each in found.events}
    return {recipient.address.lower() for recipient in told.get(event, [])}


def notified(run: FinishedRun) -> dict[str, set[str]]:
    """Whom the notifier notifies of each fact about a run."""
    return {
        fact.event: {
            each.address.lower()
            for each in recipients(
                fact,
                [each.address for each in SUBSCRIPTIONS if each.event == fact.event and fact.to_subscribers],
                set(),
            )
        }
        for fact in facts_of_run(run)
    }


def ended(status: JobStatus, *, attended: bool, previous: JobStatus | None = None) -> FinishedRun:
    run, starter = uuid4(), BOB if attended else None
    return FinishedRun(run, run, "demo", "daily", status, attended, starter, previous)


@pytest.mark.parametrize("status", ENDS)
def test_of_a_manual_run_only_its_starter_hears(status: JobStatus) -> None:
    told = recipients_of_manual_run(BOB)
    for event, wanted in notified(ended(status, attended=True)).items():
        assert addresses(told, event) == wanted == {BOB}
    assert all(not each.recipients for each in recipients_of_manual_run(None).events)


@pytest.mark.parametrize("status", ENDS)
@pytest.mark.parametrize("previous", [None, JobStatus.ERROR])
def test_of_an_unattended_run_subscribers_hear(status: JobStatus, previous: JobStatus | None) -> None:
    told = recipients_of_unattended_run(SUBSCRIPTIONS)
    for event, wanted in notified(ended(status, attended=False, previous=previous)).items():
        assert addresses(told, event) == wanted, event


def test_every_event_is_told_with_its_reason() -> None:
    told = recipients_of_unattended_run(SUBSCRIPTIONS)
    assert [each.event for each in told.events] == [event.value for event in SUBSCRIBABLE]
    reasons = {each.event: [one.because for one in each.recipients] for each in told.events}
    assert reasons["error"] == ["is subscribed to error"], "an address once, whatever its case"
    assert reasons["processing_long"] == [
        "is subscribed to processing_long, when it takes 30 % longer than usual"
    ]
    assert reasons["waiting_long"] == ["is subscribed to waiting_long, when it waits longer than 5 minutes"]
    assert reasons["warning"] == []
