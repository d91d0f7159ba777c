"""What containers may do, how they end, how their images come, and that no line of their log is lost."""

import asyncio
import base64
from collections.abc import AsyncIterator
from typing import Any

import pytest
from tests.support.docker_engine import PrivateEngine
from tests.support.docker_harness import DockerHarness, shell_image
from tests.support.executor_conformance import BOUND, RecordingLog
from tests.support.image_registry import Registry, layer

from orchestrator_runner.executors.docker.engine import EngineAddress
from orchestrator_runner.executors.docker.images import Registries
from orchestrator_runner.executors.images import AllowedImages
from orchestrator_runner.executors.port import Execution, Outcome
from orchestrator_shared.domain.statuses import ErrorKind, JobStatus


@pytest.fixture(scope="module")
def image(registry: Registry) -> str:
    return shell_image(registry)


@pytest.fixture
async def harness(engine: PrivateEngine, registry: Registry, image: str) -> AsyncIterator[DockerHarness]:
    made = DockerHarness(engine, registry, image)
    async with made.opened() as made.executor:
        yield made
    assert not made.names("running")
    made.remove_all()


async def run(harness: DockerHarness, execution: Execution, log: RecordingLog | None = None) -> Outcome:
    running = harness.executor.run(execution, log or RecordingLog(), asyncio.Event())
    return await asyncio.wait_for(running, 2 * BOUND)


async def test_a_program_has_no_rights(harness: DockerHarness) -> None:
    log = RecordingLog()
    script = r"""echo user=$(id -u) group=$(id -g)
sed -n 's/^\(CapEff\|CapBnd\|NoNewPrivs\):\t/\1=/p' /proc/self/status
touch /x 2>/dev/null || echo read-only root
touch ../x 2>/dev/null || echo read-only volume
touch x /tmp/x && echo may write
pwd; cat /proc/1/comm; cat config.json >/dev/null && echo config; echo $PATH"""
    assert (await run(harness, harness.shell(script), log)).status is JobStatus.SUCCESS
    assert log.text("stdout").decode().splitlines() == [
        "user=65532 group=65532",
        "CapEff=0000000000000000",
        "CapBnd=0000000000000000",
        "NoNewPrivs=1",
        "read-only root",
        "read-only volume",
        "may write",
        "/orchestrator/data",
        "docker-init",
        "config",
        "/bin",
    ]


async def test_too_much_memory_is_said_to_be_that(harness: DockerHarness) -> None:
    outcome = await run(harness, harness.shell("head -c 300000000 /dev/zero | tail -c 200000000 >/dev/null"))
    assert outcome.error_kind is ErrorKind.INTERNAL
    assert outcome.message.startswith("out of memory: the container reached its limit of 64 MB")


async def test_processes_are_limited(harness: DockerHarness) -> None:
    script = "for n in $(seq 40); do sleep 2 & done; wait"
    log = RecordingLog()
    await run(harness, harness.shell(script, docker={"pids": 16}), log)
    assert b"can't fork" in log.text("stderr")


async def test_a_program_that_ignores_sigterm_is_killed(harness: DockerHarness) -> None:
    log, stop = RecordingLog(), asyncio.Event()
    running = asyncio.create_task(harness.executor.run(harness.execution("ignore"), log, stop))
    await log.wait_for("stdout", b"hanging")
    stop.set()
    outcome = await asyncio.wait_for(running, BOUND)
    assert (outcome.status, outcome.exit_code) == (JobStatus.TERMINATED, 137)


