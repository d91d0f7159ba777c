"""Where the demo looks for the mail about the failed run: a folder of files, or a Mailpit server."""

from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import httpx

from orchestrator_cli.demo.outcomes import Mail
from orchestrator_cli.output import moment
from orchestrator_cli.stack.mail_sink import mails

MAIL_LINES = 8
HTTP_SECONDS = 5.0


class Mailbox(Protocol):
    """Finds a mail by a word of its subject, among those that came since a moment."""

    @property
    def place(self) -> str: ...

    def find(self, word: str, since: datetime) -> Mail | None: ...


class FolderMailbox:
    """The local stack's mail sink."""

    def __init__(self, folder: Path, place: str) -> None:
        self._folder = folder
        self.place = place

    def find(self, word: str, since: datetime) -> Mail | None:
        for mail in mails(self._folder):
            if mail.file.stat().st_mtime >= since.timestamp() and word in mail.subject:
                return Mail(mail.to, mail.subject, tuple(mail.first_lines(MAIL_LINES)))
        return None


class MailpitMailbox:
    """The mail catcher of the compose file, over its HTTP API."""

    def __init__(self, url: str, *, transport: httpx.BaseTransport | None = None) -> None:
        self.place = url.rstrip("/")
        self._http = httpx.Client(
            base_url=f"{self.place}/api/v1", timeout=HTTP_SECONDS, transport=transport, trust_env=False
        )

    def find(self, word: str, since: datetime) -> Mail | None:
        try:
            newest = self._http.get("/messages", params={"limit": "50"}).json()["messages"]
            for mail in newest:
                if word in mail["Subject"] and (moment(mail["Created"]) or since) >= since:
                    return self._read(mail)
        except (httpx.HTTPError, ValueError, KeyError, TypeError):
            return None  # it may still be starting; a mail that never comes is told in the report
        return None

    def _read(self, mail: Any) -> Mail:
        text = str(self._http.get(f"/message/{mail['ID']}").json().get("Text", ""))
        lines = [line for line in text.splitlines() if line.strip()]
        return Mail(str(mail["To"][0]["Address"]), str(mail["Subject"]), tuple(lines[:MAIL_LINES]))
