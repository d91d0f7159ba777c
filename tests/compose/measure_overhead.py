"""How long a task in a container takes beside `docker run` of the same image; run it by hand:

python -m tests.compose.measure_overhead
"""

import asyncio
import statistics
import subprocess
import time

from tests.support.docker_engine import private_engine
from tests.support.docker_harness import DockerHarness, shell_image
from tests.support.executor_conformance import KeptHandle, RecordingLog
from tests.support.image_registry import image_registry

RUNS = 25
LIKE_OURS = (
    *("--network=none", "--read-only", "--init", "--cap-drop=ALL", "--user=65532", "--memory=64m"),
    *("--security-opt=no-new-privileges", "--pids-limit=256", "--tmpfs=/tmp", "--env=BEHAVIOUR=succeed"),
    *("--env=ORCHESTRATOR_DATA_DIR=/tmp",),
)


def _run_by_docker(harness: DockerHarness) -> float:
    began = time.perf_counter()
    subprocess.run(
        ["docker", "--host", harness.engine.url, "run", "--rm", *LIKE_OURS, harness.image], check=True
    )
    return time.perf_counter() - began


async def _run_by_us(harness: DockerHarness) -> float:
    execution = harness.execution(record=KeptHandle())
    began = time.perf_counter()
    await harness.executor.run(execution, RecordingLog(), asyncio.Event())
    taken = time.perf_counter() - began
    harness.over.add((execution.job_id, 1))
    while harness.names():
        await asyncio.sleep(0.05)
    return taken


async def main() -> None:
    """Prints the medians: the two take turns, so that both meet the same machine."""
    with private_engine() as engine, image_registry() as registry:
        harness = DockerHarness(engine, registry, shell_image(registry))
        async with harness.opened() as harness.executor:
            await _run_by_us(harness)
            theirs, ours = [], []
            for _ in range(RUNS):
                theirs.append(_run_by_docker(harness))
                ours.append(await _run_by_us(harness))
    docker, executor = statistics.median(theirs), statistics.median(ours)
    print(f"docker run: {docker:.3f} s, executor: {executor:.3f} s, {executor / docker:.2f} x")


if __name__ == "__main__":
    asyncio.run(main())
