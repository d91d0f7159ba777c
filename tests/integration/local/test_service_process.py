"""Services under test as real processes: ready, killed, hung, cleaned up."""

import os
import signal
import smtplib
from collections.abc import Callable, Mapping
from email.message import EmailMessage
from pathlib import Path

import pytest
from tests.support.service_forks import SERVICES
from tests.support.service_process import AFRESH_VARIABLE, ServiceProcess
from tests.support.smtp_sink import SmtpSink

from orchestrator_local.servers.processes import is_alive

STAND_IN = """
import http.server, os, sys
print("hello from", os.environ.get("ORCHESTRATOR_NAME"))
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if os.path.exists("ready") else 503)
        self.end_headers()
http.server.HTTPServer(("127.0.0.1", int(os.environ["ORCHESTRATOR_HTTP_PORT"])), Handler).serve_forever()
"""


@pytest.fixture
def stand_in(tmp_path: Path) -> str:
    """A module that the child finds in its working folder."""
    (tmp_path / "stand_in.py").write_text(STAND_IN)
    return "stand_in"


Launch = Callable[[str, Mapping[str, str]], ServiceProcess]


async def test_it_gets_ready_dies_and_starts_again(
    service_process: Launch, stand_in: str, tmp_path: Path
) -> None:
    service = service_process(stand_in, {"ORCHESTRATOR_NAME": "me"})
    with pytest.raises(AssertionError, match="503"):
        await service.ready(timeout=2)
    (tmp_path / "ready").touch()
    await service.ready()
    assert "hello from me" in service.log_tail()
    first = service.pid
    service.kill()
    assert service.exit_code == -signal.SIGKILL
    service.start()
    await service.ready()
    assert service.pid != first
    service.terminate()
    assert await service.ended() == -signal.SIGTERM


@pytest.mark.parametrize("module", sorted(SERVICES))
async def test_a_forked_service_is_the_one_that_production_starts(
    service_process: Launch, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, module: str
) -> None:
    """What it says and how it ends without settings, whom it leads, and that its environment is hidden."""
    forked = service_process(module, {"ORCHESTRATOR_LOG_LEVEL": "loud"})
    assert os.getsid(forked.pid) == forked.pid
    assert b"loud" not in Path(f"/proc/{forked.pid}/environ").read_bytes()
    monkeypatch.setenv(AFRESH_VARIABLE, "1")
    afresh = service_process(module, {"ORCHESTRATOR_LOG_LEVEL": "loud"})

    assert await forked.ended() == await afresh.ended() == 2
    assert "ORCHESTRATOR_LOG_LEVEL" in forked.log_tail()
    assert forked.log_tail() == afresh.log_tail()


async def test_an_early_end_is_told_with_the_log(service_process: Launch) -> None:
    service = service_process("no_such_module", {})
    with pytest.raises(AssertionError, match="No module named no_such_module"):
        await service.ready()


async def test_a_hung_service_is_cleaned_up(stand_in: str, tmp_path: Path) -> None:
    (tmp_path / "ready").touch()
    service = ServiceProcess(stand_in, {}, tmp_path)
    service.start()
    await service.ready()
    service.suspend()
    pid = service.pid
    service.clean_up()
    assert not is_alive(pid)


def test_the_mail_sink_keeps_refuses_and_goes_away(smtp_sink: SmtpSink) -> None:
    mail = EmailMessage()
    mail["Subject"], mail["From"], mail["To"] = "It failed", "from@example.com", "to@example.com"
    mail.set_content("Grüße")

    def send() -> None:
        with smtplib.SMTP(smtp_sink.host, smtp_sink.port, timeout=5) as client:
            client.send_message(mail)

    send()
    assert [(each.subject, each.text.strip(), each.recipients) for each in smtp_sink.messages] == [
        ("It failed", "Grüße", ("to@example.com",))
    ]
    smtp_sink.refusal = "451 try later"
    with pytest.raises(smtplib.SMTPDataError, match="451"):
        send()
    smtp_sink.stop()
    with pytest.raises(ConnectionRefusedError):
        send()
    smtp_sink.refusal = ""
    smtp_sink.start()
    send()
    assert len(smtp_sink.messages) == 2
