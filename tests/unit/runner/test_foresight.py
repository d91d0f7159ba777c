"""What a replica foresees of the runs whose phases it began."""

from uuid import UUID

from orchestrator_runner.runs.foresight import Foresight, Underway

RUN, OTHER = UUID(int=1), UUID(int=2)
LANES = frozenset({7, 8})


def begun(remaining: int = 2) -> Foresight:
    foresight = Foresight()
    foresight.begin(RUN, Underway(phase=0, remaining=remaining, lanes=LANES))
    return foresight


def test_a_run_whose_last_tasks_ended_goes_on() -> None:
    assert begun().cover([(RUN, 0), (RUN, 0)]) == ({RUN: LANES}, [])


def test_a_run_with_tasks_left_is_known_not_to_go_on() -> None:
    assert begun().cover([(RUN, 0)]) == ({}, [])


def test_what_others_began_is_unknown() -> None:
    assert begun().cover([(OTHER, 3), (OTHER, 3), (RUN, 1)]) == ({}, [(OTHER, 3), (OTHER, 3), (RUN, 1)])


def test_what_was_written_of_a_phase_is_remembered() -> None:
    foresight = begun(remaining=5)
    foresight.left(RUN, 0, 1)
    foresight.left(OTHER, 0, 1)
    foresight.left(RUN, 4, 9)
    assert foresight.cover([(RUN, 0), (OTHER, 0)]) == ({RUN: LANES}, [(OTHER, 0)])


def test_an_ended_run_is_forgotten() -> None:
    foresight = begun()
    foresight.forget(RUN)
    foresight.forget(OTHER)
    assert foresight.cover([(RUN, 0)]) == ({}, [(RUN, 0)])
