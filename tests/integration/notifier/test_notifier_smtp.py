"""TLS, login and slow answers, against real SMTP servers."""

import asyncio
import ipaddress
import ssl
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Literal

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from tests.integration.notifier.conftest import IMPATIENT, Stage, StartNotifier
from tests.support.smtp_sink import SmtpSink
from tests.support.waiting import eventually

from orchestrator_local.servers.processes import free_port
from orchestrator_notifier.adapters.smtp import ServerUnusable, SmtpServer

USER, PASSWORD = "orchestrator", "correct horse"
Tls = Literal["none", "starttls", "tls"]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed one for 127.0.0.1, with its key in the same file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test mail server")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "server.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return file


def _authenticate(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
    known = isinstance(data, LoginPassword) and (data.login, data.password) == (
        USER.encode(),
        PASSWORD.encode(),
    )
    return AuthResult(success=known, handled=False)


@pytest.fixture
async def secure_sink(certificate: Path) -> AsyncIterator[tuple[SmtpSink, int]]:
    """A server that takes mails only after STARTTLS and login."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    sink, port = SmtpSink(), free_port()
    controller = Controller(
        sink,
        hostname="127.0.0.1",
        port=port,
        tls_context=context,
        require_starttls=True,
        auth_required=True,
        authenticator=_authenticate,
    )
    await asyncio.to_thread(controller.start)
    yield sink, port
    await asyncio.to_thread(controller.stop)


def server(port: int, tls: Tls, ca_file: Path | None = None, password: str | None = PASSWORD) -> SmtpServer:
    return SmtpServer(
        host="127.0.0.1",
        port=port,
        tls=tls,
        username=USER if password else None,
        password=password,
        ca_file=ca_file,
        connect_seconds=3,
        send_seconds=3,
    )


def message() -> EmailMessage:
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = "o@example.com", "a@example.com", "hello"
    made.set_content("hello")
    return made


async def test_starttls_with_a_login(secure_sink: tuple[SmtpSink, int], certificate: Path) -> None:
    sink, port = secure_sink
    async with server(port, "starttls", certificate).connected() as connection:
        for _ in range(2):
            await connection.send(message(), sender="o@example.com")
    assert len(sink.messages) == 2


async def test_wrong_passwords_and_unknown_certificates_are_the_server_and_not_the_mail(
    secure_sink: tuple[SmtpSink, int], certificate: Path
) -> None:
    _, port = secure_sink
    for unusable, expected in (
        (server(port, "starttls", certificate, "wrong"), "535"),
        (server(port, "starttls"), "certificate"),
        (server(port, "starttls", certificate / "missing"), "Not a directory"),
    ):
        with pytest.raises(ServerUnusable, match=expected):
            async with unusable.connected():
                pass


async def test_a_server_without_starttls_gets_nothing_in_clear(smtp_sink: SmtpSink) -> None:
    with pytest.raises(ServerUnusable, match="STARTTLS"):
        async with server(smtp_sink.port, "starttls", password=None).connected():
            pass
    assert smtp_sink.messages == []


async def test_a_late_answer_repeats_the_mail_with_its_message_id(
    stage: Stage, start_notifier: StartNotifier, smtp_sink: SmtpSink
) -> None:
    await stage.subscribe("campaigns", error="a@example.com")
    keep, late = smtp_sink.handle_DATA, [True]

    async def answer_late(server: Any, session: Any, envelope: Any) -> str:
        answer = await keep(server, session, envelope)
        if late.pop() if late else False:
            await asyncio.sleep(3.5)  # longer than the notifier waits
        return answer

    smtp_sink.handle_DATA = answer_late  # type: ignore[method-assign]
    await start_notifier(**IMPATIENT).ready()

    await stage.end("campaigns")
    rows = await stage.all_settled(1)

    async def twice() -> bool:
        return len(smtp_sink.messages) == 2

    await eventually(twice)
    assert {str(mail.message["Message-ID"]) for mail in smtp_sink.messages} == {rows[0]["message_id"]}
    assert rows[0]["status"] == "sent"


async def test_the_whole_of_a_send_is_bounded_not_each_step(smtp_sink: SmtpSink) -> None:
    async def slow_mail(server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        await asyncio.sleep(0.6)
        envelope.mail_from = address
        return "250 fine"

    async def slow_recipient(server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        await asyncio.sleep(0.6)
        envelope.rcpt_tos.append(address)
        return "250 fine"

    smtp_sink.handle_MAIL = slow_mail  # type: ignore[attr-defined]
    smtp_sink.handle_RCPT = slow_recipient  # type: ignore[attr-defined]
    impatient = replace(server(smtp_sink.port, "none", password=None), send_seconds=1.0)

    async with impatient.connected() as connection:
        with pytest.raises(ServerUnusable, match="no answer in time"):
            await connection.send(message(), sender="o@example.com")
    assert smtp_sink.messages == []
