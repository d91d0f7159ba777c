"""Server-sent events as bytes, and the ids by which a client resumes."""

from datetime import UTC, datetime, timedelta

from pydantic import BaseModel

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
WINDOW = timedelta(minutes=10)
"""A client that was away longer loads everything again."""
AHEAD = timedelta(minutes=1)
MOST_ID_CHARACTERS = 32

Place = tuple[int, int]
"""Of a piece of a log: attempt and seq."""
START: Place = (-1, -1)


def frame(event: str, data: BaseModel, event_id: str | None = None) -> bytes:
    """One event; its JSON has no line ends."""
    head = f"id: {event_id}\n" if event_id else ""
    return f"{head}event: {event}\ndata: {data.model_dump_json()}\n\n".encode()


def identified(framed: bytes, event_id: str) -> bytes:
    """The same event with an id, unless it has one."""
    return framed if framed.startswith(b"id: ") else f"id: {event_id}\n".encode() + framed


def instant_id(at: datetime) -> str:
    """The id of all changes until this instant of the database."""
    return str((at - EPOCH) // MICROSECOND)


def resumed_instant(event_id: str, now: datetime) -> datetime | None:
    """From when to resume; None if that is not possible."""
    if len(event_id) > MOST_ID_CHARACTERS or not (event_id.isascii() and event_id.isdigit()):
        return None
    try:
        at = EPOCH + int(event_id) * MICROSECOND
    except OverflowError:
        return None
    return at if now - WINDOW <= at <= now + AHEAD else None


def place_id(place: Place) -> str:
    """The id of a piece of a log."""
    return f"{place[0]}:{place[1]}"


def resumed_place(event_id: str) -> Place | None:
    """The place after which to resume; None if the id is not one of ours."""
    attempt, _, seq = event_id.partition(":")
    digits = attempt.isascii() and seq.isascii() and attempt.isdigit() and seq.isdigit()
    return (int(attempt), int(seq)) if digits and max(len(attempt), len(seq)) <= 9 else None
