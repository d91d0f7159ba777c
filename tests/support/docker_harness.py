"""The docker executor on a private engine, with an image that does what a test tells it to."""

import io
import shutil
import tarfile
import threading
import time
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from tests.support.docker_engine import PrivateEngine
from tests.support.executor_conformance import BOUND, Behaviour
from tests.support.image_registry import Registry, layer

from orchestrator_runner.executors.docker.executor import DockerExecutor, DockerSettings
from orchestrator_runner.executors.docker.images import Registries
from orchestrator_runner.executors.images import AllowedImages
from orchestrator_runner.executors.port import AttemptId, Execution

PROGRAM = r"""#!/bin/sh
# What the component under test does, by BEHAVIOUR; files as in the component contract.
cd "$ORCHESTRATOR_DATA_DIR"
say() { sed -n 's/.*"say": "\([^"]*\)".*/\1/p' config.json; }
case "$BEHAVIOUR" in
    fail_as_user) echo working >&2; echo 'no such column: amount' >&2; exit 1 ;;
    fail_internally) exit 7 ;;
    hang) echo hanging
        trap 'exit 143' TERM
        until [ -e released ]; do sleep 0.05; done ;;
    ignore) trap '' TERM; echo hanging; while :; do sleep 0.1; done ;;
    report) printf '{"message": "3 rows", "output_tables": [%s, %s]}' \
            '{"table": "out.c-main.a", "rows": 3}' '{"table": "out.c-main.b"}' >result.json ;;
    count_runs) runs=$(sed -n 's/.*"runs": \([0-9]*\).*/\1/p' state.json 2>/dev/null)
        echo "{\"runs\": $((${runs:-0} + 1))}" >state.json ;;
    echo_config) say; echo "{\"message\": \"$(say)\"}" >result.json ;;
    shell) eval "$SCRIPT" ;;
esac
"""


def shell_image(registry: Registry) -> str:
    """A static busybox and the program; returns the image's name with its digest."""
    busybox = Path(shutil.which("busybox") or "/bin/busybox").read_bytes()
    links = ("sh", "sed", "sleep", "cat", "seq", "head", "tr", "ln", "mkfifo", "id", "touch", "dd", "tail")
    files = {"bin/busybox": busybox, "bin/program": PROGRAM.encode(), "tmp/": b"", "etc/": b""}
    digest = registry.add(_with_links(layer(files), links), Env=["PATH=/bin"], Cmd=["/bin/program"])
    return f"{registry.host}/shell@{digest}"


def _with_links(archive: bytes, links: Collection[str]) -> bytes:
    buffer = io.BytesIO(archive)
    with tarfile.open(fileobj=buffer, mode="a") as opened:
        for name in links:
            entry = tarfile.TarInfo(f"bin/{name}")
            entry.type, entry.linkname, entry.mode = tarfile.SYMTYPE, "busybox", 0o777
            opened.addfile(entry)
    return buffer.getvalue()


class DockerHarness:
    """An executor, and what its attempts are made of; attempts are underway until a test ends them."""

    def __init__(self, engine: PrivateEngine, registry: Registry, image: str) -> None:
        self.engine = engine
        self.registry = registry
        self.image = image
        self.job = uuid4()
        self.over: set[AttemptId] = set()
        self.installation = f"test-{uuid4().hex[:8]}"
        self.executor: DockerExecutor

    async def underway(self, attempts: Collection[AttemptId]) -> Collection[AttemptId]:
        return set(attempts) - self.over

    def execution(self, behaviour: str = Behaviour.SUCCEED, **fields: Any) -> Execution:
        section, environment = fields.pop("docker", {}), fields.pop("environment", {})
        target = {"image": self.image, "network": "none", "memory_mb": 64, **section}
        return Execution(
            **{
                "job_id": fields.pop("job_id", uuid4()),
                "attempt": 1,
                "argv": (),
                "environment": {"PATH": "/nowhere", "BEHAVIOUR": str(behaviour), **environment},
                "config": {"parameters": {}},
                "target": target,
                **fields,
            }
        )

    def shell(self, script: str, **fields: Any) -> Execution:
        """An attempt that runs a script."""
        return self.execution("shell", environment={"SCRIPT": script}, **fields)

    @asynccontextmanager
    async def opened(self, **changes: Any) -> AsyncIterator[DockerExecutor]:
        """An executor of this installation: each is another runner's."""
        settings: dict[str, Any] = {
            "address": self.engine.address,
            "images": AllowedImages.of([self.image.partition("@")[0]]),
            "installation": self.installation,
            "grace_seconds": 2.0,
            "clean_seconds": 0.05,
            "registries": Registries(),
        }
        owns = changes.pop("owns", lambda: True)
        made = DockerSettings(**{**settings, **changes})
        async with DockerExecutor.open(made, owns=owns, underway=self.underway) as executor:
            yield executor

    def successor(self) -> Any:
        return self.opened()

    def release(self) -> None:
        """Whatever hangs may be left before its container is created: the successor creates it then."""
        threading.Thread(target=self._release, daemon=True).start()

    def _release(self) -> None:
        touch = ("touch", "/orchestrator/data/released")
        for _ in range(int(BOUND / 0.1)):
            for name in self.names("running"):
                if self.engine.docker("exec", name, *touch, check=False).returncode == 0:
                    return
            time.sleep(0.1)

    def starts(self) -> int:
        """How often programs of this installation were started, as the engine counts them."""
        listed = self.engine.docker(
            "events",
            "--since=2020-01-01T00:00:00",
            f"--until={int(time.time()) + 1}",
            "--filter=event=start",
            f"--filter=label=orchestrator.installation={self.installation}",
            "--format={{.ID}}",
        )
        return len(listed.stdout.split())

    def names(self, *states: str) -> list[str]:
        """The containers of this installation."""
        chosen = [f"--filter=status={state}" for state in states]
        listed = self.engine.docker(
            "ps",
            "--all",
            f"--filter=label=orchestrator.installation={self.installation}",
            *chosen,
            "--format={{.Names}}",
        )
        return listed.stdout.split()

    def remove_all(self) -> None:
        if names := self.names():
            self.engine.docker("rm", "--force", "--volumes", *names, check=False)
