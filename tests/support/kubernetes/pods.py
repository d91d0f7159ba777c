"""What the fake cluster does with a Job: it replays a recording, or runs the program and tells of it."""

import asyncio
import base64
import contextlib
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.support.kubernetes.store import Store
from tests.support.kubernetes.traces import Retargeted, Row

from orchestrator_components import task

STILL_RUNNING_SECONDS = 0.02
"""A program that ends sooner is never shown as running, as recorded."""
ENDED_MESSAGE_BYTES = 2048


class PodLog:
    """What a container wrote, line by line."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, bytes]] = []
        self.is_ended = False
        self.changed = asyncio.Condition()

    async def add(self, text: bytes, stamp: str | None = None) -> None:
        async with self.changed:
            self.lines.append((stamp or _stamp(), text))
            self.changed.notify_all()

    async def end(self) -> None:
        async with self.changed:
            self.is_ended = True
            self.changed.notify_all()


def _stamp() -> str:
    now = time.time_ns()
    whole = datetime.fromtimestamp(now // 1_000_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{whole}.{now % 1_000_000_000:09d}Z"


class Pod:
    """One pod: its Job's rows are told one after the other."""

    def __init__(self, store: Store, job: Mapping[str, Any], case: str = "ok") -> None:
        self.store = store
        self.job = job
        self.told = Retargeted(job, case)
        self.log = PodLog()
        self.logs: dict[str, PodLog] = {}
        self.deleted = asyncio.Event()
        self.ended = asyncio.Event()

    @property
    def job_name(self) -> str:
        name: str = self.job["metadata"]["name"]
        return name

    async def run(self) -> None:
        """Tell everything, from the pod's creation to its end."""
        raise NotImplementedError

    def tell(self, row: Row, **container: Any) -> None:
        """Store what this row says; `container` replaces parts of an ended container's state."""
        told = self.told
        if row.resource == "jobs" and self.store.get("jobs", self.job_name) is None:
            return
        data = told.object(row, self.store.get("jobs", self.job_name))
        for status in data.get("status", {}).get("containerStatuses") or ():
            if "terminated" in status["state"]:
                status["state"]["terminated"] |= container
        name = data["metadata"]["name"]
        if row.resource == "pods":
            self.logs[name] = self.log
        if row.type == "DELETED":
            self.store.remove(row.resource, name, data)
            self.logs.pop(name, None)
        elif row.resource == "pods" and row.type == "MODIFIED" and self.store.get("pods", name) is None:
            return
        else:
            self.store.put(row.resource, data)


class Replay(Pod):
    """Tells a recorded case to its end, or up to a row."""

    def __init__(
        self,
        store: Store,
        job: Mapping[str, Any],
        case: str,
        *,
        message: str | None = None,
        until: Callable[[Row], bool] | None = None,
        lines: tuple[tuple[str, bytes], ...] = (),
    ) -> None:
        super().__init__(store, job, case)
        self._message = message
        self._until = until
        self.log.lines += lines

    async def run(self) -> None:
        """The order is the recorded one; the waits between are not."""
        extra = {} if self._message is None else {"message": self._message}
        for row in self.told.rows:
            if row.resource == "jobs" and row.type == "ADDED":
                continue  # the create itself
            self.tell(row, **extra)
            if "terminated" in row.container:
                await self.log.end()
            await asyncio.sleep(0)
            if self._until is not None and self._until(row):
                return
        self.ended.set()


