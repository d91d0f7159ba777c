"""A mail that only shows that mails arrive: someone asked for it to be sent to a subscribed address."""

from orchestrator_notifier.domain.content import SUBJECT_CHARACTERS, Action, Content, Tone
from orchestrator_notifier.domain.facts import Fact
from orchestrator_notifier.domain.text import one_line
from orchestrator_shared.contracts.events import TestMailRequested

TEST = "test"
"""The event of such a fact; no one can subscribe to it."""


def trial_fact(message: TestMailRequested) -> Fact:
    """One fact, and so one mail, for each request."""
    return Fact(
        key=f"test-mail:{message.test_id}",
        project=message.project,
        orchestration=message.orchestration,
        event=TEST,
        detail={"requested_by": message.requested_by},
        subscriber=message.address,
    )


def trial_content(project: str, orchestration: str, recipient: str, requested_by: str) -> Content:
    """The mail."""
    title = f"Test mail of {orchestration}"
    return Content(
        subject=one_line(f"[{project}] {title}", SUBJECT_CHARACTERS),
        tone=Tone.NEUTRAL,
        badge="Test",
        title=one_line(title, SUBJECT_CHARACTERS),
        summary="Mails about this orchestration reach you. Nothing has happened, and there is nothing to do.",
        rows=[
            ("Project", one_line(project, 300)),
            ("Orchestration", one_line(orchestration, 300)),
            ("Requested by", one_line(requested_by, 300)),
        ],
        problems=[],
        more="",
        actions=list[Action](),
        why=f"You get this because {one_line(recipient, 320)} is subscribed to events of {orchestration}.",
        change="To unsubscribe, remove this address under “notify” in the definition of the orchestration.",
        change_url=None,
    )
