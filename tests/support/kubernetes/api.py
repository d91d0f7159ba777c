"""The fake cluster's API over HTTP: the verbs that the executor uses, and all that can go wrong with them."""

import asyncio
import contextlib
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

from tests.support.kubernetes.pods import Pod, Running
from tests.support.kubernetes.store import Store
from tests.support.kubernetes.traces import answer

NAMESPACE = "tasks"
TOKEN = "t0ken-of-the-runner"
Hook = Callable[[str, str], Awaitable[None]]
MakePod = Callable[[Store, Mapping[str, Any]], Pod]
_GROUPS = {"apis": "batch", "api": ""}


async def _nothing(verb: str, resource: str) -> None:
    return


class Answered(Exception):
    """An error answer."""

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(str(status))
        self.status = status
        self.body = body


def status(code: int, reason: str, message: str) -> dict[str, Any]:
    """An error as the API words it."""
    return {
        **answer("create.409.json"),
        "message": message,
        "reason": reason,
        "details": {},
        "code": code,
    }


class KubernetesApi:
    """One namespace of a cluster on a real port."""

    def __init__(self) -> None:
        self.store = Store()
        self.tokens = {TOKEN}
        self.make_pod: MakePod = Running
        self.pods: dict[str, Pod] = {}
        self.asked: list[tuple[str, str, str]] = []
        """Verb, resource and name or query of each request."""
        self.refusals: dict[tuple[str, str], list[Answered | None]] = {}
        """By verb and resource: what the next requests are answered; None closes the connection after the
        work."""
        self.before: Hook = _nothing
        self.after: Hook = _nothing
        """Called before a request is carried out, and before its answer is sent."""
        self.cut_logs_after: list[int] = []
        """After how many lines the next log connections are cut."""
        self.cut_watches_after: list[int] = []
        self.page = 250
        self._server: asyncio.Server | None = None
        self._serving: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self._working: set[asyncio.Task[None]] = set()
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self, tls: ssl.SSLContext | None = None) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, ssl=tls)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """As when the API server is killed: pods go on."""
        assert self._server is not None
        self._server.close()
        serving = list(self._serving)
        self.kill_connections()
        await asyncio.gather(*serving, return_exceptions=True)
        await self._server.wait_closed()

    def kill_connections(self) -> None:
        for task, writer in self._serving.items():
            writer.transport.abort()
            task.cancel()

    async def close(self) -> None:
        await self.stop()
        for pod in self.pods.values():
            pod.deleted.set()
        for task in self._working:
            if not isinstance(next(iter(self.pods.values()), None), Running):
                task.cancel()
        await asyncio.gather(*self._working, return_exceptions=True)

    def count(self, verb: str, resource: str) -> int:
        return sum((verb, resource) == asked[:2] for asked in self.asked)

    def pod_of(self, job: str) -> Pod:
        return self.pods[job]

    def delete_pod(self, job: str, *, evicted: bool = False) -> None:
        """Someone deletes the pod of a Job by hand, or its node is drained."""
        pod = self.pods[job]
        if isinstance(pod, Running):
            pod.is_evicted = evicted
        pod.deleted.set()

    def delete_namespace(self) -> None:
        """Everything in it goes; nothing can be created any more."""
        self.refusals[("create", "jobs")] = [
            Answered(404, status(404, "NotFound", f'namespaces "{NAMESPACE}" not found'))
        ] * 99
        for resource, name in list(self.store.objects):
            if resource != "pods":
                self.store.remove(resource, name)
        for pod in self.pods.values():
            pod.deleted.set()

    # -- requests

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving[task] = writer
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            method, target, _ = head[0].split()
            headers = {
                name.lower(): value.strip()
                for name, _, value in (line.partition(":") for line in head[1:] if line)
            }
            body = await reader.readexactly(int(headers.get("content-length", 0)))
            await self._answer(writer, method, target, headers, json.loads(body) if body else {})
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self._serving.pop(task, None)
            writer.close()

    async def _answer(
        self, writer: asyncio.StreamWriter, method: str, target: str, headers: Mapping[str, str], body: Any
    ) -> None:
        parts = urlsplit(target)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        resource, name = _split(parts.path)
        verb = _verb(method, resource, name, query)
        self.asked.append((verb, resource, name or query.get("resourceVersion", "")))
        try:
            if headers.get("authorization", "").removeprefix("Bearer ") not in self.tokens:
                raise Answered(401, status(401, "Unauthorized", "Unauthorized"))
            scripted = self.refusals.get((verb, resource))
            refusal = scripted.pop(0) if scripted else Ellipsis
            if isinstance(refusal, Answered):
                raise refusal
            if verb == "watch":
                await self._watch(writer, resource, query)
            elif resource == "pods/log":
                await self._log(writer, name, query)
            else:
                await self.before(verb, resource)
                found = self._do(verb, resource, name, query, body)
                await self.after(verb, resource)
                if refusal is None:
                    writer.transport.abort()
                    return
                _write(writer, 201 if verb == "create" else 200, found)
        except Answered as error:
            _write(writer, error.status, error.body)
        with contextlib.suppress(ConnectionError):
            await writer.drain()

    def _do(self, verb: str, resource: str, name: str, query: Mapping[str, str], body: Any) -> Any:
        if verb == "create":
            return self._create(resource, body)
        if verb == "list":
            return self._list(resource, query)
        found = self.store.get(resource, name)
        if found is None:
            raise Answered(404, status(404, "NotFound", f'{resource} "{name}" not found'))
        if verb == "delete":
            self._delete(resource, found, body)
        return found

    def _create(self, resource: str, body: Any) -> Any:
        name = body["metadata"]["name"]
        if self.store.get(resource, name) is not None:
            kind = "jobs.batch" if resource == "jobs" else resource
            raise Answered(409, status(409, "AlreadyExists", f'{kind} "{name}" already exists'))
        for owner in body["metadata"].get("ownerReferences", ()):
            job = self.store.get("jobs", owner["name"])
            assert job is not None
            assert job["metadata"]["uid"] == owner["uid"]
        stamped = {"uid": str(uuid4()), "namespace": NAMESPACE, "creationTimestamp": _now()}
        made = self.store.put(resource, {**body, "metadata": {**body["metadata"], **stamped}})
        if resource == "jobs":
            pod = self.pods[name] = self.make_pod(self.store, made)
            task = asyncio.create_task(pod.run())
            self._working.add(task)
            task.add_done_callback(self._working.discard)
        return made

    def _delete(self, resource: str, found: dict[str, Any], options: Mapping[str, Any]) -> None:
        name = found["metadata"]["name"]
        wanted = options.get("preconditions", {}).get("uid")
        if wanted not in (None, found["metadata"]["uid"]):
            raise Answered(409, status(409, "Conflict", "the UID in the precondition does not match"))
        if resource != "jobs":
            self.store.remove(resource, name)
            return
        pod = self.pods[name]
        pod.deleted.set()
        self.store.remove("secrets", name)
        if options.get("propagationPolicy") == "Foreground":
            meta = {**found["metadata"], "deletionTimestamp": _now(), "finalizers": ["foregroundDeletion"]}
            self.store.put("jobs", {**found, "metadata": meta})
            task = asyncio.create_task(self._remove_after(pod, name))
            self._working.add(task)
            task.add_done_callback(self._working.discard)
        else:
            self.store.remove("jobs", name)

    async def _remove_after(self, pod: Pod, name: str) -> None:
        if isinstance(pod, Running):
            await pod.ended.wait()
        else:
            for each in list(pod.logs):
                self.store.remove("pods", each)
        self.store.remove("jobs", name)

    def _list(self, resource: str, query: Mapping[str, str]) -> Any:
        items = self.store.find(resource, lambda data: _matches(data, query))
        start = int(query.get("continue", 0))
        end = start + min(int(query.get("limit", self.page)), self.page)
        metadata: dict[str, Any] = {"resourceVersion": str(self.store.version)}
        if end < len(items):
            metadata |= {"continue": str(end), "remainingItemCount": len(items) - end}
        return {"kind": "List", "apiVersion": "v1", "metadata": metadata, "items": items[start:end]}

    async def _watch(self, writer: asyncio.StreamWriter, resource: str, query: Mapping[str, str]) -> None:
        _begin_stream(writer)
        seen = int(query["resourceVersion"])
        cut = self.cut_watches_after.pop(0) if self.cut_watches_after else None
        if seen < self.store.oldest:
            await _stream(writer, answer("watch.410.jsonl"))
            _end_stream(writer)
            return
        position = 0
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(float(query.get("timeoutSeconds", 60))):
                while not writer.is_closing():
                    history = self.store.history
                    position = min(position, len(history))
                    for change in history[position:]:
                        if change.version <= seen or change.resource != resource:
                            continue
                        if not _matches(change.object, query):
                            continue
                        seen = change.version
                        await _stream(writer, {"type": change.type, "object": change.object})
                        if cut is not None and (cut := cut - 1) <= 0:
                            writer.transport.abort()
                            return
                    position = len(history)
                    async with self.store.changed:
                        if position >= len(self.store.history):
                            await self.store.changed.wait()
        meta = {"resourceVersion": str(self.store.version)}
        await _stream(writer, {"type": "BOOKMARK", "object": {"metadata": meta}})
        _end_stream(writer)

    async def _log(self, writer: asyncio.StreamWriter, name: str, query: Mapping[str, str]) -> None:
        log = next((pod.logs[name] for pod in self.pods.values() if name in pod.logs), None)
        if log is None:
            missing = answer("log.404.json")
            raise Answered(404, {**missing, "message": missing["message"].replace("none", name)})
        _begin_stream(writer)
        cut = self.cut_logs_after.pop(0) if self.cut_logs_after else None
        position = 0
        while True:
            for stamp, text in log.lines[position:]:
                if stamp[:19] + "Z" >= query.get("sinceTime", ""):
                    await _chunk(writer, stamp.encode() + b" " + text)
                    if cut is not None and (cut := cut - 1) <= 0:
                        writer.transport.abort()
                        return
            position = len(log.lines)
            if log.is_ended or query.get("follow") != "true":
                break
            async with log.changed:
                if position == len(log.lines) and not log.is_ended:
                    await log.changed.wait()
        _end_stream(writer)