async def test_a_program_that_hears_sigterm_may_finish(harness: DockerHarness) -> None:
    log, stop = RecordingLog(), asyncio.Event()
    script = "trap 'echo bye; exit 3' TERM; echo hanging; while :; do sleep 0.05; done"
    running = asyncio.create_task(harness.executor.run(harness.shell(script), log, stop))
    await log.wait_for("stdout", b"hanging")
    stop.set()
    outcome = await asyncio.wait_for(running, BOUND)
    assert (outcome.status, outcome.exit_code) == (JobStatus.TERMINATED, 3)
    assert log.text("stdout") == b"hanging\nbye\n"


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("ln -s /etc/passwd result.json", "result.json: is not a regular file"),
        ("mkfifo result.json", "result.json: is not a regular file"),
        ("head -c 3000000 /dev/zero >result.json", "result.json: is larger than"),
        ("echo '[' >state.json", "state.json: "),
    ],
)
async def test_what_is_no_report_is_refused(harness: DockerHarness, script: str, message: str) -> None:
    outcome = await run(harness, harness.shell(script))
    assert outcome.error_kind is ErrorKind.INTERNAL
    assert outcome.message.startswith(message)


async def test_a_program_that_is_not_there(harness: DockerHarness) -> None:
    outcome = await run(harness, harness.execution(docker={"command": ["/bin/nothing", "x"]}))
    assert outcome.error_kind is ErrorKind.INTERNAL
    assert outcome.message.startswith("exited with 127: ")
    assert "/bin/nothing failed: No such file or directory" in outcome.message


async def test_a_command_replaces_the_images(harness: DockerHarness) -> None:
    log = RecordingLog()
    command = ["/bin/sh", "-c", 'echo "$0 $1"', "a b", "c"]
    assert (
        await run(harness, harness.execution(docker={"command": command}), log)
    ).status is JobStatus.SUCCESS
    assert log.text("stdout") == b"a b c\n"


async def test_an_image_that_is_not_allowed(harness: DockerHarness) -> None:
    other = harness.image.replace("/shell@", "/other@")
    outcome = await run(harness, harness.execution(docker={"image": other}))
    assert outcome.error_kind is ErrorKind.USER
    assert outcome.message == (
        f"docker.image: the image {other} is not allowed: "
        "an administrator can add it to ORCHESTRATOR_ALLOWED_IMAGES of the runner"
    )


async def test_an_image_that_the_registry_does_not_have(harness: DockerHarness) -> None:
    missing = f"{harness.registry.host}/shell@sha256:{'f' * 64}"
    outcome = await run(harness, harness.execution(docker={"image": missing}))
    assert outcome.error_kind is ErrorKind.INTERNAL
    assert outcome.message.startswith("the image cannot be pulled: ")
    assert "manifest unknown" in outcome.message


def fresh_image(harness: DockerHarness, registry: Registry, name: str) -> str:
    """One that no engine has yet."""
    digest = registry.add(layer({"bin/": b"", name: name.encode()}), Cmd=["/bin/true"])
    return f"{registry.host}/shell@{digest}"


async def test_a_pull_that_takes_too_long(harness: DockerHarness, registry: Registry) -> None:
    registry.gate.clear()
    log = RecordingLog()
    try:
        slow = fresh_image(harness, registry, "slow")
        outcome = await run(harness, harness.execution(docker={"image": slow, "start_timeout": "1s"}), log)
    finally:
        registry.gate.set()
    assert outcome.error_kind is ErrorKind.INTERNAL
    assert outcome.message == "the container did not start within 1s"
    assert log.text("stderr").decode().startswith(f"pulling the image {slow}\n")


async def test_a_stop_during_a_pull(harness: DockerHarness, registry: Registry) -> None:
    registry.gate.clear()
    log, stop = RecordingLog(), asyncio.Event()
    try:
        execution = harness.execution(docker={"image": fresh_image(harness, registry, "stopped")})
        running = asyncio.create_task(harness.executor.run(execution, log, stop))
        await log.wait_for("stderr", b"pulling the image")
        stop.set()
        assert (await asyncio.wait_for(running, BOUND)).status is JobStatus.TERMINATED
    finally:
        registry.gate.set()


