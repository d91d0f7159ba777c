"""What is done with containers: one method per request, or per few that belong together."""

import json
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import suppress
from typing import Any

from orchestrator_runner.executors.docker.archive import (
    MOST_BYTES,
    UnusableFile,
    check_regular,
    file_of,
)
from orchestrator_runner.executors.docker.engine import SILENT_SECONDS, DockerEngine, EngineRefused
from orchestrator_runner.executors.docker.logs import Demultiplexer, Message, Position
from orchestrator_runner.executors.docker.spec import DATA_DIR, INSTALLATION, VOLUME, attempt_of
from orchestrator_runner.executors.docker.state import Container
from orchestrator_runner.executors.outcome import Report
from orchestrator_runner.executors.port import AttemptId

NOT_FOUND, CONFLICT = 404, 409


class Containers:
    """The containers of one installation on one engine."""

    def __init__(self, engine: DockerEngine, installation: str) -> None:
        self.engine = engine
        self.installation = installation

    async def find(self, name: str) -> Container | None:
        """One by name or id; None if there is none."""
        try:
            return Container.of((await self.engine.call("GET", f"/containers/{name}/json")).json())
        except EngineRefused as error:
            if error.status == NOT_FOUND:
                return None
            raise

    async def create(self, name: str, body: Mapping[str, Any], archive: bytes) -> str:
        """Create one with its input files; returns its id. Raises EngineRefused, 409 if the name is taken."""
        answer = await self.engine.call("POST", "/containers/create", query={"name": name}, body=body)
        created = str(answer.json()["Id"])
        await self.engine.call(
            "PUT", f"/containers/{created}/archive", query={"path": VOLUME}, archive=archive
        )
        return created

    async def start(self, container: str) -> None:
        """Start its program, unless it was started."""
        await self.engine.call("POST", f"/containers/{container}/start")

    async def signal(self, container: str, name: str) -> None:
        """Send its program a signal, if it still runs."""
        with _unless(NOT_FOUND, CONFLICT):
            await self.engine.call("POST", f"/containers/{container}/kill", query={"signal": name})

    async def remove(self, container: str, *, even_if_running: bool = True) -> None:
        """Remove it with its volume; without `even_if_running`, raises EngineRefused if it runs."""
        query = {"v": "true", "force": "true" if even_if_running else "false"}
        expected = (NOT_FOUND, CONFLICT) if even_if_running else (NOT_FOUND,)  # 409: is being removed
        with _unless(*expected):
            await self.engine.call("DELETE", f"/containers/{container}", query=query)

    async def log(
        self, container: str, position: Position, *, follow: bool, silent_seconds: float = SILENT_SECONDS
    ) -> AsyncIterator[Message]:
        """The messages after this position; to follow means until it ends."""
        query = {
            "stdout": "true",
            "stderr": "true",
            "timestamps": "true",
            "follow": "true" if follow else "false",
            "since": position.since(),
        }
        position.reopen()
        demultiplexer = Demultiplexer()
        path = f"/containers/{container}/logs"
        async with self.engine.stream("GET", path, query=query, silent_seconds=silent_seconds) as stream:
            async for piece in stream.pieces():
                for message in demultiplexer.feed(piece):
                    if position.takes(message):
                        yield message

    async def report(self, container: str) -> Report:
        """The files that the program left."""
        files: dict[str, bytes | None] = {}
        for name in ("result.json", "state.json"):
            try:
                files[name] = await self._file(container, name)
            except UnusableFile as error:
                return Report(fault=f"{name}: {error}")
        return Report(files["result.json"], files["state.json"])

    async def _file(self, container: str, name: str) -> bytes | None:
        path, content = f"/containers/{container}/archive", bytearray()
        try:
            async with self.engine.stream("GET", path, query={"path": f"{DATA_DIR}/{name}"}) as stream:
                check_regular(stream.headers)
                async for piece in stream.pieces():
                    content += piece
                    if len(content) > MOST_BYTES:
                        break
        except EngineRefused as error:
            if error.status == NOT_FOUND and await self.find(container) is not None:
                return None
            raise
        return file_of(bytes(content))

    async def all(self) -> dict[str, AttemptId]:
        """All of this installation, by id, whether they run or not."""
        filters = json.dumps({"label": [f"{INSTALLATION}={self.installation}"]})
        answer = await self.engine.call("GET", "/containers/json", query={"all": "true", "filters": filters})
        return _by_attempt((each["Id"], each.get("Labels")) for each in answer.json())

    async def abandoned_volumes(self) -> dict[str, AttemptId]:
        """Volumes of this installation whose container was removed without them, by name."""
        filters = {"label": [f"{INSTALLATION}={self.installation}"], "dangling": ["true"]}
        answer = await self.engine.call("GET", "/volumes", query={"filters": json.dumps(filters)})
        return _by_attempt((each["Name"], each.get("Labels")) for each in answer.json()["Volumes"] or ())

    async def remove_volume(self, name: str) -> None:
        """Remove a volume, unless it is in use."""
        with _unless(NOT_FOUND, CONFLICT):
            await self.engine.call("DELETE", f"/volumes/{name}")


def _by_attempt(found: Iterable[tuple[str, Mapping[str, str] | None]]) -> dict[str, AttemptId]:
    attempts = ((name, attempt_of(labels or {})) for name, labels in found)
    return {name: attempt for name, attempt in attempts if attempt is not None}


class _unless(suppress):  # noqa: N801  reads as a statement
    """Ignore refusals with one of these statuses."""

    def __init__(self, *statuses: int) -> None:
        super().__init__(EngineRefused)
        self._statuses = statuses

    def __exit__(self, kind: Any, error: Any, trace: Any) -> bool:
        return isinstance(error, EngineRefused) and error.status in self._statuses
