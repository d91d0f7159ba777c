"""Errors that differ only in what differs from run to run have one fingerprint."""

import pytest

from orchestrator_api.runs.fingerprints import fingerprint, normalised

SAME = [
    ("no rows for 2026-11-30", "no rows for 2026-11-29"),
    ("since 2026-11-30T05:36:52.874Z nothing came", "since 2026-01-02 03:04:05+01:00 nothing came"),
    ("at 05:36 the server closed", "at 17:02:11.5 the server closed"),
    (
        "job 0198f2a4-6c1e-7d3a-9f52-3b7d1c0e8a41 is gone",
        "job 0198de03-1b0c-7c11-9d7a-2f6e8b90c3d4 is gone",
    ),
    ("expected 1,204,331 rows, got 1,204,330", "expected 7 rows, got 0"),
    ("line 7: bad quote", "line 12:  bad quote"),
    ("commit 4f2a9c1b7d3e5f60 not found", "commit 0123456789abcdef0123456789abcdef01234567 not found"),
    ("object at 0x7f3a91", "object at 0xdeadbeef"),
    ("\x1b[31mtoo slow: 3.5 s\x1b[0m", "too slow: 12 s"),
]
DIFFERENT = [
    ("column r.opted_in does not exist", "column r.opt_in does not exist"),
    ("table t1 is missing", "table t2 is missing"),
    ("exited with 2", "exited with 3"),
    ("cannot read part-a.csv", "cannot read part-b.csv"),
    ("decade is no date", "facade is no date"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_same_errors(one: str, other: str) -> None:
    assert fingerprint("user", one) == fingerprint("user", other), (normalised(one), normalised(other))


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_different_errors(one: str, other: str) -> None:
    assert fingerprint("user", one) != fingerprint("user", other), (normalised(one), normalised(other))


def test_whose_fault_it_is_counts_and_a_message_may_be_missing() -> None:
    assert fingerprint("user", "x") != fingerprint("internal", "x")
    assert fingerprint("user", None) == fingerprint("user", "")
    assert len(fingerprint("user", "x")) == 16


def test_a_fingerprint_stays_what_it_is() -> None:
    """It may be compared with one that someone noted down."""
    assert normalised("column r.opted_in: 3 rows at 05:36") == "column r.opted_in: <number> rows at <time>"
