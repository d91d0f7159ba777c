"""A hundred megabytes of log from one job, end to end, beside the raw cost of the same INSERTs."""

import re
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from uuid import uuid4

import pytest
from tests.support.brokers import BrokerVhost
from tests.support.databases import Database
from tests.support.pipelines import Pipelines, runner_environment
from tests.support.service_process import ServiceProcess

from orchestrator_runner.logs.capture import BATCH_BYTES, CHUNK_BYTES

MEGABYTES = 100
REPEATS = 3
LINES = "\n".join(
    f"2026-11-21 08:15:{n % 60:02d} loader: page {n} of table in.c-sales.orders took {n * 7919 % 997} ms"
    for n in range(2000)
)
CODE = f"""
import hashlib
text = ({LINES!r} + "\\n").encode()
seen, left = hashlib.sha256(), {MEGABYTES} * 1024 * 1024 - 100
while left:
    piece = text[:left]
    sys.stdout.buffer.write(piece)
    seen.update(piece)
    left -= len(piece)
sys.stdout.flush()
result(message=seen.hexdigest())
"""
INSERT = """
INSERT INTO raw_logs (job_id, attempt, seq, stream, at, text)
SELECT $1, 1, seq, 'stdout', now(), text FROM unnest($2::integer[], $3::text[]) AS batch (seq, text)
"""
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600), pytest.mark.usefixtures("services_afresh")]


async def test_a_hundred_megabytes_cost_little_more_than_their_inserts(
    database: Database,
    broker: BrokerVhost,
    tmp_path: Path,
    service_process: Callable[[str, Mapping[str, str]], ServiceProcess],
    capsys: pytest.CaptureFixture[str],
) -> None:
    pipelines = Pipelines(database, broker)
    await pipelines.prepare()
    await pipelines.scripts(loud=CODE, quiet="result(message='warm')")
    runner = service_process("orchestrator_runner", runner_environment(database, broker, tmp_path))
    await runner.ready()
    await pipelines.ended(await pipelines.run("quiet", component="script"))
    idle = peak_kib(runner.pid)

    ours, raw = [], []
    for _ in range(REPEATS):
        job = await pipelines.ended(await pipelines.run("loud", component="script"), 120)
        assert job["status"] == "success", job["message"]
        ours.append((job["finished_at"] - job["started_at"]).total_seconds())
        texts = await stored(database, job["id"])
        raw.append(await inserted(database, texts))

    grown = (peak_kib(runner.pid) - idle) / 1024
    speeds = [MEGABYTES / statistics.median(times) for times in (ours, raw)]
    with capsys.disabled():
        print(
            f"\n{MEGABYTES} MB of log: {speeds[0]:.0f} MB/s end to end, {speeds[1]:.0f} MB/s raw INSERTs, "
            f"ratio {speeds[0] / speeds[1]:.2f}; the runner grew by {grown:.0f} MiB"
        )
    assert grown < 40
    assert speeds[0] > 0.3 * speeds[1]


async def test_a_gigabyte_in_one_line_is_cut_and_takes_no_memory(
    database: Database,
    broker: BrokerVhost,
    tmp_path: Path,
    service_process: Callable[[str, Mapping[str, str]], ServiceProcess],
) -> None:
    pipelines = Pipelines(database, broker)
    await pipelines.prepare()
    line = 'os.execvp("sh", ["sh", "-c", "head -c 1000000000 /dev/zero | tr \'\\\\0\' x"])'
    await pipelines.scripts(endless=line, quiet="result(message='warm')")
    runner = service_process("orchestrator_runner", runner_environment(database, broker, tmp_path))
    await runner.ready()
    await pipelines.ended(await pipelines.run("quiet", component="script"))
    idle = peak_kib(runner.pid)

    job = await pipelines.ended(await pipelines.run("endless", component="script"), 240)

    assert job["status"] == "success", job["message"]
    size = await database.fetchval(
        "SELECT sum(octet_length(text)) FROM jobs.logs WHERE job_id = $1", job["id"]
    )
    notice = await database.fetchval(
        "SELECT right(text, 50) FROM jobs.logs WHERE job_id = $1 ORDER BY seq DESC LIMIT 1", job["id"]
    )
    assert 100 * 1024 * 1024 < size < 100 * 1024 * 1024 + 1000
    assert notice.endswith("[log cut off: more than 104857600 bytes]\n")
    assert peak_kib(runner.pid) - idle < 40 * 1024


def peak_kib(pid: int) -> int:
    """The most memory that a process ever had."""
    match = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(encoding="ascii"))
    assert match is not None
    return int(match[1])


async def stored(database: Database, job: object) -> list[str]:
    """The whole log in order; none of it is missing."""
    rows = await database.fetch(
        "SELECT seq, text FROM jobs.logs WHERE job_id = $1 ORDER BY attempt, seq", job
    )
    texts: list[str] = [row["text"] for row in rows]
    assert [row["seq"] for row in rows] == list(range(1, len(rows) + 1))
    assert sum(map(len, texts)) == MEGABYTES * 1024 * 1024 - 100
    assert max(map(len, texts)) <= CHUNK_BYTES
    return texts


async def inserted(database: Database, texts: Sequence[str]) -> float:
    """Seconds for plain INSERTs of the same texts, a batch each, into a table of the same form."""
    async with database.connection() as connection:
        await connection.execute(
            "DROP TABLE IF EXISTS raw_logs; CREATE TABLE raw_logs (LIKE jobs.logs INCLUDING ALL)"
        )
        size, began = BATCH_BYTES // CHUNK_BYTES, time.monotonic()
        for start in range(0, len(texts), size):
            batch = texts[start : start + size]
            await connection.execute(INSERT, uuid4(), list(range(start, start + len(batch))), list(batch))
        return time.monotonic() - began
