"""Decides what the answers of another service mean for an attempt."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from orchestrator_runner.executors.http.template import MISSING, find
from orchestrator_runner.executors.masking import mask
from orchestrator_runner.executors.port import Outcome
from orchestrator_shared.definitions.http_component import (
    ALREADY,
    HttpComponent,
    HttpPoll,
    HttpResult,
    HttpStates,
    StateName,
    state_text,
)
from orchestrator_shared.domain.reports import InvalidReport, parse_object, parse_tables
from orchestrator_shared.domain.statuses import ErrorKind, JobStatus

EXCERPT = 300
_PASSING = frozenset({408, 425, 429})
"""Refused for now; nothing was started."""


@dataclass(frozen=True)
class Answer:
    """An answer of the other service."""

    status: int
    reason: str = ""
    body: bytes = field(default=b"", repr=False)
    retry_after: float | None = None
    fault: str | None = None
    """Why the body of an answer cannot be used."""
    excerpt: str = ""
    """The beginning of the body, masked; only for errors."""

    @cached_property
    def data(self) -> Mapping[str, Any]:
        """The body's JSON object; raises InvalidReport."""
        if self.fault is not None:
            raise InvalidReport(f"the answer {self.fault}")
        return parse_object("the answer", self.body)

    @property
    def is_good(self) -> bool:
        return 200 <= self.status <= 299

    def __str__(self) -> str:
        text = f"answered {self.status} {self.reason}".strip()
        if 300 <= self.status <= 399:
            return f"{text}: redirects are not followed, write the address it leads to"
        return f"{text}: {self.excerpt}" if self.excerpt and not self.is_good else text


@dataclass(frozen=True, slots=True)
class Unanswered:
    """No usable answer arrived."""

    reason: str
    was_sent: bool
    """Whether the other side may have received the request."""

    def __str__(self) -> str:
        return self.reason


Reply = Answer | Unanswered


@dataclass(frozen=True, slots=True)
class Again:
    """Nothing is decided yet: ask again."""

    reason: str
    retry_after: float | None = None
    is_refusal: bool = False
    """The service understood the request and rejected it; asking for ever is pointless."""


@dataclass(frozen=True, slots=True)
class Begun:
    """The other service has accepted the run."""

    data: Mapping[str, Any]
    id: str | int | None = None


@dataclass(frozen=True, slots=True)
class Running:
    """The run is not over yet."""

    state: str
    progress: str | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """The outcome is known."""

    outcome: Outcome
    state: str | None = None
    progress: str | None = None
    is_over: bool = True
    """False if the other service may still be working on it."""


def decide_start(
    section: HttpComponent, reply: Reply, *, is_safe: bool, may_have_begun: bool = False
) -> Begun | Ended | Again:
    """Decide what the answer to a start means.

    `is_safe`: the start may be sent twice. `may_have_begun`: it was sent before, and that answer is not
    known.
    """
    if isinstance(reply, Unanswered):
        if not reply.was_sent or is_safe:
            return Again(f"start: {reply}")
        return _lost(str(reply))
    if reply.status in _PASSING:
        return Again(f"start: {reply}", reply.retry_after)
    if reply.status >= 500:
        return Again(f"start: {reply}", reply.retry_after) if is_safe else _lost(str(reply))
    if reply.status == ALREADY and ALREADY in section.start.expect:
        return Begun({})
    if reply.status == ALREADY and section.start.idempotent and may_have_begun:
        # Services that support idempotency keys answer so while the first request with the key is still in
        # progress.
        return Again(f"start: {reply}", reply.retry_after)
    if not reply.is_good:
        message = _message(section.result, reply) or f"start: {reply}"
        return Ended(_failed(message, ErrorKind.USER), is_over=not may_have_begun)
    if section.start.expect and reply.status not in section.start.expect:
        expected = ", ".join(map(str, section.start.expect))
        return Ended(_failed(f"start: {reply}, expected {expected}"), is_over=False)
    return _begun(section, reply) if section.is_followed else Ended(_finished(section.result, reply))


def _lost(reason: str) -> Ended:
    text = f"start: {reason}; it is not known whether the run was started, so the start was not sent again"
    return Ended(_failed(text), is_over=False)


