"""Paging: how many rows a request asks for, and where the page begins."""

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Annotated, Any, TypeVar, overload
from uuid import UUID

from fastapi import Depends, Query, Request, Response

from orchestrator_api.http.models import Instant
from orchestrator_shared.domain.errors import UserError

A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
D = TypeVar("D")

MAX_ITEMS = 500
MAX_NUMBER = 2**53 - 1
"""The largest integer that every reader of JSON takes."""
MAX_BYTES = 4 * 1024 * 1024
"""Pages of large items are shortened, so that no request can ask for half a gigabyte."""

OTHER_SORT = "comes from a page with another `sort`: repeat that `sort`, or start again without a cursor"

Limit = Annotated[int, Query(ge=1, le=MAX_ITEMS, description="The maximum number of items to return.")]
Cursor = Annotated[str | None, Query(max_length=2000, description="`next` of the previous page.")]
Search = Annotated[
    str | None,
    Query(min_length=1, max_length=200, description="Only what contains this text, in upper or lower case."),
]
Since = Annotated[Instant | None, Query(description="Only what is not older than this.")]
Until = Annotated[Instant | None, Query(description="Only what is older than this.")]


@dataclass(frozen=True, slots=True)
class Part:
    """The requested page of a list."""

    limit: int = 100
    cursor: str | None = None
    sort: str = ""
    """The order, if the list has several."""
    default_sort: str = ""
    last: tuple[object, ...] = ()
    """The place of the last row, if its columns do not tell it."""
    announce: Callable[[str], None] = field(default=lambda _: None, compare=False)
    """Is told the cursor of the next page."""

    @property
    def rows(self) -> int:
        """How many rows to read: one more than is returned, to see whether there is a next page."""
        return self.limit + 1

    def sorted_by(self, sort: str, *, default: str) -> "Part":
        """The page of the list in this order; the cursors of the others are of no use in it."""
        return replace(self, sort=sort, default_sort=default)

    @property
    def _marked_sort(self) -> str:
        """What the cursor tells of the order: nothing of the default one, as before there were others."""
        return "" if self.sort == self.default_sort else self.sort

    def within(self, sizes: Sequence[int]) -> "Part":
        """The page shortened to the rows that fit into one response, given their sizes."""
        total = 0
        for count, size in enumerate(sizes):
            total += size
            if total > MAX_BYTES and count:
                return replace(self, limit=count)
        return self

    def ending_at(self, *place: object) -> "Part":
        """The page whose last row is at this place of the order."""
        return replace(self, last=place)

    @overload
    def place(self, one: type[A], /) -> tuple[A | None]: ...

    @overload
    def place(self, one: type[A], two: type[B], /) -> tuple[A | None, B | None]: ...

    @overload
    def place(self, one: type[A], two: type[B], three: type[C], /) -> tuple[A | None, B | None, C | None]: ...

    @overload
    def place(
        self, one: type[A], two: type[B], three: type[C], four: type[D], /
    ) -> tuple[A | None, B | None, C | None, D | None]: ...

    def place(self, *kinds: type) -> tuple[object, ...]:
        """Where the page begins: the decoded cursor, one value per kind; None for each without a cursor."""
        return _decode(self.cursor, self._marked_sort, *kinds)

    def of(self, rows: Sequence[object], *names: str, then: Sequence[object] | None = None) -> dict[str, Any]:
        """The page with these rows; the named columns of the last one become the cursor of the next page.

        If there are no more rows, the next page begins at the place `then`, if one is given.
        """
        shown = list(rows[: self.limit])
        if len(rows) > self.limit:
            then = self.last or [_column(shown[-1], name) for name in names]
        cursor = None if then is None else _encode(self._marked_sort, *then)
        if cursor is not None:
            self.announce(cursor)
        return {"items": shown, "next": cursor}


def _column(row: object, name: str) -> object:
    return row[name] if isinstance(row, dict) else getattr(row, name)


def _part(request: Request, response: Response, limit: Limit = 100, cursor: Cursor = None) -> Part:
    """The page, which names the next one in the header `Link` (RFC 8288)."""

    def announce(following: str) -> None:
        url = request.url.include_query_params(cursor=following)
        response.headers["link"] = f'<{url.path}?{url.query}>; rel="next"'

    return Part(limit, cursor, announce=announce)


Paging = Annotated[Part, Depends(_part)]


def _encode(sort: str, *parts: object) -> str:
    """Encode a place in a list of this order as an opaque cursor."""
    place = [part.isoformat() if isinstance(part, datetime) else str(part) for part in parts]
    text = json.dumps({"sort": sort, "place": place} if sort else place, ensure_ascii=False)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _decode(cursor: str | None, sort: str, *kinds: type) -> tuple[object, ...]:
    """Decode a cursor: one value per kind, or None for each; rejects the cursor of another list."""
    if cursor is None:
        return (None,) * len(kinds)
    try:
        parts = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        of_sort = ""
        if isinstance(parts, dict):
            of_sort, parts = parts["sort"], parts["place"]
        if of_sort != sort:
            raise UserError(OTHER_SORT, field="cursor")
        if not isinstance(parts, list) or len(parts) != len(kinds):
            raise ValueError("another list's cursor")
        return tuple(_read(part, kind) for part, kind in zip(parts, kinds, strict=True))
    except (ValueError, KeyError, TypeError, AttributeError, binascii.Error, RecursionError):
        raise UserError("must be the `next` of the previous page, unchanged", field="cursor") from None


def _read(part: str, kind: type) -> object:
    if "\x00" in part or not part.encode():  # half of a surrogate pair cannot be encoded
        raise ValueError("not a value that we encoded")
    if kind is datetime:
        at = datetime.fromisoformat(part)
        if at.tzinfo is None or not 1970 <= at.year <= 9000:
            raise ValueError("not a timestamp that we encoded")
        return at
    if kind is UUID:
        return UUID(part)
    if kind is int:
        number = int(part)
        if not -(2**31) <= number < 2**31:
            raise ValueError("too large")
        return number
    return part
