"""The mail sink keeps what a real SMTP client sends."""

import smtplib
import subprocess
import sys
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest

from orchestrator_local.servers.processes import free_port, wait_until
from orchestrator_local.stack.mail_sink import mails
from orchestrator_local.stack.readiness import is_ready


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    chosen = free_port()
    argv = [sys.executable, "-m", "orchestrator_local.stack.mail_sink", str(chosen), str(tmp_path)]
    with subprocess.Popen(argv) as process:
        try:
            assert wait_until(lambda: is_ready(chosen, has_http=False), 20)
            yield chosen
        finally:
            process.terminate()
            assert process.wait(30) == 0


def mail(subject: str) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "o@example.com", "a@example.com", subject
    message.set_content("Řádek jedna\n\n.a line with a leading dot\nlast")
    message.add_alternative("<p>html</p>", subtype="html")
    return message


def test_mails_become_files_in_the_order_of_arrival(port: int, tmp_path: Path) -> None:
    with smtplib.SMTP("127.0.0.1", port, timeout=30) as client:
        for subject in ("first ✉", "second"):
            client.send_message(mail(subject))
    found = mails(tmp_path)
    assert [each.subject for each in found] == ["first ✉", "second"]
    assert found[0].to == "a@example.com"
    assert found[0].first_lines(2) == ["Řádek jedna", ".a line with a leading dot"]
    assert all(each.file.stat().st_mode & 0o777 == 0o600 for each in found)
    assert not list(tmp_path.glob("*.part"))
