"""Where the demo looks for the mail about the failed run: a folder of files, or a Mailpit server."""

import json
import re
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from orchestrator_cli.output import moment
from orchestrator_cli.transport import Connection, NoAnswer, Request, Transport, target
from orchestrator_local.demo.outcomes import Mail
from orchestrator_local.stack.mail_sink import mails

MAIL_LINES = 8
WHOLE = 1000


class Mailbox(Protocol):
    """Finds the mail whose subject names a run (`broken #3`), among those received since a given time."""

    @property
    def place(self) -> str: ...

    def find(self, title: str, since: datetime) -> Mail | None: ...


class FolderMailbox:
    """The local stack's mail sink."""

    def __init__(self, folder: Path, place: str) -> None:
        self._folder = folder
        self.place = place

    def find(self, title: str, since: datetime) -> Mail | None:
        for mail in mails(self._folder):
            if mail.file.stat().st_mtime >= since.timestamp() and _names(mail.subject, title):
                return Mail(mail.to, mail.subject, _shown(mail.first_lines(WHOLE)))
        return None


class MailpitMailbox:
    """The mail catcher of the compose file, over its HTTP API."""

    def __init__(self, url: str, *, transport: Transport | None = None) -> None:
        self.place = url.rstrip("/")
        self._transport = transport or Connection(self.place)

    def find(self, title: str, since: datetime) -> Mail | None:
        try:
            newest = self._get("/messages", limit="50")["messages"]
            for mail in newest:
                if _names(mail["Subject"], title) and (moment(mail["Created"]) or since) >= since:
                    return self._read(mail)
        except (NoAnswer, ValueError, KeyError, TypeError):
            return None  # it may still be starting; the report mentions a mail that never arrives
        return None

    def _get(self, path: str, **params: str) -> Any:
        return json.loads(self._transport.send(Request("GET", target(f"/api/v1{path}", params))).body)

    def _read(self, mail: Any) -> Mail:
        text = str(self._get(f"/message/{mail['ID']}").get("Text", ""))
        return Mail(str(mail["To"][0]["Address"]), str(mail["Subject"]), _shown(text.splitlines()))


def _names(subject: str, title: str) -> bool:
    """`broken #12` does not match `broken #1`."""
    return re.search(rf"{re.escape(title)}(?!\d)", subject) is not None


def _shown(lines: Sequence[str]) -> tuple[str, ...]:
    """The first lines with content, skipping empty lines and underlines."""
    return tuple(line for line in lines if line.strip(" =-"))[:MAIL_LINES]
