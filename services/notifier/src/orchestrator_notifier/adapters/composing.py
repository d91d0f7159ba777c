"""Renders content as a mail: text and HTML from templates, headers safe from injection."""

from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from orchestrator_notifier.domain.addresses import Sender, parse_address
from orchestrator_notifier.domain.content import Content


class Composer:
    """Holds the templates and the sender."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender
        environment = Environment(
            loader=PackageLoader("orchestrator_notifier", "templates"),
            autoescape=select_autoescape(("html", "html.j2")),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )
        self._text = environment.get_template("mail.txt.j2")
        self._html = environment.get_template("mail.html.j2")

    def compose(
        self, content: Content, *, recipient: str, message_id: str, thread: str | None, at: datetime
    ) -> EmailMessage:
        """`thread` is the same for all mails of one orchestration, others have none; raises BadAddress."""
        address = parse_address(recipient)
        message = EmailMessage(policy=SMTP)
        message["From"] = self._sender.address
        message["To"] = address
        message["Subject"] = content.subject.replace("=?", "= ")  # else read as an encoded word
        message["Date"] = format_datetime(at)
        message["Message-ID"] = message_id
        if thread is not None:
            message["In-Reply-To"] = thread
            message["References"] = thread
        message["Auto-Submitted"] = "auto-generated"
        message["X-Auto-Response-Suppress"] = "All"
        message.set_content(self.text(content), cte="quoted-printable")
        message.add_alternative(self.html(content), subtype="html", cte="quoted-printable")
        return message

    def text(self, content: Content) -> str:
        """For mail programs without HTML."""
        return self._text.render(mail=content)

    def html(self, content: Content) -> str:
        """Styles inline, nothing loaded from anywhere."""
        return self._html.render(mail=content)

    def thread(self, project: str, orchestration: str) -> str | None:
        """The message id that all mails of one orchestration refer to; None if it is about none."""
        if not orchestration:
            return None
        return f"<orchestration.{project}.{orchestration}@{self._sender.domain}>"

    @property
    def sender(self) -> Address:
        """For the envelope."""
        return self._sender.address
