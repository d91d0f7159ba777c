"""A runner dies at any point of an attempt in a container: it is started once, and its result is kept."""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping
from typing import Any
from uuid import uuid4

import pytest
from tests.support.docker_engine import PrivateEngine, private_engine
from tests.support.docker_harness import DockerHarness, shell_image
from tests.support.executor_conformance import BOUND, Behaviour, KeptHandle, RecordingLog
from tests.support.image_registry import Registry
from tests.support.waiting import eventually

from orchestrator_runner.executors.docker.containers import Containers
from orchestrator_runner.executors.docker.engine import DockerEngine
from orchestrator_runner.executors.docker.images import Registries
from orchestrator_runner.executors.docker.run import ContainerRun, Surroundings
from orchestrator_runner.executors.port import Adopted, AttemptId, Execution, ExecutionLost, Outcome
from orchestrator_shared.definitions.docker_component import DockerComponent
from orchestrator_shared.domain.images import parse_image
from orchestrator_shared.domain.reports import OutputTable
from orchestrator_shared.domain.statuses import JobStatus
from orchestrator_shared.domain.tables import TableName

REPORTS = r"""echo begun; sleep 0.3; echo done
echo '{"message": "ok", "output_tables": ["out.c-main.a"]}' >result.json; echo '{"at": 7}' >state.json"""


class Died(Exception):
    """The runner is gone: nothing of it runs after this."""


class MortalContainers(Containers):
    """Requests of a runner that dies before or after one of them."""

    dies: str = ""

    async def create(self, name: str, body: Mapping[str, Any], archive: bytes) -> str:
        self._die("before create")
        if self.dies == "after create, before its files":
            await self.engine.call("POST", "/containers/create", query={"name": name}, body=body)
            self._die("after create, before its files")
        created = await super().create(name, body, archive)
        self._die("after create, before start")
        return created

    async def start(self, container: str) -> None:
        await super().start(container)
        self._die("after start, before the handle")

    def _die(self, point: str) -> None:
        if self.dies == point:
            raise Died(point)


class MortalRecord(KeptHandle):
    """Its runner dies when it has kept its second handle."""

    dies = False

    async def keep_handle(self, handle: Mapping[str, Any]) -> None:
        await super().keep_handle(handle)
        if self.dies and "log_seq" in handle:
            raise Died("after the handle")


@pytest.fixture(scope="module")
def image(registry: Registry) -> str:
    return shell_image(registry)


@pytest.fixture
async def harness(engine: PrivateEngine, registry: Registry, image: str) -> AsyncIterator[DockerHarness]:
    made = DockerHarness(engine, registry, image)
    async with made.opened() as made.executor:
        yield made
    made.remove_all()


async def first_runner(harness: DockerHarness, execution: Execution, dies: str) -> Outcome:
    """Works until it dies, and cleans up nothing."""
    engine = DockerEngine(harness.engine.address)
    containers = MortalContainers(engine, harness.installation)
    containers.dies = dies
    section = DockerComponent.model_validate(execution.target)
    shared = Surroundings(containers, Registries(), 10**9)
    run = ContainerRun(shared, section, parse_image(section.image), execution, None, RecordingLog())
    try:
        return await asyncio.wait_for(run.work(), BOUND)
    finally:
        await engine.close()


async def adopted(
    harness: DockerHarness, execution: Execution, record: KeptHandle, log: RecordingLog
) -> Outcome:
    assert record.handle is not None
    adopting = harness.executor.adopt(execution, Adopted(record.handle), log, asyncio.Event())
    return await asyncio.wait_for(adopting, BOUND)


@pytest.mark.parametrize(
    "point",
    [
        "before create",
        "after create, before its files",
        "after create, before start",
        "after start, before the handle",
        "after the handle",
    ],
)
async def test_a_program_is_started_once_whenever_its_runner_dies(harness: DockerHarness, point: str) -> None:
    record, log = MortalRecord(), RecordingLog()
    record.dies = point == "after the handle"
    execution = harness.shell(REPORTS, record=record)
    with pytest.raises(Died, match=point):
        await first_runner(harness, execution, point)
    outcome = await adopted(harness, execution, record, log)
    assert (outcome.status, outcome.message, outcome.state) == (JobStatus.SUCCESS, "ok", {"at": 7})
    assert outcome.output_tables == (OutputTable(TableName("out.c-main", "a")),)
    assert log.text("stdout") == b"begun\ndone\n"
    assert harness.starts() == 1


async def test_a_result_that_was_not_stored_is_read_again(harness: DockerHarness) -> None:
    """Death after the end and before the result: the container stays until the database has it."""
    record, log = KeptHandle(), RecordingLog()
    execution = harness.shell(REPORTS, record=record)
    lost = await asyncio.wait_for(harness.executor.run(execution, RecordingLog(), asyncio.Event()), BOUND)
    assert await adopted(harness, execution, record, log) == lost
    assert log.text("stdout") == b"begun\ndone\n"
    assert harness.starts() == 1


async def test_a_container_goes_with_its_volume_when_its_attempt_is_over(
    harness: DockerHarness,
) -> None:
    execution = harness.shell("echo hi", record=KeptHandle())
    await asyncio.wait_for(harness.executor.run(execution, RecordingLog(), asyncio.Event()), BOUND)
    assert len(harness.names()) == 1
    harness.over.add((execution.job_id, 1))
    await eventually(lambda: not harness.names())
    assert volumes(harness) == []


def volumes(harness: DockerHarness) -> list[str]:
    label = f"--filter=label=orchestrator.installation={harness.installation}"
    return harness.engine.docker("volume", "ls", "--quiet", label).stdout.split()


