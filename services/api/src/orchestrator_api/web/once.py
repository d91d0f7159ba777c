"""Carries a form out once: sent again, by a double click or after a lost answer, it is answered as it was.

A form has a key from when it was shown. What was done is kept with the key in the same transaction, so it is
known even if the api dies before it answers. A form with the same key and other fields is another one.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid5

from starlette.requests import Request

from orchestrator_api.access import keyed_answers
from orchestrator_api.http.session import Session
from orchestrator_api.web.csrf import FIELD as CSRF
from orchestrator_api.web.pages import Fields

FIELD = "once"
_FORMS = UUID("5d5c2b30-7f43-4a6b-9d0e-6a54cf1f5a83")
_KEY = re.compile("[0-9a-f]{32}")
_HOW_IT_IS_SHOWN = (CSRF, "back", "alone")
"""Fields that say nothing of what is to be done; a session may have ended and begun again."""


@dataclass(frozen=True, slots=True)
class Done:
    """What was said when a form was carried out, and where that led."""

    text: str
    topics: tuple[str, ...] = ()
    undo: str | None = None
    undo_fields: Mapping[str, str] = field(default_factory=dict)
    to: str | None = None
    is_only_said: bool = False
    """Whether the first answer showed what cannot be shown again."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One form as it was sent."""

    id: UUID
    digest: bytes


def request_key(sent: Fields, given: Mapping[str, Any]) -> str | None:
    """The idempotency key of the run that a form with a key asks for.

    A form that was changed after Back asks for another run, although it still has its key.
    """
    if not sent["key"]:
        return None
    said = json.dumps(given, sort_keys=True, default=str)
    return hashlib.sha256(f"{sent['key']}\n{said}".encode()).hexdigest()


def sheet_of(request: Request, session: Session, sent: Fields) -> Sheet | None:
    """None if the form has no key. The digest tells nothing of secrets: the random key is not kept."""
    key = sent[FIELD]
    if _KEY.fullmatch(key) is None:
        return None
    said = [f"{name}={text}" for name, text in sorted(sent.items()) if name not in _HOW_IT_IS_SHOWN]
    digest = hashlib.sha256("\n".join((request.url.path, *said)).encode()).digest()
    return Sheet(uuid5(_FORMS, f"{session.project}\n{session.actor.token_id}\n{digest.hex()}"), digest)


async def earlier(session: Session, sheet: Sheet) -> Done | None:
    """What was done when the same form was sent before; waits while it is being carried out."""
    found = await keyed_answers.earlier(session, sheet.id, sheet.digest)
    if found is None:
        return None
    given: dict[str, Any] = {**found, "topics": tuple(found["topics"])}
    return Done(**given)


async def remember(request: Request, session: Session, sheet: Sheet) -> None:
    """Keep what `tell` was given; nothing was done without."""
    done: Done | None = getattr(request.state, "done", None)
    if done is None:
        return
    answer = {
        "text": done.text,
        "topics": list(done.topics),
        "undo": done.undo,
        "undo_fields": dict(done.undo_fields),
        "to": done.to,
        "is_only_said": done.is_only_said,
    }
    await keyed_answers.remember(session, sheet.id, sheet.digest, answer)


def tell(request: Request, done: Done) -> None:
    """What the form is answered with if it is sent again; to be told within the transaction."""
    request.state.done = done
