"""Log chunks: numbered, ordered, bounded, valid text, stored in time."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from orchestrator_runner.executors.port import Stream
from orchestrator_runner.logs.capture import CHUNK_BYTES, LogCapture, LogChunk, LogLimits

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Store:
    def __init__(self) -> None:
        self.batches: list[list[LogChunk]] = []
        self.called = asyncio.Event()

    async def append(self, chunks: Sequence[LogChunk]) -> None:
        self.batches.append(list(chunks))
        self.called.set()

    @property
    def chunks(self) -> list[LogChunk]:
        return [chunk for batch in self.batches for chunk in batch]

    def text(self, stream: Stream = "stdout") -> str:
        return "".join(chunk.text for chunk in self.chunks if chunk.stream == stream)


async def captured(
    *writes: tuple[Stream, bytes], secrets: frozenset[str] = frozenset(), limit: int = 10**9
) -> Store:
    store = Store()
    log = LogCapture(store.append, secrets=secrets, limits=LogLimits(max_bytes=limit))
    for stream, data in writes:
        await log.write(stream, NOW, data)
    await log.close()
    return store


async def test_order_of_both_streams_is_kept_and_numbers_have_no_gap() -> None:
    store = await captured(("stdout", b"a"), ("stdout", b"b"), ("stderr", b"c"), ("stdout", b"d"))
    assert [(c.seq, c.stream, c.text) for c in store.chunks] == [
        (1, "stdout", "ab"),
        (2, "stderr", "c"),
        (3, "stdout", "d"),
    ]


async def test_chunks_are_bounded() -> None:
    store = await captured(("stdout", b"x" * 1_000_000))
    assert max(len(chunk.text) for chunk in store.chunks) == CHUNK_BYTES
    assert store.text() == "x" * 1_000_000


async def test_characters_cut_in_two_survive() -> None:
    data = "žluťoučký 🐎".encode()
    store = await captured(*(("stdout", data[i : i + 1]) for i in range(len(data))))
    assert store.text() == "žluťoučký 🐎"


async def test_bytes_that_are_no_text_become_visible() -> None:
    store = await captured(("stdout", b"a\0b\xff\xed\xa0\x80c\xc5"))
    assert store.text().startswith("a␀b�")
    store.text().encode()
    assert "\0" not in store.text()


async def test_secrets_are_masked_across_writes_but_not_across_streams() -> None:
    writes: list[tuple[Stream, bytes]] = [("stdout", b"key=hun"), ("stderr", b"x"), ("stdout", b"ter2!")]
    store = await captured(*writes, secrets=frozenset({"hunter2"}))
    assert (store.text(), store.text("stderr")) == ("key=***!", "x")


async def test_the_cap_leaves_one_notice_and_no_piece_of_a_secret() -> None:
    store = await captured(
        ("stdout", b"0123hunt"),
        ("stdout", b"er2"),
        ("stderr", b"more"),
        secrets=frozenset({"hunter2"}),
        limit=8,
    )
    assert [chunk.text for chunk in store.chunks] == ["0123\n[log cut off: more than 8 bytes]\n"]


async def test_exactly_the_cap_is_not_cut() -> None:
    assert (await captured(("stdout", b"12345678"), limit=8)).text() == "12345678"


async def test_a_quiet_task_is_shown_in_time() -> None:
    store = Store()
    log = LogCapture(store.append, limits=LogLimits(flush_seconds=0.01))
    for word in (b"one", b"two"):
        store.called.clear()
        await log.write("stdout", NOW, word)
        await asyncio.wait_for(store.called.wait(), 30)
    assert store.text() == "onetwo"
    await log.close()
    assert len(store.batches) == 2


async def test_a_failure_while_flushing_by_time_comes_out_at_the_end() -> None:
    failed = asyncio.Event()

    async def broken(_: Sequence[LogChunk]) -> None:
        failed.set()
        raise RuntimeError("no space")

    log = LogCapture(broken, limits=LogLimits(flush_seconds=0.01))
    await log.write("stdout", NOW, b"x")
    await asyncio.wait_for(failed.wait(), 30)
    with pytest.raises(RuntimeError, match="no space"):
        await log.close()


async def test_a_slow_store_holds_the_writer_back() -> None:
    release = asyncio.Event()

    async def slow(_: Sequence[LogChunk]) -> None:
        await release.wait()

    log = LogCapture(slow)
    writing = asyncio.create_task(log.write("stdout", NOW, b"x" * 2**20))
    done, _ = await asyncio.wait({writing}, timeout=0.05)
    assert not done
    release.set()
    await asyncio.wait_for(writing, 30)
    await log.close()


async def test_numbers_go_on_where_an_earlier_attempt_ended() -> None:
    store = Store()
    log = LogCapture(store.append, first_seq=41)
    await log.write("stdout", NOW, b"x")
    await log.close()
    assert store.chunks[0].seq == 41


@pytest.mark.parametrize("stored", range(0, 40, 3))
async def test_a_log_that_is_written_again_continues_where_the_stored_one_ends(stored: int) -> None:
    """Also where the earlier runner stopped within a secret or a character: masking sees all of it again."""
    data = "kůň says k3y-of-mine, and k3y-of-mine again\n".encode()
    whole = await captured(("stdout", data), secrets=frozenset({"k3y-of-mine"}))
    second = Store()
    log = LogCapture(
        second.append, secrets=frozenset({"k3y-of-mine"}), first_seq=4, skip={"stdout": stored, "stderr": 5}
    )
    for start in range(0, len(data), 7):
        await log.write("stdout", NOW, data[start : start + 7])
    await log.close()
    assert whole.text()[:stored] + second.text() == whole.text()
    assert not second.chunks or second.chunks[0].seq == 4


async def test_a_mark_is_the_number_of_the_next_piece() -> None:
    store = Store()
    log = LogCapture(store.append)
    assert await log.mark() == 1
    await log.write("stderr", NOW, b"pulling\n")
    assert await log.mark() == 2
    assert store.text("stderr") == "pulling\n"
    await log.close()
