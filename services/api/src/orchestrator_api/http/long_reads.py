"""Limits how many requests read much at once: each holds one of the few connections to the database."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from orchestrator_api.http.refusals import TooMany
from orchestrator_shared.domain.errors import Unavailable

PLACES = 3
OF_CALLER = 2
RETRY_AFTER_SECONDS = 2.0


class LongReads:
    """Gives places to requests that turn out to read much; nobody waits for one with a connection in hand."""

    def __init__(self, *, places: int = PLACES, of_caller: int = OF_CALLER) -> None:
        self._free = places
        self._of_caller = of_caller
        self._underway: Counter[object] = Counter()

    @contextmanager
    def place(self, caller: object) -> Iterator[None]:
        """Raises TooMany if the caller has its places already, and Unavailable if others have them all."""
        if self._underway[caller] >= self._of_caller:
            detail = f"you already have {self._of_caller} reads of long logs in progress, which is the limit"
            raise TooMany(detail, retry_after=RETRY_AFTER_SECONDS)
        if not self._free:
            raise Unavailable("the api is busy with other reads of long logs")
        self._free -= 1
        self._underway[caller] += 1
        try:
            yield
        finally:
            self._free += 1
            self._underway[caller] -= 1
            self._underway += Counter()  # forgets callers without any
