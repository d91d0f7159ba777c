"""Packets between runner and keeper survive any cutting of the stream."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator_runner.keeper.lease import Lease, boottime
from orchestrator_runner.keeper.protocol import BrokenPacket, Unpacker, pack
from orchestrator_runner.keeper.spawning import find_program

PACKETS = st.lists(st.dictionaries(st.text(), st.text() | st.integers() | st.none(), max_size=3), max_size=5)


@given(PACKETS, st.integers(1, 7))
def test_any_cut(packets: list[dict[str, object]], size: int) -> None:
    stream, unpacker = b"".join(map(pack, packets)), Unpacker()
    pieces = [stream[start : start + size] for start in range(0, len(stream), size)]
    assert [packet for piece in pieces for packet in unpacker.feed(piece)] == packets


def test_undecodable_arguments_pass() -> None:
    assert list(Unpacker().feed(pack({"argv": ["\udcff"]}))) == [{"argv": ["\udcff"]}]


@pytest.mark.parametrize("data", [b"\xff\xff\xff\xff", b"\0\0\0\2[]"])
def test_nonsense_is_refused(data: bytes) -> None:
    with pytest.raises(BrokenPacket):
        list(Unpacker().feed(data))


def test_lease() -> None:
    lease = Lease()
    assert not lease.is_held
    lease.renew(boottime() + 30)
    lease.renew(boottime() - 30)
    assert 29 < lease.remaining() <= 30


def test_programs_are_found_on_the_tasks_own_path() -> None:
    assert find_program("./x", "/bin") == "./x"
    assert find_program("sh", "/nowhere::/bin") == "/bin/sh"
    with pytest.raises(FileNotFoundError, match="no program 'sh' on PATH '/nowhere'"):
        find_program("sh", "/nowhere")
