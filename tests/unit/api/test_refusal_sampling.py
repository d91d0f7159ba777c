"""Which refusals are recorded: the first of an address at once, later ones counted, and few in a flood."""

from orchestrator_api.access.attempts import MAX_TRACKED
from orchestrator_api.access.refusal_sampling import (
    ADDRESS_SECONDS,
    WINDOW_RECORDS,
    WINDOW_SECONDS,
    RefusalSampling,
)


def test_an_address_is_recorded_at_once_and_then_counted() -> None:
    sampling = RefusalSampling()
    assert [sampling.count("a", 1, now) for now in (0.0, 1.0, 60.0)] == [1, 0, 0]
    assert sampling.count("b", 2, 60.0) == 2
    assert sampling.count("a", 3, ADDRESS_SECONDS) == 5


def test_a_flood_from_many_addresses_writes_few_records() -> None:
    sampling = RefusalSampling()
    written = [sampling.count(f"address {n}", 1, 1.0) for n in range(3 * MAX_TRACKED)]
    assert sum(written) == WINDOW_RECORDS
    assert sampling.count("later", 1, 1.0 + WINDOW_SECONDS) == 1
    assert len(sampling._addresses) <= MAX_TRACKED


def test_what_found_no_room_is_recorded_later() -> None:
    sampling = RefusalSampling()
    for n in range(WINDOW_RECORDS):
        sampling.count(f"address {n}", 1, 0.0)
    assert [sampling.count("late", 1, now) for now in (1.0, 2.0, WINDOW_SECONDS)] == [0, 0, 3]
