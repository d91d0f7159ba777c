"""Circles of waiting, found in a snapshot."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator_runner.runs.cycles import UnfinishedRun, describe, find_cycles, victim, who_waits
from orchestrator_shared.domain.statuses import JobStatus


def run(number: int, lane: int, seq: int, status: JobStatus, parent: int | None = None) -> UnfinishedRun:
    return UnfinishedRun(
        UUID(int=number), lane, seq, status, None if parent is None else UUID(int=parent), f"lane-{lane}"
    )


def test_two_runs_whose_children_wait_for_the_other() -> None:
    runs = [
        run(1, 1, 1, JobStatus.PROCESSING),
        run(2, 2, 1, JobStatus.PROCESSING),
        run(3, 2, 2, JobStatus.WAITING, parent=1),
        run(4, 1, 2, JobStatus.WAITING, parent=2),
    ]

    [cycle] = find_cycles(runs)

    assert {found.id.int for found in cycle} == {1, 2, 3, 4}
    assert victim(cycle).id == UUID(int=4)
    assert describe(cycle).startswith("these runs wait for each other: lane-")


def test_waiting_in_line_is_not_a_cycle() -> None:
    runs = [
        run(1, 1, 1, JobStatus.PROCESSING),
        run(2, 1, 2, JobStatus.WAITING),
        run(3, 2, 1, JobStatus.PROCESSING),
        run(4, 1, 3, JobStatus.WAITING, parent=3),
    ]

    assert find_cycles(runs) == []


@pytest.mark.parametrize("earlier", [JobStatus.WAITING, JobStatus.READY])
def test_an_earlier_waiter_closes_a_circle_too(earlier: JobStatus) -> None:
    """Run 1 waits for its child 2, which waits behind 3, which is a child of 4, which waits behind run 1."""
    runs = [
        run(1, 1, 1, JobStatus.PROCESSING),
        run(3, 2, 1, JobStatus.PROCESSING, parent=None),
        run(5, 1, 2, JobStatus.WAITING, parent=3),
        run(2, 2, 2, JobStatus.WAITING, parent=1),
        run(6, 3, 1, earlier),
    ]

    assert len(find_cycles(runs)) == 1


@given(
    st.lists(
        st.tuples(st.integers(0, 4), st.booleans(), st.one_of(st.none(), st.integers(0, 11))), max_size=12
    )
)
def test_ending_every_victim_leaves_no_circle(drawn: list[tuple[int, bool, int | None]]) -> None:
    seqs: dict[int, int] = {}
    runs = []
    for number, (lane, waits, parent) in enumerate(drawn):
        first = lane not in seqs
        seqs[lane] = seqs.get(lane, 0) + 1
        status = JobStatus.PROCESSING if first and not waits else JobStatus.WAITING
        runs.append(
            run(number, lane, seqs[lane], status, parent if parent is not None and parent < number else None)
        )
    for _ in range(20):
        cycles = find_cycles(runs)
        if not cycles:
            break
        for cycle in cycles:
            if any(r.status is JobStatus.WAITING and r.parent_id is not None for r in cycle):
                runs.remove(victim(cycle))
            else:
                return  # not reachable by real runs: nobody in it is anybody's child
    assert not find_cycles(runs)


def test_a_long_line_costs_little() -> None:
    """Thousands of runs in one lane, as backfills make them: each waits for the one that holds it."""
    line = [run(n, 1, n, JobStatus.WAITING if n else JobStatus.PROCESSING) for n in range(4_000)]
    others = [run(5_000, 2, 1, JobStatus.PROCESSING), run(5_001, 1, 5_001, JobStatus.WAITING, parent=5_000)]

    found = who_waits({found.id: found for found in [*line, *others]})

    assert sum(len(waited_for) for waited_for in found.values()) == 4_001


@given(st.lists(st.tuples(st.integers(0, 4), st.one_of(st.none(), st.integers(0, 13))), max_size=14))
def test_waiting_for_the_holder_finds_what_waiting_for_all_before_does(
    drawn: list[tuple[int, int | None]],
) -> None:
    """On states that can be: who comes first to a lane holds it, parents have started."""
    runs: list[UnfinishedRun] = []
    seqs: dict[int, int] = {}
    for number, (lane, parent) in enumerate(drawn):
        seqs[lane] = seqs.get(lane, 0) + 1
        status = JobStatus.WAITING if seqs[lane] > 1 else JobStatus.PROCESSING
        started = parent is not None and parent < number and runs[parent].status is JobStatus.PROCESSING
        runs.append(run(number, lane, seqs[lane], status, parent if started else None))
    assert bool(find_cycles(runs)) == _has_circle(runs)


def _has_circle(runs: list[UnfinishedRun]) -> bool:
    """By the full relation: a waiting run waits for all before it in its lane."""
    edges = {
        one.id: {
            other.id
            for other in runs
            if other.parent_id == one.id
            or (one.status is JobStatus.WAITING and other.lane_id == one.lane_id and other.seq < one.seq)
        }
        for one in runs
    }
    left = dict(edges)
    while free := [one for one, waited_for in left.items() if not waited_for & left.keys()]:
        for one in free:
            del left[one]
    return bool(left)
