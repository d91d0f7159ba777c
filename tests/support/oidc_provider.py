"""A real provider of OpenID Connect: oidc-provider-mock, in a process of its own."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from orchestrator_local.servers.processes import free_port

TOKEN_SECONDS = 3600


@dataclass
class OidcProvider:
    """Knows people with their claims; started again, it has another key."""

    log: Path
    port: int = field(default_factory=free_port)
    _process: subprocess.Popen[bytes] | None = None
    _token_seconds: int = TOKEN_SECONDS

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, *, token_seconds: int = TOKEN_SECONDS) -> None:
        """Returns when it answers."""
        self._token_seconds = token_seconds
        options = ["--host", "127.0.0.1", "--port", str(self.port), f"--token-max-age={token_seconds}"]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        deadline = time.monotonic() + 30
        while not self._answers():
            assert self._process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.05)

    def restore(self) -> None:
        """Make it what it was at first, apart from the people it knows; a start takes half a second."""
        if self._process is None or self._token_seconds != TOKEN_SECONDS:
            self.stop()
            self.start()

    def stop(self) -> None:
        """Also an outage."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)
            self._process = None

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.issuer}/jwks", trust_env=False, timeout=2).status_code == 200
        except httpx.TransportError:
            return False

    def person(self, subject: str, **claims: Any) -> None:
        """Someone who can sign in; `groups` and other claims are as given."""
        answer = httpx.put(f"{self.issuer}/users/{subject}", json=claims, trust_env=False)
        assert answer.status_code == 204, answer.text

    def sign_in(self, url: str, subject: str) -> str:
        """Send the form of the provider's page at this URL; returns where it sends the browser."""
        assert url.startswith(self.issuer), url
        answer = httpx.post(url, data={"sub": subject}, trust_env=False)
        assert answer.status_code == 302, answer.text
        return str(answer.headers["location"])

    def refuse(self, url: str) -> str:
        """The person does not agree."""
        answer = httpx.post(url, data={"action": "deny"}, trust_env=False)
        return str(answer.headers["location"])


@contextmanager
def running_provider(folder: Path) -> Iterator[OidcProvider]:
    """One of its own, stopped at the end."""
    provider = OidcProvider(folder / "oidc-provider.log")
    provider.start()
    try:
        yield provider
    finally:
        provider.stop()


def parameters(url: str) -> dict[str, str]:
    """The query of a URL."""
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
