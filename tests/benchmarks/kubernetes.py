"""The section `kubernetes`: five hundred Jobs at once on the fake API, in a process of its own."""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from statistics import median
from typing import Any
from uuid import uuid4

from tests.benchmarks.report import MET, MISSED, table
from tests.benchmarks.stage import Stage
from tests.support.executor_conformance import RecordingLog
from tests.support.kubernetes.api import NAMESPACE, TOKEN, KubernetesApi
from tests.support.kubernetes.pods import Simulated
from tests.support.kubernetes.store import Store

from orchestrator_runner.executors.images import AllowedImages
from orchestrator_runner.executors.kubernetes.client import KubernetesClient
from orchestrator_runner.executors.kubernetes.executor import KubernetesExecutor, KubernetesSettings
from orchestrator_runner.executors.kubernetes.mirror import Mirror
from orchestrator_runner.executors.kubernetes.place import Place
from orchestrator_runner.executors.kubernetes.views import PodView
from orchestrator_runner.executors.port import Execution
from orchestrator_shared.domain.statuses import JobStatus

JOBS = 500
RUNS_SECONDS = 10.0
"""How long each program runs, so that all of them run at once."""
IMAGE = "registry.example.com/team/loader@sha256:" + "a1" * 32
MOST_LAG_SECONDS, MOST_MIB, LEAST_RATE = 1.0, 100.0, 50.0


async def section(stage: Stage, arguments: argparse.Namespace) -> None:
    """Start rate, watch lag and memory of one runner's executor."""
    command = (sys.executable, "-m", __name__)
    api = await asyncio.create_subprocess_exec(*command, "api", stdout=asyncio.subprocess.PIPE)
    try:
        assert api.stdout is not None
        url = (await api.stdout.readline()).decode().strip()
        runner = await asyncio.create_subprocess_exec(*command, "runner", url, stdout=asyncio.subprocess.PIPE)
        out, _ = await runner.communicate()
    finally:
        api.terminate()
        await api.wait()
    found = json.loads(out)
    print(table(("what", "measured", "goal", ""), _rows(found)))


def _rows(found: Mapping[str, float]) -> list[tuple[str, str, str, str]]:
    def row(what: str, text: str, goal: str, is_met: bool) -> tuple[str, str, str, str]:
        return what, text, goal, MET if is_met else MISSED

    rate, lag, memory = found["rate"], found["lag_p99"], found["memory_mib"]
    return [
        row(f"{JOBS} Jobs at once: started", f"{rate:.0f}/s", f"≥ {LEAST_RATE:g}/s", rate >= LEAST_RATE),
        (
            "from the first create to the last result",
            f"{found['seconds']:.1f} s",
            f"programs of {RUNS_SECONDS:g} s",
            "",
        ),
        ("watch lag, median", f"{found['lag_median'] * 1000:.0f} ms", "", ""),
        row("watch lag, 99 %", f"{lag * 1000:.0f} ms", f"≤ {MOST_LAG_SECONDS:g} s", lag <= MOST_LAG_SECONDS),
        row("memory added at its peak", f"{memory:.0f} MiB", f"≤ {MOST_MIB:g} MiB", memory <= MOST_MIB),
        ("CPU of the runner's process", f"{found['cpu_ms']:.1f} ms a Job", "", ""),
        ("all succeeded, each Job created once", str(found["good"] == JOBS), "True", ""),
    ]


class Stamped(Simulated):
    """Its last message tells when its end was told."""

    def tell(self, row: Any, **container: Any) -> None:
        report = {"exit": 0, "line": "", "whole": True, "at": time.time()}
        super().tell(row, **{**container, "message": json.dumps({"orchestrator": report})})


async def serve() -> None:
    """The fake API until it is ended."""
    api = KubernetesApi()

    def make(store: Store, job: Mapping[str, Any]) -> Stamped:
        return Stamped(store, job, seconds=RUNS_SECONDS, message="")

    api.make_pod = make
    await api.start()
    print(api.url, flush=True)
    await asyncio.Event().wait()


async def measure(url: str) -> None:
    """Run all Jobs; print what was measured as JSON."""
    lags = _watched()
    async with AsyncExitStack() as stack:
        token = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "token"
        token.write_text(TOKEN)
        client = KubernetesClient(Place(NAMESPACE, url, token, None))
        settings = KubernetesSettings(AllowedImages.of([IMAGE]))
        executor = await stack.enter_async_context(KubernetesExecutor.open(client, settings))
        await executor._mirror.wait_synced()
        memory, cpu, began = _memory_mib("VmRSS"), time.process_time(), time.monotonic()
        runs = [asyncio.create_task(_run(executor)) for _ in range(JOBS)]
        while sum(1 for job in executor._mirror.jobs()) < JOBS:
            await asyncio.sleep(0.01)
        started = time.monotonic() - began
        good = sum(await asyncio.gather(*runs))
        seconds = time.monotonic() - began
    found = {
        "rate": JOBS / started,
        "seconds": seconds,
        "lag_median": median(lags),
        "lag_p99": sorted(lags)[int(len(lags) * 0.99) - 1],
        "memory_mib": _memory_mib("VmHWM") - memory,
        "cpu_ms": (time.process_time() - cpu) * 1000 / JOBS,
        "good": good,
    }
    print(json.dumps(found), flush=True)


async def _run(executor: KubernetesExecutor) -> bool:
    execution = Execution(
        job_id=uuid4(),
        attempt=1,
        argv=(),
        environment={"A": "b"},
        config={"parameters": {"n": 1}},
        target={"image": IMAGE, "command": ["true"]},
    )
    outcome = await executor.run(execution, RecordingLog(), asyncio.Event())
    return outcome.status is JobStatus.SUCCESS


def _watched() -> list[float]:
    """The time from the cluster's telling of an end to its arrival in the mirror, of each pod."""
    lags: list[float] = []
    put, seen = Mirror._put_pod, set[str]()

    def timed(self: Mirror, pod: PodView) -> None:
        if pod.terminated is not None and pod.uid not in seen:
            seen.add(pod.uid)
            lags.append(time.time() - json.loads(pod.terminated.message)["orchestrator"]["at"])
        put(self, pod)

    Mirror._put_pod = timed  # type: ignore[method-assign]
    return lags


def _memory_mib(what: str) -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{what}:"):
            return int(line.split()[1]) / 1024
    raise AssertionError(what)


if __name__ == "__main__":
    asyncio.run(serve() if sys.argv[1] == "api" else measure(sys.argv[2]))
