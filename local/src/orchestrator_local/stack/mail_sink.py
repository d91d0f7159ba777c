"""A mail server for a local stack that delivers nothing: it writes every mail to a file."""

import asyncio
import contextlib
import itertools
import os
import signal
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path

LARGEST_MAIL = 5 * 1024 * 1024


@dataclass(frozen=True)
class SinkedMail:
    """A mail that would have been sent."""

    file: Path
    message: EmailMessage

    @property
    def subject(self) -> str:
        return str(self.message["Subject"] or "")

    @property
    def to(self) -> str:
        return str(self.message["To"] or "")

    def first_lines(self, count: int) -> list[str]:
        body = self.message.get_body(("plain",))
        text = str(body.get_content()) if body is not None else ""
        return [line for line in text.splitlines() if line.strip()][:count]


def mails(folder: Path) -> list[SinkedMail]:
    """The mails of a sink, oldest first."""
    return [SinkedMail(file, _parse(file)) for file in sorted(folder.glob("*.eml"))]


def _parse(file: Path) -> EmailMessage:
    return BytesParser(policy=policy.default).parsebytes(file.read_bytes())


class FolderHandler:
    """Writes each mail to a file, named so that file names sort by arrival."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = itertools.count()

    async def handle_DATA(self, server: object, session: object, envelope: object) -> str:  # noqa: N802
        content = bytes(getattr(envelope, "content", b"") or b"")
        at = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%fZ")
        file = self._folder / f"{at}-{os.getpid()}-{next(self._numbers):04d}.eml"
        descriptor = os.open(file.with_suffix(".part"), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
        file.with_suffix(".part").replace(file)
        return "250 kept"


async def serve(port: int, folder: Path) -> None:
    from aiosmtpd.smtp import SMTP

    loop = asyncio.get_running_loop()
    handler = FolderHandler(folder)
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    server = await loop.create_server(
        lambda: SMTP(handler, data_size_limit=LARGEST_MAIL, enable_SMTPUTF8=True), "127.0.0.1", port
    )
    await stopping.wait()
    server.close()
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(server.wait_closed(), 2)


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), Path(sys.argv[2])))
