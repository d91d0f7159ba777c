"""The demo's mailboxes find the mail of this demo and no older one."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
from tests.support.answering import Answering

from orchestrator_local.demo.mailboxes import FolderMailbox, MailpitMailbox

NOW = datetime.now(UTC)


def test_a_folder_is_searched_by_subject_and_time(tmp_path: Path) -> None:
    (tmp_path / "1.eml").write_text("Subject: broken #12 failed\nTo: a@b\n\nx\n")
    (tmp_path / "2.eml").write_text("Subject: broken #1 failed\nTo: a@b\n\nfirst\n=====\n\nsecond\n")
    for file in tmp_path.iterdir():  # the kernel's clock may be another one, where this one is set for a test
        os.utime(file, (NOW.timestamp(), NOW.timestamp()))
    mailbox = FolderMailbox(tmp_path, "here")
    found = mailbox.find("broken #1", NOW - timedelta(days=1))
    assert found
    assert (found.to, found.subject, found.lines) == ("a@b", "broken #1 failed", ("first", "second"))
    assert mailbox.find("broken #1", NOW + timedelta(days=1)) is None
    assert mailbox.find("minutely", NOW - timedelta(days=1)) is None


def test_mailpit_is_asked_over_http() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/api/v1/messages":
            mail = {"ID": "7", "Subject": "broken #1", "To": [{"Address": "a@b"}], "Created": NOW.isoformat()}
            old = mail | {"ID": "6", "Created": (NOW - timedelta(hours=1)).isoformat()}
            return httpx.Response(200, json={"messages": [old, mail]})
        assert request.url.path == "/api/v1/message/7"
        return httpx.Response(200, json={"Text": "first\r\n\r\nsecond\r\n"})

    found = MailpitMailbox("http://mail:1/", transport=Answering(answer)).find("broken #1", NOW)
    assert found
    assert (found.to, found.lines) == ("a@b", ("first", "second"))


def test_a_mail_server_that_does_not_answer_has_no_mail() -> None:
    transport = Answering(lambda _: httpx.Response(500, text="no"))
    assert MailpitMailbox("http://mail:1", transport=transport).find("broken #1", NOW) is None
