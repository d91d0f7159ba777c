"""Sessions of browsers: their cookie, how long they last, and what keeps other sites from using them."""

import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
MAX_SECRET_CHARACTERS = 100


@dataclass(frozen=True, slots=True)
class RequestOrigin:
    """What a browser says about the page that sent a request."""

    fetch_site: str | None
    """`Sec-Fetch-Site`."""
    origin: str | None
    host: str


@dataclass(frozen=True, slots=True)
class BrowserSessions:
    """The rules that hold for every session of this installation."""

    public_url: str | None = None
    idle_seconds: int = 24 * 3600
    lifetime_seconds: int = 14 * 24 * 3600

    @property
    def cookie_name(self) -> str:
        """With https, a prefix that makes browsers insist on `Secure`, `Path=/` and no `Domain`."""
        return "__Host-orchestrator_session" if self.is_https else "orchestrator_session"

    @property
    def is_https(self) -> bool:
        """Whether people reach the pages by https, so that cookies may insist on it."""
        return (self.public_url or "").startswith("https://")

    def cookie(self, secret: str) -> str:
        """The header that gives the browser a session's secret."""
        return self._cookie(secret, self.lifetime_seconds)

    def cleared_cookie(self) -> str:
        """The header that makes the browser forget the secret."""
        return self._cookie("", 0)

    def _cookie(self, value: str, max_age: int) -> str:
        flags = "; Secure" if self.is_https else ""
        return f"{self.cookie_name}={value}; Path=/; Max-Age={max_age}; HttpOnly; SameSite=Lax{flags}"

    def has_ended(self, created_at: datetime, last_seen_at: datetime, now: datetime) -> bool:
        """Whether a session was unused, or has existed, for too long."""
        return created_at <= self.oldest(now) or last_seen_at <= self.longest_unused(now)

    def oldest(self, now: datetime) -> datetime:
        """Sessions created before this have ended."""
        return now - timedelta(seconds=self.lifetime_seconds)

    def longest_unused(self, now: datetime) -> datetime:
        """Sessions last used before this have ended."""
        return now - timedelta(seconds=self.idle_seconds)

    def is_same_origin(self, sender: RequestOrigin) -> bool:
        """Whether one of our own pages, or a person without any page, sent the request."""
        if sender.fetch_site is not None:
            return sender.fetch_site in ("same-origin", "none")
        if sender.origin is None:
            return False
        if self.public_url is not None:
            return sender.origin == _origin(self.public_url)
        return sender.origin.partition("://")[2] == sender.host


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def csrf_token(secret: str) -> str:
    """What a page of ours must send along with every change; other sites cannot know it."""
    return hmac.digest(secret.encode(), b"orchestrator csrf v1", "sha256").hex()


def form_token(secret: str) -> str:
    """The same for a form: another text each time, so that compressing a page reveals nothing of it."""
    plain = bytes.fromhex(csrf_token(secret))
    mask = secrets.token_bytes(len(plain))
    return (mask + _xor(mask, plain)).hex()


def is_form_token(secret: str, given: str) -> bool:
    """Whether this is one of the session's form tokens."""
    try:
        whole = bytes.fromhex(given)
    except ValueError:
        return False
    half = len(whole) // 2
    return is_csrf_token(secret, _xor(whole[:half], whole[half:]).hex())


def _xor(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=False))


def is_csrf_token(secret: str, given: str | None) -> bool:
    """Whether this is the session's own token."""
    return given is not None and hmac.compare_digest(csrf_token(secret).encode(), given.encode())