def _begun(section: HttpComponent, answer: Answer) -> Begun | Ended:
    try:
        data = answer.data
    except InvalidReport as error:
        return Begun({}) if section.id is None else Ended(_failed(f"start: {error}"), is_over=False)
    if section.id is None:
        return Begun(data)
    found = find(data, section.id)
    if isinstance(found, bool) or not isinstance(found, str | int) or found == "":
        return Ended(_failed(f"start: the answer has no text or number at {section.id}"), is_over=False)
    return Begun(data, found)


def decide_poll(
    poll: HttpPoll, states: HttpStates, result: HttpResult, reply: Reply
) -> Running | Ended | Again:
    """Decide what the answer to a poll means."""
    if isinstance(reply, Unanswered):
        return Again(f"poll: {reply}")
    if not reply.is_good:
        passing = reply.status in _PASSING or reply.status >= 500
        return Again(f"poll: {reply}", reply.retry_after, is_refusal=not passing)
    return _read("poll", reply, poll.state, poll.progress, states, result)


def decide_callback(section: HttpComponent, body: bytes) -> Running | Ended | Again:
    """Decide what a callback that the service sent means; `Again` if it decides nothing."""
    callback, poll, states = section.callback, section.poll, section.states
    assert callback is not None
    assert states is not None
    state = callback.state or (poll.state if poll is not None else None)
    progress = callback.progress or (poll.progress if poll is not None else None)
    assert state is not None
    return _read("callback", Answer(200, body=body), state, progress, states, section.result)


def _read(
    what: str, answer: Answer, path: str, progress: str | None, states: HttpStates, result: HttpResult
) -> Running | Ended | Again:
    try:
        found = find(answer.data, path)
    except InvalidReport as error:
        return Again(f"{what}: {error}")
    if not isinstance(found, str | int):
        return Again(f"{what}: the answer has no text or number at {path}")
    return _verdict_on(state_text(found), _text_at(progress, answer), states, result, answer)


def _verdict_on(
    state: str, progress: str | None, states: HttpStates, result: HttpResult, answer: Answer
) -> Running | Ended:
    if _is_among(state, states.running):
        return Running(state, progress)
    if _is_among(state, states.success):
        return Ended(_finished(result, answer), state, progress)
    message = _message(result, answer) or f"the service reports the state {state!r}"
    if _is_among(state, states.user_error):
        return Ended(_failed(message, ErrorKind.USER), state, progress)
    if _is_among(state, states.error):
        return Ended(_failed(message), state, progress)
    unknown = f"the service reports the state {state!r}, which the component's states do not list"
    return Ended(_failed(unknown), state, progress, is_over=False)


def _is_among(state: str, names: Iterable[StateName]) -> bool:
    return any(state == state_text(name) for name in names)


def _finished(result: HttpResult, answer: Answer) -> Outcome:
    try:
        return _success(result, answer)
    except InvalidReport as error:
        return _failed(str(error))


def _success(result: HttpResult, answer: Answer) -> Outcome:
    if result.output_tables is None and result.state is None:
        return Outcome(JobStatus.SUCCESS, _message(result, answer) or "")
    tables = _at(result.output_tables, answer)
    state = _at(result.state, answer)
    if state is not None and not isinstance(state, Mapping):
        raise InvalidReport(f"the answer: {result.state}: the state must be an object")
    where = f"the answer: {result.output_tables}"
    return Outcome(
        JobStatus.SUCCESS,
        _message(result, answer) or "",
        output_tables=parse_tables(tables, where=where),
        state=state,
    )


def _failed(message: str, kind: ErrorKind = ErrorKind.INTERNAL) -> Outcome:
    return Outcome(JobStatus.ERROR, message, kind)


def _at(path: str | None, answer: Answer) -> Any:
    found = MISSING if path is None else find(answer.data, path)
    return None if found is MISSING else found


def _message(result: HttpResult, answer: Answer) -> str | None:
    return _text_at(result.message, answer)


def _text_at(path: str | None, answer: Answer) -> str | None:
    try:
        found = _at(path, answer)
    except InvalidReport:
        return None
    if found is None or isinstance(found, str):
        return found
    return json.dumps(found, ensure_ascii=False)


def excerpt(body: bytes, forms: tuple[bytes, ...]) -> str:
    """The beginning of a body for people to read: on one line, without secrets."""
    text = mask(body[: 64 * 1024], forms)[:4096].decode(errors="replace")
    text = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return text if len(text) <= EXCERPT else text[:EXCERPT] + "…"
