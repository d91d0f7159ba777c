"""The engine's streams: log messages however they are cut, positions without gaps, and pulls."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator_runner.executors.docker.logs import BrokenLog, Demultiplexer, LongLines, Message, Position
from orchestrator_runner.executors.docker.pull import PullFailed, PullProgress
from orchestrator_runner.executors.port import Stream


def stamp(number: int) -> str:
    return f"2026-11-30T21:00:{number // 10:02}.00000000{number % 10}Z"


def frame(stream: int, text: str, at: int = 0) -> bytes:
    payload = f"{stamp(at)} {text}".encode()
    return bytes([stream, 0, 0, 0]) + len(payload).to_bytes(4, "big") + payload


def test_messages_are_found_however_the_bytes_are_cut() -> None:
    content = frame(1, "one\n", 1) + frame(2, "two\n", 2) + frame(1, "", 3) + frame(1, "a b\n", 4)
    for size in range(1, len(content)):
        demultiplexer = Demultiplexer()
        found = [
            message
            for start in range(0, len(content), size)
            for message in demultiplexer.feed(content[start : start + size])
        ]
        assert [(each.stream, each.data) for each in found] == [
            ("stdout", b"one\n"),
            ("stderr", b"two\n"),
            ("stdout", b""),
            ("stdout", b"a b\n"),
        ]
    assert found[0].at.isoformat() == "2026-11-30T21:00:00+00:00"


@pytest.mark.parametrize("content", [frame(3, "daemon error"), b"\1\0\0\0\0\0\0\3abc", frame(9, "x")])
def test_what_is_no_log_is_not_taken_for_one(content: bytes) -> None:
    with pytest.raises(BrokenLog):
        list(Demultiplexer().feed(content))


Pieces = st.lists(st.tuples(st.sampled_from(["stdout", "stderr"]), st.integers(0, 2)), max_size=30)


@given(Pieces, st.lists(st.integers(0, 30), max_size=4))
def test_a_stream_opened_again_anywhere_has_no_gap_and_no_duplicate(
    pieces: list[tuple[Stream, int]], breaks: list[int]
) -> None:
    """Steps of 0 make equal times; each stream is in order, the two of them need not be."""
    clocks: dict[Stream, int] = {"stdout": 0, "stderr": 3}
    written: list[Message] = []
    for number, (stream, step) in enumerate(pieces):
        clocks[stream] += step
        written.append(Message(stream, stamp(clocks[stream]), str(number).encode()))
    position, passed = Position(), list[Message]()
    for end in [*breaks, len(written)]:
        position.reopen()
        passed += [message for message in written[:end] if position.takes(message)]
    assert [m for m in passed if m.stream == "stdout"] == [m for m in written if m.stream == "stdout"]
    assert [m for m in passed if m.stream == "stderr"] == [m for m in written if m.stream == "stderr"]


def test_a_clock_that_is_set_back_hides_nothing_on_an_open_stream() -> None:
    position = Position()
    position.reopen()
    assert all(position.takes(Message("stdout", stamp(at), b"x")) for at in (5, 6, 1, 2))


def test_a_line_that_was_cut_into_pieces_keeps_its_end() -> None:
    """Docker 20 loses it with the driver local; others do not."""
    lines = LongLines()
    written = [("a" * 9, 1), ("b", 1), ("next\n", 2), ("c", 3), ("d\n", 3), ("", 4), ("end", 5)]
    found = b"".join(lines.data_of(Message("stdout", stamp(at), text.encode())) for text, at in written)
    assert found == b"aaaaaaaaab\nnext\ncd\n\nend"


def test_it_is_asked_for_a_little_more_than_what_is_missing() -> None:
    position = Position()
    assert position.since() == "0"
    position.takes(Message("stdout", "2026-11-30T21:00:20.123456789Z", b"x"))
    position.takes(Message("stderr", "2026-11-30T21:00:19.000000000Z", b"x"))
    assert position.since() == "1796072410.123456"


def report(**fields: object) -> bytes:
    return json.dumps(fields).encode() + b"\r\n"


def test_a_pull_tells_its_progress() -> None:
    progress = PullProgress()
    assert progress.text() == "waiting for the registry"
    progress.feed(report(status="Pulling from team/loader", id="latest"))
    progress.feed(report(status="Pulling fs layer", id="a") + report(status="Already exists", id="b"))
    assert progress.text() == "1 of 2 layers"
    size = 100 * 1024 * 1024
    downloading = report(status="Downloading", id="a", progressDetail={"current": size // 4, "total": size})
    progress.feed(downloading[:20])
    progress.feed(downloading[20:])
    assert progress.text() == "1 of 2 layers, 25 of 100 MB"
    progress.feed(report(status="Download complete", id="a") + b"not json\n")
    assert progress.text() == "1 of 2 layers, 100 of 100 MB"
    progress.feed(report(status="Pull complete", id="a"))
    assert progress.text() == "2 of 2 layers, 100 of 100 MB"
    with pytest.raises(PullFailed, match="manifest unknown"):
        progress.feed(report(error="manifest unknown", errorDetail={}))
