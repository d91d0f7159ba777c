"""A sign-in that was sent to the provider, kept in a signed cookie of the browser until it comes back."""

import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt

ALGORITHM = "HS256"
AUDIENCE = "orchestrator-oidc-sign-in"
LIFETIME = timedelta(minutes=10)
MAX_CHARACTERS = 3500
"""Browsers keep cookies of 4 KB."""
_OPTIONS: Any = {"require": ["aud", "exp"], "verify_exp": False}


@dataclass(frozen=True, slots=True)
class PendingSignIn:
    """What the provider's answer is compared with."""

    state: str
    """Shows that the answer belongs to this browser."""
    nonce: str
    """Shows that the ID token was made for this sign-in."""
    verifier: str
    """Of PKCE (RFC 7636): without it, the code is of no use."""
    path: str
    """Where the person wants to go."""

    @classmethod
    def to(cls, path: str) -> "PendingSignIn":
        """A new one."""
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        return cls(state, nonce, verifier, path)

    def is_answered_by(self, state: str) -> bool:
        """Whether an answer with this state is for this sign-in."""
        return hmac.compare_digest(self.state.encode(), state.encode())

    def sign(self, key: bytes, now: datetime) -> str:
        """The cookie."""
        claims = {
            "aud": AUDIENCE,
            "exp": int((now + LIFETIME).timestamp()),
            "state": self.state,
            "nonce": self.nonce,
            "verifier": self.verifier,
            "path": self.path,
        }
        return jwt.encode(claims, _signing_key(key), algorithm=ALGORITHM)


def read(keys: Sequence[bytes], cookie: str, now: datetime) -> PendingSignIn | None:
    """What the cookie says, if we signed it and it has not expired."""
    if len(cookie) > MAX_CHARACTERS:
        return None
    found = (_read(key, cookie, now) for key in keys)
    return next((each for each in found if each is not None), None)


def _read(key: bytes, cookie: str, now: datetime) -> PendingSignIn | None:
    try:
        said = jwt.decode(
            cookie, _signing_key(key), algorithms=[ALGORITHM], audience=AUDIENCE, options=_OPTIONS
        )
        if datetime.fromtimestamp(said["exp"], UTC) <= now:
            return None
        return PendingSignIn(said["state"], said["nonce"], said["verifier"], said["path"])
    except (jwt.InvalidTokenError, KeyError, TypeError, ValueError, OverflowError, OSError):
        return None


def _signing_key(key: bytes) -> bytes:
    return hmac.digest(key, b"orchestrator oidc sign-in v1", "sha256")
