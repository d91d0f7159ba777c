"""Job tokens: signed and never stored; whoever accepts one also checks that its attempt is still processing.

Nothing issues or accepts them yet: that comes together with roles and scopes, which decide what a job may do.
"""

import base64
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class JobToken:
    """The claims of a job token."""

    job_id: UUID
    attempt: int
    scopes: tuple[str, ...]
    expires_at: datetime


def sign_job_token(
    key: bytes, job_id: UUID, attempt: int, scopes: Sequence[str], expires_at: datetime
) -> str:
    """`orcjob_<claims>.<signature>`; the signing key is derived from `key`, the first encryption key."""
    said = {"j": job_id.hex, "a": attempt, "s": list(scopes), "e": int(expires_at.timestamp())}
    body = _encode(json.dumps(said, separators=(",", ":")).encode())
    return f"orcjob_{body}.{_encode(_sign(key, body))}"


def verify_job_token(keys: Sequence[bytes], text: str, *, now: datetime) -> JobToken | None:
    """The claims if one of the keys signed the token and it has not expired; otherwise None."""
    body, dot, signature = text.removeprefix("orcjob_").partition(".")
    if not text.startswith("orcjob_") or not dot or len(text) > 2000:
        return None
    if not any(hmac.compare_digest(_encode(_sign(key, body)).encode(), signature.encode()) for key in keys):
        return None
    said = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    expires_at = datetime.fromtimestamp(said["e"], UTC)
    if expires_at <= now:
        return None
    return JobToken(UUID(said["j"]), int(said["a"]), tuple(said["s"]), expires_at)


def _sign(key: bytes, body: str) -> bytes:
    own_key = hmac.digest(key, b"orchestrator job token v1", "sha256")
    return hmac.digest(own_key, body.encode(), "sha256")


def _encode(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")
