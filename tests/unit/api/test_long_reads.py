"""Requests that read much have few places, and none waits for one."""

import pytest

from orchestrator_api.http.long_reads import LongReads
from orchestrator_api.http.refusals import TooMany
from orchestrator_shared.domain.errors import Unavailable


def test_a_caller_has_two_of_three_places_and_gives_them_back() -> None:
    reads = LongReads(places=3, of_caller=2)
    for _ in range(3):
        with reads.place("a"), reads.place("a"):
            with pytest.raises(TooMany), reads.place("a"):
                pass
            with reads.place("b"), pytest.raises(Unavailable), reads.place("c"):
                pass
    assert reads._underway == {}


def test_a_read_that_fails_gives_its_place_back() -> None:
    reads = LongReads(places=1)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), reads.place("a"):
            raise ZeroDivisionError
