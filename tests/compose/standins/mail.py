"""What of the image mailpit docker-compose.yml uses: takes mails, and tells of them as Mailpit's API does."""

import asyncore
import email.policy
import json
import smtpd
import threading
from datetime import UTC, datetime
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MAILS: list[dict[str, Any]] = []
MESSAGES, MESSAGE = "/api/v1/messages", "/api/v1/message/"


class Sink(smtpd.SMTPServer):
    def process_message(self, peer: Any, mailfrom: str, rcpttos: Any, data: Any, **_: Any) -> None:
        read = email.message_from_bytes(data, EmailMessage, policy=email.policy.default)
        text = read.get_body(("plain", "html"))
        mail = {
            "ID": str(len(MAILS)),
            "Created": datetime.now(UTC).isoformat(),
            "Subject": str(read["subject"]),
            "To": [{"Address": address} for address in rcpttos],
            "Text": text.get_content() if text else "",
        }
        MAILS.append(mail)


class Api(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path.startswith(MESSAGE):
            found: Any = MAILS[int(path.removeprefix(MESSAGE))]
        else:
            found = {"total": len(MAILS), "messages": MAILS[::-1]} if path == MESSAGES else {}
        body = json.dumps(found).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


Sink(("0.0.0.0", 1025), ("", 0))
threading.Thread(target=ThreadingHTTPServer(("0.0.0.0", 8025), Api).serve_forever, daemon=True).start()
asyncore.loop()
