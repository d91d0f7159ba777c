"""What a replica foresees of the runs whose phases it began."""

from uuid import UUID

from orchestrator_runner.runs.phase_cache import BegunPhase, PhaseCache

RUN, OTHER = UUID(int=1), UUID(int=2)
LANES = frozenset({7, 8})


def begun(remaining: int = 2) -> PhaseCache:
    cache = PhaseCache()
    cache.begin(RUN, BegunPhase(phase=0, remaining=remaining, lanes=LANES))
    return cache


def test_a_run_whose_last_tasks_ended_goes_on() -> None:
    assert begun().cover([(RUN, 0), (RUN, 0)]) == ({RUN: LANES}, [])


def test_a_run_with_tasks_left_is_known_not_to_go_on() -> None:
    assert begun().cover([(RUN, 0)]) == ({}, [])


def test_what_others_began_is_unknown() -> None:
    assert begun().cover([(OTHER, 3), (OTHER, 3), (RUN, 1)]) == ({}, [(OTHER, 3), (OTHER, 3), (RUN, 1)])


def test_what_was_written_of_a_phase_is_remembered() -> None:
    cache = begun(remaining=5)
    cache.left(RUN, 0, 1)
    cache.left(OTHER, 0, 1)
    cache.left(RUN, 4, 9)
    assert cache.cover([(RUN, 0), (OTHER, 0)]) == ({RUN: LANES}, [(OTHER, 0)])


def test_an_ended_run_is_forgotten() -> None:
    cache = begun()
    cache.forget(RUN)
    cache.forget(OTHER)
    assert cache.cover([(RUN, 0)]) == ({}, [(RUN, 0)])
