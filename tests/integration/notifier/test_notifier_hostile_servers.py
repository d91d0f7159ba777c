"""Issue 8, section B: mail servers that fall silent at any step, or answer in bytes that are no text."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.message import EmailMessage

import pytest
from tests.integration.notifier.conftest import Stage, StartNotifier
from tests.support.smtp_sink import SmtpSink

from orchestrator_notifier.adapters import smtp
from orchestrator_notifier.adapters.smtp import Refused, ServerUnusable, SmtpServer

ANSWERS = {
    "greeting": b"220 here\r\n",
    "EHLO": b"250 here\r\n",
    "MAIL": b"250 fine\r\n",
    "RCPT": b"250 fine\r\n",
    "DATA": b"354 go on\r\n",
    "body": b"250 kept\r\n",
    "QUIT": b"221 bye\r\n",
    "RSET": b"250 fine\r\n",
}
LATIN = "554 Adresse refus\u00e9e \x1b[31m\x00\r\n".encode("latin-1")


@asynccontextmanager
async def scripted(answers: dict[str, bytes], port: int = 0) -> AsyncIterator[int]:
    """A server that says this at each step, and nothing where it has nothing to say."""

    talks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await _talk(answers, reader, writer)
        finally:
            writer.close()

    def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talks.add(asyncio.create_task(serve(reader, writer)))

    async with await asyncio.start_server(begin, "127.0.0.1", port) as server:
        yield server.sockets[0].getsockname()[1]
    for talk in talks:
        talk.cancel()
    await asyncio.gather(*talks, return_exceptions=True)
    await asyncio.sleep(0)  # for their transports to close


async def _talk(
    answers: dict[str, bytes], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    writer.write(answers.get("greeting", b""))
    in_body = False
    while line := await reader.readline():
        if in_body and line != b".\r\n":
            continue
        step = "body" if in_body else line[:4].decode().strip()
        in_body = step == "DATA" and answers.get("DATA", b"").startswith(b"354")
        writer.write(answers.get(step, b""))


def impatient(port: int) -> SmtpServer:
    return SmtpServer("127.0.0.1", port, "none", None, None, None, connect_seconds=0.3, send_seconds=0.3)


def message() -> EmailMessage:
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = "o@example.com", "a@example.com", "hello"
    made.set_content("hello")
    return made


async def sent(port: int) -> None:
    async with impatient(port).connected() as connection:
        await connection.send(message(), sender="o@example.com")


@pytest.mark.parametrize("step", ["greeting", "EHLO", "MAIL", "RCPT", "DATA", "body"])
async def test_a_server_that_falls_silent_is_given_up_at_every_step(step: str) -> None:
    answers = {name: said for name, said in ANSWERS.items() if name != step}
    async with scripted(answers) as port:
        with pytest.raises(ServerUnusable):
            await sent(port)


async def test_a_server_that_never_says_goodbye_has_taken_the_mail(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smtp, "QUIT_SECONDS", 0.1)
    async with scripted({name: said for name, said in ANSWERS.items() if name != "QUIT"}) as port:
        await sent(port)


@pytest.mark.parametrize("step", ["greeting", "EHLO", "MAIL", "RCPT", "DATA", "body"])
@pytest.mark.parametrize(
    "said", [b"250-on and on\r\n" * 100_000, b"\xff\xfe\x00\r\n", b"999 what\r\n", LATIN]
)
async def test_nonsense_at_any_step_is_a_refusal_that_can_be_read(step: str, said: bytes) -> None:
    async with scripted({**ANSWERS, step: said, "HELO": said}) as port:
        with pytest.raises((ServerUnusable, Refused)) as raised:
            await sent(port)
    told = str(raised.value)
    assert told.isprintable()
    assert len(told) <= 600
    if said is LATIN and step not in ("greeting", "EHLO"):
        assert "Adresse refus\u00e9e" in told


async def test_a_refusal_in_latin_1_fails_its_mail_and_not_the_notifier(
    stage: Stage, start_notifier: StartNotifier, smtp_sink: SmtpSink
) -> None:
    """It could not be stored: the notifier ended, and sent the same mail again after its start."""
    await stage.subscribe("campaigns", error="a@example.com")
    smtp_sink.stop()
    async with scripted({**ANSWERS, "RCPT": LATIN}, smtp_sink.port):
        notifier = start_notifier()
        await notifier.ready()
        await stage.end("campaigns")
        (row,) = await stage.all_settled(1)
        assert row["status"] == "failed"
        assert row["last_error"] == "554 Adresse refus\u00e9e"
    notifier.terminate()
    assert await notifier.ended() == 0