async def test_a_registry_that_wants_a_login(harness: DockerHarness, registry: Registry) -> None:
    busy = shell_image(registry)
    digest = registry.add(layer({"bin/": b"", "private": b"x"}), Cmd=["/bin/true"])
    private = f"{registry.host}/private@{digest}"
    auth = base64.b64encode(b"me:secret").decode()
    registry.password = f"Basic {auth}"
    allowed = AllowedImages.of([f"{registry.host}/private"])
    logins = Registries.parse(f'{{"auths": {{"{registry.host}": {{"auth": "{auth}"}}}}}}')
    try:
        refused = harness.execution(docker={"image": private})
        async with harness.opened(images=allowed) as executor:
            outcome = await executor.run(refused, RecordingLog(), asyncio.Event())
        assert outcome.message.startswith("the image cannot be pulled: ")
        log = RecordingLog()
        async with harness.opened(images=allowed, registries=logins) as executor:
            outcome = await executor.run(refused, log, asyncio.Event())
        assert "/bin/true failed" in outcome.message, "it has no programs, but it was pulled"
        assert b"pulled the image" in log.text("stderr")
    finally:
        registry.password = None
    assert busy


async def test_no_line_of_a_flood_is_lost(harness: DockerHarness) -> None:
    """Also lines that are longer than the engine's pieces, and bytes that are not text."""
    script = r"""for n in $(seq 3000); do echo out $n; echo err $n >&2; done
head -c 50000 /dev/zero | tr '\0' x; echo; printf '\377\376 end'"""
    log = RecordingLog()
    assert (await run(harness, harness.shell(script), log)).status is JobStatus.SUCCESS
    lines = "".join(f"out {n}\n" for n in range(1, 3001)).encode()
    assert log.text("stdout") == lines + b"x" * 50000 + b"\n\xff\xfe end"
    errors = "".join(f"err {n}\n" for n in range(1, 3001)).encode()
    assert log.text("stderr").removeprefix(b"pulling").rpartition(b"image\n")[2] == errors


class CutProxy:
    """In front of the engine's socket: cuts all connections when told to."""

    def __init__(self, target: str) -> None:
        self._target = target
        self._writers: set[asyncio.StreamWriter] = set()
        self.port = 0

    async def serve(self) -> asyncio.Server:
        server = await asyncio.start_server(self._pass_on, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        return server

    def cut(self) -> None:
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_unix_connection(self._target)
        self._writers |= {writer, back}
        await asyncio.gather(_copy(reader, back), _copy(there, writer))


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while piece := await reader.read(4096):
            writer.write(piece)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


async def test_a_connection_that_breaks_again_and_again_loses_no_line(harness: DockerHarness) -> None:
    proxy, log = CutProxy(str(harness.engine.socket)), RecordingLog()
    script = "for n in $(seq 1500); do echo out $n; [ $((n % 10)) = 0 ] && sleep 0.02; done; echo >&2 over"
    async with (
        await proxy.serve(),
        harness.opened(address=EngineAddress(host="127.0.0.1", port=proxy.port)) as executor,
    ):
        running = asyncio.create_task(executor.run(harness.shell(script), log, asyncio.Event()))
        for seen in (100, 400, 700, 1000, 1300):
            await log.wait_for("stdout", f"out {seen}\n".encode())
            proxy.cut()
        outcome = await asyncio.wait_for(running, 2 * BOUND)
    assert outcome.status is JobStatus.SUCCESS
    assert log.text("stdout").decode() == "".join(f"out {n}\n" for n in range(1, 1501))
    assert log.text("stderr") == b"over\n"


async def test_an_engine_that_does_not_answer_is_waited_for(harness: DockerHarness, tmp_path: Any) -> None:
    """Until the start timeout; nothing was started then."""
    nowhere = EngineAddress(socket=str(tmp_path / "nothing.sock"))
    async with harness.opened(address=nowhere) as executor:
        execution = harness.execution(docker={"start_timeout": "1s"})
        outcome = await asyncio.wait_for(executor.run(execution, RecordingLog(), asyncio.Event()), BOUND)
    assert outcome.message == "the container did not start within 1s"
