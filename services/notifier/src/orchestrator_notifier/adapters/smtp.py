"""The SMTP server: one connection per batch, every step bounded in time."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Literal

import aiosmtplib

from orchestrator_notifier.domain.retrying import is_permanent
from orchestrator_notifier.domain.text import one_line
from orchestrator_shared.domain.errors import Unavailable

QUIT_SECONDS = 2.0
REASON_CHARACTERS = 500
_CLOSING = 421


class ServerUnusable(Unavailable):
    """The server does not answer or refuses us altogether, whatever the mail."""


class Refused(Exception):
    """The server refused this mail or its recipient."""

    def __init__(self, reason: str, *, permanent: bool) -> None:
        super().__init__(reason)
        self.permanent = permanent


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """Address and settings of the SMTP server."""

    host: str
    port: int
    tls: Literal["none", "starttls", "tls"]
    username: str | None
    password: str | None
    ca_file: Path | None
    connect_seconds: float
    send_seconds: float

    @asynccontextmanager
    async def connected(self) -> AsyncIterator["Connection"]:
        """A session, with TLS and login where these are set; raises ServerUnusable."""
        client = await self._connect()
        try:
            yield Connection(client, self.send_seconds)
        finally:
            await _leave(client)

    async def _connect(self) -> aiosmtplib.SMTP:
        client: aiosmtplib.SMTP | None = None
        try:
            client = self._client()
            async with asyncio.timeout(self.connect_seconds):
                await client.connect()
            return client
        except BaseException as error:
            if client is not None:
                client.close()
            if isinstance(error, aiosmtplib.SMTPException | OSError | ValueError):
                raise ServerUnusable(f"{self.host}:{self.port}: {explain(error)}") from error
            raise

    def _client(self) -> aiosmtplib.SMTP:
        context = None
        if self.tls != "none":
            context = ssl.create_default_context(cafile=str(self.ca_file) if self.ca_file else None)
        return aiosmtplib.SMTP(
            hostname=self.host,
            port=self.port,
            username=self.username,
            password=self.password,
            use_tls=self.tls == "tls",
            start_tls=self.tls == "starttls",  # never opportunistic: without TLS there is no mail
            tls_context=context,
            timeout=self.connect_seconds,
        )


class Connection:
    """One session with the server."""

    def __init__(self, client: aiosmtplib.SMTP, send_seconds: float) -> None:
        self._client = client
        self._send_seconds = send_seconds

    async def send(self, message: EmailMessage, *, sender: str) -> None:
        """Send it to its one recipient; raises Refused or ServerUnusable."""
        try:
            async with asyncio.timeout(self._send_seconds):
                await self._client.send_message(
                    message,
                    sender=sender,
                    recipients=[message["To"].addresses[0].addr_spec],
                    timeout=self._send_seconds,
                )
        except aiosmtplib.SMTPRecipientsRefused as error:
            refusal = error.recipients[0]
            raise _refusal(refusal.code, refusal.message) from error
        except aiosmtplib.SMTPSenderRefused as error:
            reason = readable(f"the sender is refused: {error.code} {error.message}")
            raise Refused(reason, permanent=False) from error
        except aiosmtplib.SMTPResponseException as error:
            raise _refusal(error.code, error.message) from error
        except (aiosmtplib.SMTPNotSupported, ValueError) as error:
            raise Refused(explain(error), permanent=True) from error
        except (aiosmtplib.SMTPException, OSError) as error:
            raise ServerUnusable(explain(error)) from error


def _refusal(code: int, message: str) -> Exception:
    reason = readable(f"{code} {message}")
    return ServerUnusable(reason) if code == _CLOSING else Refused(reason, permanent=is_permanent(code))


def explain(error: BaseException) -> str:
    """The error in one line, or its type if it has no message."""
    if isinstance(error, TimeoutError) and not str(error):
        return "no answer in time"
    return readable(str(error)) or type(error).__name__


def readable(said: str) -> str:
    """The reply of a server, in one line; old servers send Latin-1, which arrives as surrogates."""
    try:
        said.encode()
    except UnicodeEncodeError:
        said = said.encode("utf-8", "surrogateescape").decode("latin-1")
    return one_line(said, REASON_CHARACTERS)


async def _leave(client: aiosmtplib.SMTP) -> None:
    with contextlib.suppress(aiosmtplib.SMTPException, OSError):
        async with asyncio.timeout(QUIT_SECONDS):
            await client.quit()
    client.close()
