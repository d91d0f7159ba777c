"""A mail that only shows that mails arrive."""

from uuid import UUID

from orchestrator_notifier.domain.facts import Reason, Recipient, recipients
from orchestrator_notifier.domain.trial_mail import trial_content, trial_fact
from orchestrator_shared.contracts.events import TestMailRequested

MESSAGE = TestMailRequested(
    test_id=UUID(int=7),
    project="demo",
    orchestration="campaigns",
    address="ops@example.com",
    requested_by="jana@example.com",
)


def test_it_goes_to_the_address_alone() -> None:
    fact = trial_fact(MESSAGE)
    assert (fact.key, fact.event) == (f"test-mail:{UUID(int=7)}", "test")
    told = recipients(fact, ["others@example.com"], set())
    assert told == [Recipient("ops@example.com", Reason.SUBSCRIPTION)]


def test_it_says_that_it_is_a_test_and_who_asked_for_it() -> None:
    content = trial_content("demo", "campaigns", "ops@example.com", "jana@example.com\nBcc: x")
    assert content.subject == "[demo] Test mail of campaigns"
    assert "Nothing has happened" in content.summary
    assert dict(content.rows)["Requested by"] == "jana@example.com Bcc: x"
