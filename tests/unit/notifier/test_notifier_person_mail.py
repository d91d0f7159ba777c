"""What mails about people's own accounts say, and when there is none to send."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator_notifier.adapters.composing import Composer
from orchestrator_notifier.domain.addresses import Sender
from orchestrator_notifier.domain.facts import Reason, Recipient, recipients
from orchestrator_notifier.domain.person_mail import Links, PersonMail, person_content
from orchestrator_shared.domain.link_purposes import LinkPurpose
from orchestrator_shared.links import verify_link

AT = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
KEY = b"l" * 32
LINKS = Links("https://o.example.com", KEY)
COMPOSER = Composer(Sender.parse("o@example.com"))
ANYTHING = st.text(st.characters(codec=None, exclude_categories=()), max_size=300)
MAIL = PersonMail(
    link_id=UUID(int=7),
    email="eva@example.com",
    name="Eva",
    project="demo",
    project_name="Demo",
    inviter="Adam",
    purpose=LinkPurpose.INVITE,
    expires_at=AT + timedelta(days=7),
    used_at=None,
    disabled_at=None,
)


def text(mail: PersonMail) -> str:
    url = LINKS.url(mail)
    assert url is not None
    content = person_content(mail, url)
    assert f'href="{url}"' in COMPOSER.html(content)
    return COMPOSER.text(content)


def test_an_invitation_names_who_invites_and_to_what() -> None:
    said = text(MAIL)
    assert said.splitlines()[0] == "You are invited to the project Demo"
    assert "Adam invites you to the project Demo. Set a password to sign in." in said
    assert "The link works once." in said
    assert "Project:       Demo (demo)" in said
    assert "Sign in as:    eva@example.com" in said
    assert "Valid until:   2026-12-07 12:00" in said
    assert "ignore this mail" in said
    without = text(replace(MAIL, project=None, project_name=None, inviter=None))
    assert "An administrator invites you to Orchestrator." in without
    assert "Project:" not in without


def test_a_reset_says_what_to_do_if_someone_else_asked() -> None:
    said = text(replace(MAIL, purpose=LinkPurpose.RESET, project=None, project_name=None))
    assert said.splitlines()[0] == "Set a new password"
    assert "If it was not you, ignore this mail: your password stays as it is." in said
    assert "Adam" not in said


def test_the_first_administrator_is_told_so() -> None:
    assert "You are the administrator" in text(replace(MAIL, purpose=LinkPurpose.FIRST))


def test_the_link_is_the_one_that_the_api_accepts() -> None:
    url = LINKS.url(MAIL)
    assert url is not None
    found = verify_link([KEY], url.removeprefix("https://o.example.com/links/"), AT)
    assert found is not None
    assert (found.link_id, found.purpose) == (MAIL.link_id, LinkPurpose.INVITE)
    assert Links(None, KEY).url(MAIL) is None


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({}, None),
        ({"used_at": AT}, "the link was used or withdrawn already"),
        ({"disabled_at": AT}, "the account is disabled"),
        ({"expires_at": AT}, "the link has expired"),
        ({"email": "other@example.com"}, "the person's address has changed"),
    ],
)
def test_there_is_nothing_to_send_once_the_link_is_over(fields: dict[str, Any], why: str | None) -> None:
    assert replace(MAIL, **fields).why_not("eva@example.com", AT) == why


def test_the_fact_has_one_recipient_and_holds_neither_link_nor_project() -> None:
    fact = MAIL.fact
    assert recipients(fact, [], set()) == [Recipient("eva@example.com", Reason.PERSON)]
    assert (fact.key, fact.event) == (f"person-mail:{MAIL.link_id}", "person-invite")
    assert (fact.project, fact.orchestration, fact.channel) == ("", "", "link")
    assert fact.detail == {"link_id": str(MAIL.link_id)}


@given(name=ANYTHING, inviter=ANYTHING, purpose=st.sampled_from(LinkPurpose))
def test_names_smuggle_nothing_into_a_mail(name: str, inviter: str, purpose: LinkPurpose) -> None:
    mail = replace(MAIL, name=name, inviter=inviter, project_name=name, purpose=purpose)
    url = LINKS.url(mail)
    assert url is not None
    content = person_content(mail, url)
    message = COMPOSER.compose(
        content, recipient=mail.email, message_id="<1@example.com>", thread=COMPOSER.thread("", ""), at=AT
    )
    assert message["To"] == "eva@example.com"
    assert "References" not in message
    assert COMPOSER.html(content).count("href=") == 1
    assert url in COMPOSER.text(content)
