"""The Idempotency-Key of a request that its caller may repeat."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from orchestrator_api.http.headers import IDEMPOTENCY_KEY, MAX_KEY_CHARACTERS
from orchestrator_api.http.session import Session
from orchestrator_shared.domain.errors import UserError
from orchestrator_shared.domain.ids import request_id

_KEY = re.compile(rf"[ -~]{{1,{MAX_KEY_CHARACTERS}}}")


@dataclass(frozen=True, slots=True)
class DedupKey:
    """Identifies a request that its caller may repeat."""

    id: UUID
    digest: bytes
    """Digest of the request without its parameters, which may be secret and are compared separately."""


def accept(session: Session, key: str | None, what: str, body: Mapping[str, Any]) -> DedupKey | None:
    """The key of this request, or None if none was sent; `what` names the call and its subject."""
    if key is None:
        return None
    if _KEY.fullmatch(key) is None:
        raise UserError(
            f"must be 1 to {MAX_KEY_CHARACTERS} printable ASCII characters", field=IDEMPOTENCY_KEY
        )
    plain = {name: value for name, value in body.items() if name != "parameters"}
    text = json.dumps([what, plain], sort_keys=True, default=str)
    job = session.actor.own_job
    caller = job.id if job else session.actor.token_id  # jobs of one orchestration share its token
    return DedupKey(request_id(session.project, caller, key), hashlib.sha256(text.encode()).digest())


def key_reused() -> UserError:
    """The error for a key that was already used for a different request."""
    return UserError(
        "this key was already used for a different request: use a new one", field=IDEMPOTENCY_KEY
    )
