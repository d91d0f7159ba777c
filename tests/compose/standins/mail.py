"""What of the image mailpit docker-compose.yml uses: takes mails, and lists them as JSON."""

import asyncore
import json
import smtpd
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MAILS: list[str] = []


class Sink(smtpd.SMTPServer):
    def process_message(self, peer: Any, mailfrom: str, rcpttos: Any, data: Any, **_: Any) -> None:
        MAILS.append(data.decode(errors="replace"))


class Listing(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = json.dumps({"total": len(MAILS), "messages": MAILS}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


Sink(("0.0.0.0", 1025), ("", 0))
threading.Thread(target=ThreadingHTTPServer(("0.0.0.0", 8025), Listing).serve_forever, daemon=True).start()
asyncore.loop()
