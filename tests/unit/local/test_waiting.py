"""Waiting for conditions, in tests and for servers."""

import time
from pathlib import Path

import pytest
from tests.support.waiting import eventually

from orchestrator_local.servers.processes import free_port, port_is_free, remembered_port, tail, wait_until


async def test_eventually_returns_the_first_truthy_value_of_either_kind() -> None:
    values = iter([0, None, 3])
    assert await eventually(lambda: next(values)) == 3

    async def later() -> str:
        return "found"

    assert await eventually(later) == "found"


async def test_eventually_takes_an_assertion_for_not_yet_and_tells_the_last() -> None:
    def never() -> bool:
        raise AssertionError("still three")

    with pytest.raises(AssertionError, match="still three"):
        await eventually(never, timeout=0.05)


def test_wait_until_is_bounded() -> None:
    began = time.monotonic()
    assert not wait_until(lambda: False, 0.1)
    assert time.monotonic() - began < 20


def test_a_remembered_port_is_kept_while_it_is_free(tmp_path: Path) -> None:
    file = tmp_path / "port"
    first = remembered_port(file)
    assert remembered_port(file) == first
    file.write_text("nonsense")
    assert port_is_free(remembered_port(file))
    assert free_port() < 32_000


def test_the_tail_of_a_log_is_short_and_never_fails(tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert "no log" in tail(log)
    log.touch()
    assert "empty" in tail(log)
    log.write_bytes(b"x" * 50_000 + b"\n\xff\n" + b"last\n")
    assert tail(log, 2).splitlines()[-1].strip() == "last"
