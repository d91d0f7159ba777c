"""Signed links for people: derived from a link's id whenever one is needed, never stored.

The same id, purpose and expiry make the same text, so the api and the notifier write the same link without
telling each other. Whether a link was used is in its row: whoever accepts one looks there, too.
"""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import jwt

from orchestrator_shared.domain.link_purposes import LinkPurpose

ALGORITHM = "HS256"
MAX_CHARACTERS = 500
_AUDIENCE = "orchestrator-link-"
_AUDIENCES = {f"{_AUDIENCE}{purpose}": purpose for purpose in LinkPurpose}
_OPTIONS: Any = {"require": ["sub", "aud", "exp"], "verify_exp": False}


@dataclass(frozen=True, slots=True)
class LinkClaims:
    """What a signed link says; `expires_at` is in whole seconds."""

    link_id: UUID
    purpose: LinkPurpose
    expires_at: datetime


def sign_link(key: bytes, link_id: UUID, purpose: LinkPurpose, expires_at: datetime) -> str:
    """The text at the end of a link; fractions of the expiry's second are dropped."""
    claims = {
        "sub": str(link_id),
        "aud": f"{_AUDIENCE}{purpose}",
        "exp": int(expires_at.timestamp()),
    }
    return jwt.encode(claims, _signing_key(key), algorithm=ALGORITHM)


def verify_link(keys: Sequence[bytes], text: str, now: datetime) -> LinkClaims | None:
    """What the link says if one of the keys signed it and it has not expired; otherwise None."""
    if len(text) > MAX_CHARACTERS:
        return None
    found = (_claims(key, text) for key in keys)
    claims = next((each for each in found if each is not None), None)
    return claims if claims is not None and now < claims.expires_at else None


def _claims(key: bytes, text: str) -> LinkClaims | None:
    try:
        said = jwt.decode(
            text, _signing_key(key), algorithms=[ALGORITHM], audience=list(_AUDIENCES), options=_OPTIONS
        )
        return LinkClaims(
            UUID(said["sub"]), _AUDIENCES[said["aud"]], datetime.fromtimestamp(said["exp"], UTC)
        )
    except (jwt.InvalidTokenError, KeyError, TypeError, ValueError, OverflowError, OSError):
        return None


def _signing_key(key: bytes) -> bytes:
    """A key of its own, so that nothing else ever signed or encrypted with `key` passes for a link."""
    return hmac.digest(key, b"orchestrator link v1", "sha256")
