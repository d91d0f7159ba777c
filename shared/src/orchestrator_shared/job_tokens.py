"""Job tokens: signed (JWT, HS256) and never stored; whoever accepts one also checks its attempt.

The signing key is derived from the encryption keys, which runner (signs) and api (verifies) have.
An encryption key cannot be computed from it.
"""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import jwt

JOB_TOKEN = "orcjob_"  # noqa: S105  the beginning of every job token
JOB_SCOPES = ("job", "publish")
"""What the program of a job may do: see docs/reference/tokens.md."""
MAX_CHARACTERS = 500
_ALGORITHM = "HS256"
_AUDIENCE = "orchestrator-job"
_PURPOSE = b"orchestrator job token v2"
_REQUIRED = ["aud", "sub", "exp", "attempt", "project", "scopes"]


@dataclass(frozen=True, slots=True)
class JobToken:
    """The claims of a job token."""

    job_id: UUID
    attempt: int
    project: str
    scopes: tuple[str, ...]
    expires_at: datetime


def job_token_keys(encryption_keys: Sequence[bytes]) -> tuple[bytes, ...]:
    """The keys for job tokens; the first one signs, all verify."""
    return tuple(hmac.digest(key, _PURPOSE, "sha256") for key in encryption_keys)


def sign_job_token(key: bytes, token: JobToken) -> str:
    """`orcjob_<JWT>`."""
    claims = {
        "aud": _AUDIENCE,
        "sub": str(token.job_id),
        "attempt": token.attempt,
        "project": token.project,
        "scopes": list(token.scopes),
        "exp": int(token.expires_at.timestamp()),
    }
    return JOB_TOKEN + jwt.encode(claims, key, algorithm=_ALGORITHM)


def verify_job_token(keys: Sequence[bytes], text: str, *, now: datetime) -> JobToken | None:
    """The claims if one of the keys signed the token and it has not expired; otherwise None."""
    if not text.startswith(JOB_TOKEN) or len(text) > MAX_CHARACTERS:
        return None
    for key in keys:
        try:
            claims = jwt.decode(
                text.removeprefix(JOB_TOKEN),
                key,
                algorithms=[_ALGORITHM],
                audience=_AUDIENCE,
                # compared below with `now`, so that one clock decides
                options={"require": _REQUIRED, "verify_exp": False},
            )
        except jwt.InvalidTokenError:
            continue
        expires_at = datetime.fromtimestamp(claims["exp"], UTC)
        if expires_at <= now:
            return None
        return JobToken(
            UUID(claims["sub"]), claims["attempt"], claims["project"], tuple(claims["scopes"]), expires_at
        )
    return None