class Running(Pod):
    """Runs the container's program on this machine, with the data of the Secret."""

    def __init__(self, store: Store, job: Mapping[str, Any]) -> None:
        super().__init__(store, job)
        self.process: asyncio.subprocess.Process | None = None
        self.is_evicted = False

    async def run(self) -> None:
        rows = self.told.rows
        begun = next(n for n, row in enumerate(rows) if "running" in row.container)
        for row in rows[:begun]:
            if row.resource != "jobs" or row.type != "ADDED":
                self.tell(row)
        with tempfile.TemporaryDirectory(prefix="pod-") as folder:
            await self._execute(Path(folder), rows[begun])
        self.ended.set()

    async def _execute(self, folder: Path, running: Row) -> None:
        if not await self._mount(folder):
            self._tell_deletion(137, "")
            return
        self.process = process = await asyncio.create_subprocess_exec(
            *self._argv(),
            env=self._environment(folder),
            cwd=folder / "data",
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
        reading = asyncio.create_task(self._read(process))
        deleting = asyncio.create_task(self.deleted.wait())
        waiting = asyncio.create_task(process.wait())
        await asyncio.wait({waiting}, timeout=STILL_RUNNING_SECONDS)
        if not waiting.done():
            self.tell(running)
            await asyncio.wait({waiting, deleting}, return_when=asyncio.FIRST_COMPLETED)
        was_deleted = self.deleted.is_set() and not waiting.done()
        if was_deleted:
            await self._terminate(process, waiting)
        code = await waiting
        deleting.cancel()
        await reading
        await self.log.end()
        code = code if code >= 0 else 128 - code
        if was_deleted:
            self._tell_deletion(code, self._message(folder, code))
        else:
            self._tell_end(code, self._message(folder, code))
            await self.deleted.wait()
            for name in list(self.logs):
                self.store.remove("pods", name)
            self.logs.clear()

    async def _mount(self, folder: Path) -> bool:
        """As the kubelet does: wait until the Secret is there."""
        for name in ("input", "data"):
            (folder / name).mkdir()
        wanted = self.job["spec"]["template"]["spec"]["volumes"][0]["secret"]["secretName"]
        while (secret := self.store.get("secrets", wanted)) is None:
            if self.deleted.is_set():
                return False
            await asyncio.sleep(0.005)
        for name, content in secret["data"].items():
            (folder / "input" / name).write_bytes(base64.b64decode(content))
        return True

    def _argv(self) -> list[str]:
        wrapper, *rest = self.job["spec"]["template"]["spec"]["containers"][0]["command"]
        assert wrapper == "orchestrator-task"
        return [sys.executable, task.__file__, *rest]

    def _environment(self, folder: Path) -> dict[str, str]:
        container = self.job["spec"]["template"]["spec"]["containers"][0]
        found = {each["name"]: each.get("value", "") for each in container["env"]}
        mounts = {each["mountPath"]: each["name"] for each in container["volumeMounts"]}
        for name, value in found.items():
            for path, volume in mounts.items():
                if value == path or value.startswith(f"{path}/"):
                    found[name] = str(folder / volume) + value.removeprefix(path)
        found["ORCHESTRATOR_TASK_POD"] = next(iter(self.logs))
        return {"PATH": os.environ["PATH"], "ORCHESTRATOR_TASK_MESSAGE": str(folder / "message"), **found}

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        while line := await process.stdout.readline():
            await self.log.add(line)

    async def _terminate(self, process: asyncio.subprocess.Process, waiting: "asyncio.Task[int]") -> None:
        grace = self.job["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await asyncio.wait({waiting}, timeout=grace)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)

    def _message(self, folder: Path, code: int) -> str:
        written = folder / "message"
        if written.exists():
            return written.read_text()[:4096]
        text = b"".join(line for _, line in self.log.lines)[-ENDED_MESSAGE_BYTES:]
        return text.decode(errors="replace") if code else ""

    def _tell_end(self, code: int, message: str) -> None:
        self._tell_from("ok" if code == 0 else "fail7", code, message)

    def _tell_deletion(self, code: int, message: str) -> None:
        self._tell_from("evicted-plain" if self.is_evicted else "poddeleted", code, message)

    def _tell_from(self, case: str, code: int, message: str) -> None:
        """The rest of another case, from the end of its container on."""
        (name,) = self.logs
        suffix = name.removeprefix(self.job_name)
        other = Retargeted(self.job, case)
        uid = (self.store.get("pods", name) or {"metadata": {"uid": ""}})["metadata"]["uid"]
        is_over = False
        for row in other.rows:
            is_over = (
                is_over or "terminated" in row.container or "deletionTimestamp" in row.object["metadata"]
            )
            if not is_over or row.resource == "events":
                continue
            data = deepcopy(row.object)
            meta = {**data["metadata"]}
            if row.resource == "pods":
                meta["name"] = case + suffix
            changed = Row(row.resource, row.type, {**data, "metadata": meta})
            before, self.told = self.told, other
            other._uids = {row.object["metadata"]["uid"]: uid}
            self.tell(changed, exitCode=code, message=message)
            self.told = before


class Simulated(Pod):
    """No program: it is told as one that ended well after some time."""

    def __init__(self, store: Store, job: Mapping[str, Any], *, seconds: float, message: str) -> None:
        super().__init__(store, job)
        self._seconds = seconds
        self._said = message

    async def run(self) -> None:
        for row in self.told.rows:
            if row.resource == "events" or (row.resource == "jobs" and row.type == "ADDED"):
                continue
            if "running" in row.container:
                await self.log.add(b"begun\n")
            if "terminated" in row.container and not self.log.is_ended:
                await asyncio.sleep(self._seconds)
                await self.log.add(b"done\n")
                await self.log.end()
            self.tell(row, message=self._said)
        self.ended.set()
