"""Tests of one group run in one worker: they share a stack, and the last of them checks what all did."""

import pytest


@pytest.mark.xdist_group("grouped")
def test_a_group_reaches_the_scheduler(request: pytest.FixtureRequest) -> None:
    if not request.config.getoption("loadgroup", default=False):
        pytest.skip("only with --dist loadgroup")
    assert request.node.nodeid.endswith("@grouped")
