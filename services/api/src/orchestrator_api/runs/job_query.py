"""Reads a query for jobs, such as `status:error duration:>10m started:[2026-11-01 TO *] by:jana`."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from orchestrator_api.runs.filters import FILTERS, JobFilter, whole_id
from orchestrator_shared.domain.durations import parse_duration
from orchestrator_shared.domain.errors import UserError
from orchestrator_shared.domain.ids import ORCHESTRATOR
from orchestrator_shared.domain.statuses import JobStatus, Origin

FIELD = "query"
LONGEST = 500
STATUSES = tuple(status.value for status in JobStatus if status is not JobStatus.READY)
ORIGINS = tuple(origin.value for origin in Origin)
HINTS: Mapping[str, str] = {
    "status": "status:error, or several: status:error,warning",
    "component": "component:csv-writer",
    "configuration": "configuration:orders, or with its component: configuration:csv-writer/orders",
    "orchestration": "orchestration:campaigns",
    "origin": "origin:schedule",
    "by": "by:jana, part of the name of who requested it",
    "duration": "duration:>10m or duration:<1h",
    "started": "started:2026-11-01, started:[2026-11-01 TO *] or started:[-7d TO *]",
}
"""Every key, and how it is written."""
_TERM = re.compile(r'(?P<key>[A-Za-z_]+):(?P<value>"[^"]*"|\[[^\]]*\]|\S+)?|(?P<text>"[^"]*"|\S+)', re.ASCII)
_RANGE = re.compile(r"\[\s*(\S+)\s+TO\s+(\S+)\s*\]")
_AGO = re.compile(r"-(\d{1,5}[a-z])", re.ASCII)


class QuerySyntaxError(UserError):
    """A part of the query cannot be read; `position` is its first character, from 1 on."""

    def __init__(self, problem: str, position: int) -> None:
        super().__init__(f"character {position}: {problem}", field=FIELD)
        self.problem = problem
        self.position = position


@dataclass(frozen=True, slots=True)
class _Times:
    """What the times in a query are relative to."""

    now: datetime
    zone: ZoneInfo


@dataclass(frozen=True, slots=True)
class _Term:
    """One part: where it begins, and what it says."""

    position: int
    key: str
    value: str


@dataclass(slots=True)
class _Read:
    """The filters that have been read so far."""

    times: _Times
    filters: dict[str, object] = field(default_factory=dict)

    def keep(self, term: _Term, name: str, value: object) -> None:
        if name in self.filters:
            raise QuerySyntaxError(f"{term.key} is given twice", term.position)
        self.filters[name] = value


def applied(text: str, wanted: JobFilter, *, now: datetime, zone: ZoneInfo) -> JobFilter:
    """The filter with what the query asks for; raises QuerySyntaxError, UserError if both ask for it."""
    found = read(text, now=now, zone=zone)
    twice = [name for name in FILTERS if name in found and getattr(wanted, name) is not None]
    if twice:
        raise UserError(f"filter by this either here or in `{twice[0]}`", field=FIELD)
    return replace(wanted, **found)  # type: ignore[arg-type]


def read(text: str, *, now: datetime, zone: ZoneInfo) -> dict[str, object]:
    """The filters of a JobFilter that the query asks for."""
    if len(text) > LONGEST:
        raise QuerySyntaxError(f"a query has {LONGEST} characters, at most", LONGEST + 1)
    found, words = _Read(_Times(now, zone)), []
    for term in _terms(text):
        if term.key:
            _READERS[term.key](found, term)
        else:
            words.append(term.value)
    if words:
        text = " ".join(words)
        job_id = whole_id(text)
        found.filters["search" if job_id is None else "job_id"] = text if job_id is None else job_id
    return found.filters


def _terms(text: str) -> list[_Term]:
    terms = []
    for match in _TERM.finditer(text):
        position = match.start() + 1
        if match["text"] is not None:
            terms.append(_Term(position, "", _unquoted(match["text"], position)))
            continue
        key, value = match["key"].lower(), match["value"] or ""
        if key not in _READERS:
            raise QuerySyntaxError(
                f"there is no key {key!r}; use {_listed(HINTS)}, or put it into quotation marks", position
            )
        behind = position + len(match["key"]) + 1
        value = _unquoted(value, behind)
        if not value:
            raise QuerySyntaxError(f"{key} has no value: {HINTS[key]}", behind)
        terms.append(_Term(behind, key, value))
    return terms


def _unquoted(value: str, position: int) -> str:
    whole = value[1:-1] if len(value) > 1 and value[0] == value[-1] == '"' else value
    if '"' in whole:
        raise QuerySyntaxError("a quotation mark is not closed", position + value.index('"'))
    if value.startswith("[") and not value.endswith("]"):
        raise QuerySyntaxError("a bracket is not closed", position)
    return whole


def _listed(names: Mapping[str, str] | Sequence[str]) -> str:
    return f"{', '.join(list(names)[:-1])} or {list(names)[-1]}"


def _one_of(name: str, known: Sequence[str]) -> Callable[[_Read, _Term], None]:
    def reader(found: _Read, term: _Term) -> None:
        given = term.value.lower().split(",")
        wrong = next((each for each in given if each not in known), None)
        if wrong is not None:
            place = term.position + term.value.lower().index(wrong)
            raise QuerySyntaxError(f"there is no {term.key} {wrong!r}; use {_listed(known)}", place)
        found.keep(term, name, tuple(dict.fromkeys(given)))

    return reader


def _same(name: str) -> Callable[[_Read, _Term], None]:
    return lambda found, term: found.keep(term, name, term.value)


def _configuration(found: _Read, term: _Term) -> None:
    component, _, name = term.value.rpartition("/")
    if component:
        found.keep(term, "component", component)
    found.keep(term, "configuration", name)


def _orchestration(found: _Read, term: _Term) -> None:
    found.keep(term, "component", ORCHESTRATOR)
    found.keep(term, "configuration", term.value)


def _duration(found: _Read, term: _Term) -> None:
    names = {">": "longer_than_seconds", "<": "shorter_than_seconds"}
    name = names.get(term.value[0])
    if name is None:
        raise QuerySyntaxError(f"begin with > or <: {HINTS['duration']}", term.position)
    try:
        seconds = parse_duration(term.value[1:])
    except UserError as error:
        raise QuerySyntaxError(error.detail, term.position + 1) from None
    found.keep(term, name, float(seconds))


def _started(found: _Read, term: _Term) -> None:
    match = _RANGE.fullmatch(term.value)
    if match is None and term.value.startswith("["):
        raise QuerySyntaxError(f"a range has two ends: {HINTS['started']}", term.position)
    first, last = (match[1], match[2]) if match else (term.value, term.value)
    places = (match.start(1), match.start(2)) if match else (0, 0)
    since = _instant(first, found.times, term.position + places[0], is_end=False)
    until = _instant(last, found.times, term.position + places[1], is_end=True)
    if match is None and not _is_day(first):
        raise QuerySyntaxError(f"expected a day or a range: {HINTS['started']}", term.position)
    for name, at in (("started_since", since), ("started_until", until)):
        if at is not None:
            found.keep(term, name, at)


def _is_day(text: str) -> bool:
    return re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII) is not None


def _instant(text: str, times: _Times, position: int, *, is_end: bool) -> datetime | None:
    """A day ends with it; `*` is no end."""
    if text == "*":
        return None
    try:
        if ago := _AGO.fullmatch(text):
            return times.now - timedelta(seconds=parse_duration(ago[1]))
        if _is_day(text):
            day = date.fromisoformat(text) + timedelta(days=int(is_end))
            at = datetime(day.year, day.month, day.day, tzinfo=times.zone)
        else:
            at = datetime.fromisoformat(text)
            at = at if at.tzinfo else at.replace(tzinfo=times.zone)
        at = at.astimezone(UTC)
    except (ValueError, OverflowError, UserError):
        at = datetime.min.replace(tzinfo=UTC)
    if not 1970 <= at.year <= 9000:
        raise QuerySyntaxError(f"{text!r} is no time: write 2026-11-01, 2026-11-01T06:20, -7d or *", position)
    return at


_READERS: Mapping[str, Callable[[_Read, _Term], None]] = {
    "status": _one_of("statuses", STATUSES),
    "component": _same("component"),
    "configuration": _configuration,
    "orchestration": _orchestration,
    "origin": _one_of("origins", ORIGINS),
    "by": _same("requested_by"),
    "duration": _duration,
    "started": _started,
}