def _split(path: str) -> tuple[str, str]:
    """`/api/v1/namespaces/tasks/pods/x/log` is pods/log and x."""
    after = path.split(f"/v1/namespaces/{NAMESPACE}/", 1)[1].split("/")
    resource, name, sub = (*after, "", "")[:3]
    return (f"{resource}/{sub}" if sub else resource), name


def _verb(method: str, resource: str, name: str, query: Mapping[str, str]) -> str:
    if method == "GET":
        return "get" if name else "watch" if query.get("watch") == "true" else "list"
    return {"POST": "create", "DELETE": "delete"}[method]


def _matches(data: Mapping[str, Any], query: Mapping[str, str]) -> bool:
    if selector := query.get("labelSelector"):
        name, _, value = selector.partition("=")
        if data["metadata"].get("labels", {}).get(name) != value:
            return False
    if selector := query.get("fieldSelector"):
        path, _, value = selector.partition("=")
        assert path == "involvedObject.uid"
        return bool(data["involvedObject"]["uid"] == value)
    return True


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _write(writer: asyncio.StreamWriter, code: int, body: Any) -> None:
    content = json.dumps(body).encode()
    head = (
        f"HTTP/1.1 {code} Status\r\nContent-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    writer.write(head.encode() + content)


def _begin_stream(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")


async def _stream(writer: asyncio.StreamWriter, data: Any) -> None:
    await _chunk(writer, json.dumps(data).encode() + b"\n")


async def _chunk(writer: asyncio.StreamWriter, data: bytes) -> None:
    writer.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
    await writer.drain()


def _end_stream(writer: asyncio.StreamWriter) -> None:
    writer.write(b"0\r\n\r\n")


@asynccontextmanager
async def kubernetes_api() -> AsyncIterator[KubernetesApi]:
    """A cluster for the length of a test."""
    api = KubernetesApi()
    await api.start()
    try:
        yield api
    finally:
        await api.close()
