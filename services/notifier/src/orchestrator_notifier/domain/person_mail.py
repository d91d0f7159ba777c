"""Mails to one person about the own account: invitation, new password, first sign-in."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from orchestrator_notifier.domain.content import SUBJECT_CHARACTERS, Action, Content, Tone
from orchestrator_notifier.domain.facts import Fact
from orchestrator_notifier.domain.text import instant, one_line
from orchestrator_shared.domain.link_purposes import LinkPurpose
from orchestrator_shared.links import sign_link

NAME_CHARACTERS = 200
ONCE = "The link works once. Do not forward this mail: whoever opens the link can set your password."


@dataclass(frozen=True, slots=True)
class PersonMail:
    """A link and whom it is for, as they are now."""

    link_id: UUID
    email: str
    name: str
    project: str | None
    project_name: str | None
    inviter: str | None
    purpose: LinkPurpose
    expires_at: datetime
    used_at: datetime | None
    disabled_at: datetime | None

    @property
    def fact(self) -> Fact:
        """One fact, and so one mail, for each link."""
        return Fact(
            key=f"person-mail:{self.link_id}",
            project="",
            orchestration="",
            event=f"person-{self.purpose}",
            detail={"link_id": str(self.link_id)},
            person=self.email,
        )

    def why_not(self, recipient: str, now: datetime) -> str | None:
        """Why there is nothing to send any more, if so."""
        if self.disabled_at is not None:
            return "the account is disabled"
        if self.used_at is not None:
            return "the link was used or withdrawn already"
        if self.expires_at <= now:
            return "the link has expired"
        return None if self.email == recipient else "the person's address has changed"


@dataclass(frozen=True, slots=True)
class Links:
    """Derives links when mails are written; they are stored nowhere."""

    public_url: str | None
    key: bytes

    def url(self, mail: PersonMail) -> str | None:
        """None if no one said where people reach the api."""
        if self.public_url is None:
            return None
        text = sign_link(self.key, mail.link_id, mail.purpose, mail.expires_at)
        return f"{self.public_url}/links/{text}"


def person_content(mail: PersonMail, url: str) -> Content:
    """The mail with the link."""
    title, badge, summary, change = _words(mail)
    rows = [
        ("Project", _project(mail)),
        ("Invited by", mail.inviter if mail.purpose is LinkPurpose.INVITE else None),
        ("Sign in as", mail.email),
        ("Valid until", instant(mail.expires_at)),
    ]
    return Content(
        subject=one_line(title, SUBJECT_CHARACTERS),
        tone=Tone.NEUTRAL,
        badge=badge,
        title=one_line(title, SUBJECT_CHARACTERS),
        summary=f"{summary} {ONCE}",
        rows=[(label, one_line(value, 300)) for label, value in rows if value],
        problems=[],
        more="",
        actions=[Action("Set your password", url, None)],
        why=f"You get this because the account {one_line(mail.email, 320)} is yours.",
        change=change,
        change_url=None,
    )


def _project(mail: PersonMail) -> str | None:
    if not mail.project or mail.project_name in (None, mail.project):
        return mail.project
    return f"{mail.project_name} ({mail.project})"


def _words(mail: PersonMail) -> tuple[str, str, str, str]:
    """Title, badge, summary, and what to do if the mail was not expected."""
    match mail.purpose:
        case LinkPurpose.INVITE:
            where = f"the project {mail.project_name or mail.project}" if mail.project else "Orchestrator"
            inviter = one_line(mail.inviter, NAME_CHARACTERS) if mail.inviter else "An administrator"
            return (
                f"You are invited to {where}",
                "Invitation",
                f"{inviter} invites you to {one_line(where, NAME_CHARACTERS)}. Set a password to sign in.",
                "If you did not expect it, ignore this mail: nothing happens unless the link is opened.",
            )
        case LinkPurpose.RESET:
            return (
                "Set a new password",
                "Password",
                "Someone asked for a new password for your account.",
                "If it was not you, ignore this mail: your password stays as it is.",
            )
        case LinkPurpose.FIRST:
            return (
                "Your Orchestrator is ready",
                "Welcome",
                "You are the administrator of this Orchestrator. Set a password to sign in.",
                "If you did not expect it, ignore this mail: nothing happens unless the link is opened.",
            )