async def test_orphans_are_removed_even_if_they_run(harness: DockerHarness) -> None:
    """Death after everything: what no attempt is underway for, another runner removes at its start."""
    orphan, known = harness.execution(Behaviour.HANG, record=KeptHandle()), harness.execution(Behaviour.HANG)
    for execution in (orphan, known):
        with pytest.raises(Died):
            await first_runner(harness, execution, "after start, before the handle")
    leftover = harness.execution()
    with pytest.raises(Died):
        await first_runner(harness, leftover, "after create, before start")
    stray = f"{harness.installation}-{leftover.job_id}-1"
    harness.engine.docker("rm", stray)  # without its volume, as a person would

    async def underway(attempts: Collection[AttemptId]) -> Collection[AttemptId]:
        return {attempt for attempt in attempts if attempt[0] == known.job_id}

    other = DockerHarness(harness.engine, harness.registry, harness.image)
    with pytest.raises(Died):
        await first_runner(other, other.execution(Behaviour.HANG), "after start, before the handle")
    await harness.executor.reconcile(underway)
    assert harness.names() == [f"{harness.installation}-{known.job_id}-1"]
    assert len(volumes(harness)) == 1
    assert len(other.names("running")) == 1, "another installation's containers are not ours to remove"
    other.remove_all()


async def test_a_container_that_was_removed_by_hand_is_not_started_again(harness: DockerHarness) -> None:
    record = MortalRecord()
    record.dies = True
    execution = harness.execution(Behaviour.HANG, record=record)
    with pytest.raises(Died):
        await first_runner(harness, execution, "")
    harness.remove_all()
    with pytest.raises(ExecutionLost, match="its container was removed"):
        await adopted(harness, execution, record, RecordingLog())
    assert harness.starts() == 1


async def test_a_container_at_another_engine_is_lost(harness: DockerHarness) -> None:
    record = KeptHandle()
    execution = harness.shell("true", record=record)
    with pytest.raises(Died):
        await first_runner(harness, execution, "before create")
    assert record.handle is not None
    record.handle = {**record.handle, "engine": "ELSE:WHERE"}
    with pytest.raises(ExecutionLost, match="another Docker engine"):
        await adopted(harness, execution, record, RecordingLog())
    assert harness.starts() == 0


async def test_a_slow_predecessor_starts_nothing(harness: DockerHarness) -> None:
    """It created a container, slept beyond its lease, and now sends its start: the id is gone."""
    record = KeptHandle()
    execution = harness.shell(REPORTS, record=record)
    with pytest.raises(Died):
        await first_runner(harness, execution, "after create, before start")
    old = harness.engine.docker("ps", "--all", "--quiet", "--no-trunc", f"--filter=name={execution.job_id}")
    assert (await adopted(harness, execution, record, RecordingLog())).status is JobStatus.SUCCESS
    assert harness.engine.docker("start", old.stdout.strip(), check=False).returncode != 0
    assert harness.starts() == 1


async def test_a_runner_that_lost_its_lease_ends_nothing(harness: DockerHarness) -> None:
    record, stop, owns = KeptHandle(), asyncio.Event(), [True]
    execution, log = harness.execution(Behaviour.HANG, record=record), RecordingLog()
    async with harness.opened(owns=lambda: owns[0]) as executor:
        run = asyncio.create_task(executor.run(execution, log, stop))
        await log.wait_for("stdout", b"hanging")
        owns[0] = False
        run.cancel()
        await asyncio.wait({run}, timeout=BOUND)
    assert len(harness.names("running")) == 1
    stop.set()
    assert record.handle is not None
    adopting = harness.executor.adopt(execution, Adopted(record.handle), RecordingLog(), stop)
    assert (await asyncio.wait_for(adopting, BOUND)).status is JobStatus.TERMINATED


async def test_a_log_that_cannot_be_stored_ends_the_program(harness: DockerHarness) -> None:
    class Broken(RecordingLog):
        async def write(self, *_: Any) -> None:
            raise OSError("no disk")

    with pytest.raises(OSError, match="no disk"):
        await asyncio.wait_for(
            harness.executor.run(harness.execution(Behaviour.HANG), Broken(), asyncio.Event()), BOUND
        )
    assert not harness.names("running")


@pytest.mark.timeout(180)
async def test_the_engine_is_killed_and_comes_back(registry: Registry, image: str) -> None:
    """With live-restore, the program goes on; its log has no gap and no duplicate."""
    flags = ("--bridge=none", "--iptables=false", "--ip6tables=false", "--live-restore")
    with private_engine(*flags) as engine:
        harness = DockerHarness(engine, registry, image)
        async with harness.opened() as executor:
            log = RecordingLog()
            lines = "for n in $(seq 300); do echo line $n; sleep 0.02; done"
            script = lines + """; echo '{"message": "all"}' >result.json"""
            run = asyncio.create_task(executor.run(harness.shell(script), log, asyncio.Event()))
            await log.wait_for("stdout", b"line 20\n")
            await asyncio.to_thread(engine.kill)
            await asyncio.to_thread(engine.start, *flags)
            outcome = await asyncio.wait_for(run, 60)
            harness.remove_all()
    assert outcome.message == "all"
    assert log.text("stdout").decode() == "".join(f"line {n}\n" for n in range(1, 301))


async def test_two_jobs_do_not_meet(harness: DockerHarness) -> None:
    scripts = [f"""echo '{{"message": "{n}"}}' >result.json""" for n in range(4)]
    executions = [harness.shell(script, job_id=uuid4()) for script in scripts]
    runs = (harness.executor.run(execution, RecordingLog(), asyncio.Event()) for execution in executions)
    outcomes = await asyncio.wait_for(asyncio.gather(*runs), 2 * BOUND)
    assert [outcome.message for outcome in outcomes] == ["0", "1", "2", "3"]
