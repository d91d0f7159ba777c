"""Codes that carry a confirmed login from the browser to the command line, for one minute.

A code is signed and never stored. It names the token that it may be exchanged for: a token is made once, so a
code works once. It is of no use without the verifier that the command line kept (as in PKCE, RFC 7636).
"""

import hashlib
import hmac
import re
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import jwt

ALGORITHM = "HS256"
AUDIENCE = "orchestrator-cli-login"
LIFETIME = timedelta(seconds=60)
MAX_CHARACTERS = 1000
VERIFIER = r"^[A-Za-z0-9_~.-]{43,128}$"
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_STATE = re.compile(r"[A-Za-z0-9_-]{16,128}")
_NAME = re.compile(r"[ -~]{1,100}")
_OPTIONS: Any = {"require": ["sub", "aud", "exp", "jti"], "verify_exp": False}
MIN_PORT = 1024


@dataclass(frozen=True, slots=True)
class LoginWish:
    """What the command line asks a browser to confirm."""

    state: str
    challenge: str
    port: int
    name: str
    """The computer that the command line runs on, as it says."""

    @classmethod
    def read(cls, state: str, challenge: str, port: str, name: str) -> "LoginWish | None":
        """None if a part is not what a command line of ours sends."""
        is_port = port.isascii() and port.isdigit() and len(port) <= 5 and MIN_PORT <= int(port) <= 65535
        if not (is_port and _STATE.fullmatch(state) and _CHALLENGE.fullmatch(challenge)):
            return None
        return cls(state, challenge, int(port), name) if _NAME.fullmatch(name) else None

    @property
    def origin(self) -> str:
        """Where the command line listens: on the person's own computer, and nowhere else."""
        return f"http://127.0.0.1:{self.port}"

    def callback(self, code: str) -> str:
        """Where the browser takes the code; it, the state and the port need no quoting."""
        return f"{self.origin}/callback?code={code}&state={self.state}"


@dataclass(frozen=True, slots=True)
class ConfirmedLogin:
    """What a code says: the token with this id may be made for this person, once."""

    token_id: UUID
    person_id: UUID
    session_id: UUID
    """In which it was confirmed; the code ends with it."""
    challenge: str
    name: str

    def sign(self, key: bytes, now: datetime) -> str:
        """The code."""
        claims = {
            "jti": str(self.token_id),
            "sub": str(self.person_id),
            "sid": str(self.session_id),
            "aud": AUDIENCE,
            "exp": int((now + LIFETIME).timestamp()),
            "challenge": self.challenge,
            "name": self.name,
        }
        return jwt.encode(claims, _signing_key(key), algorithm=ALGORITHM)


def verify(keys: Sequence[bytes], code: str, verifier: str, now: datetime) -> ConfirmedLogin | None:
    """What the code says if it is ours, has not expired, and the sender is who asked for it."""
    if len(code) > MAX_CHARACTERS:
        return None
    found = (_read(key, code, now) for key in keys)
    login = next((each for each in found if each is not None), None)
    if login is None or not hmac.compare_digest(login.challenge, challenge_of(verifier)):
        return None
    return login


def challenge_of(verifier: str) -> str:
    """What may be shown to a browser of a verifier that stays with the command line."""
    return urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


def _read(key: bytes, code: str, now: datetime) -> ConfirmedLogin | None:
    try:
        said = jwt.decode(
            code, _signing_key(key), algorithms=[ALGORITHM], audience=AUDIENCE, options=_OPTIONS
        )
        if datetime.fromtimestamp(said["exp"], UTC) <= now:
            return None
        token_id, person_id, session_id = (UUID(said[name]) for name in ("jti", "sub", "sid"))
        return ConfirmedLogin(token_id, person_id, session_id, said["challenge"], said["name"])
    except (jwt.InvalidTokenError, KeyError, TypeError, ValueError, OverflowError, OSError):
        return None


def _signing_key(key: bytes) -> bytes:
    return hmac.digest(key, b"orchestrator cli login v1", "sha256")
