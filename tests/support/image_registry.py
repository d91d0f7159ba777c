"""A registry of images from which an engine can pull, made of folders: no public one is needed."""

import contextlib
import gzip
import hashlib
import io
import json
import shutil
import tarfile
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def layer(files: Mapping[str, bytes]) -> bytes:
    """A tar of programs; a name that ends with `/` is a folder."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name.rstrip("/"))
            entry.mode, entry.size = 0o1777 if name == "tmp/" else 0o755, len(content)
            entry.type = tarfile.DIRTYPE if name.endswith("/") else tarfile.REGTYPE
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


@dataclass
class Registry:
    """What it has, and how it behaves."""

    host: str = ""
    blobs: dict[str, bytes] = field(default_factory=dict)
    manifests: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    gate: threading.Event = field(default_factory=threading.Event)
    """Layers are sent once it is set."""
    password: str | None = None

    def add(self, *layers: bytes, **config: Any) -> str:
        """Returns the digest of an image with these layers."""
        packed = [gzip.compress(content, 1, mtime=0) for content in layers]
        described: dict[str, Any] = {
            "architecture": "amd64",
            "os": "linux",
            "config": config,
            "rootfs": {"type": "layers", "diff_ids": [digest_of(content) for content in layers]},
        }
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": self._blob(
                json.dumps(described).encode(), "application/vnd.docker.container.image.v1+json"
            ),
            "layers": [
                self._blob(content, "application/vnd.docker.image.rootfs.diff.tar.gzip") for content in packed
            ],
        }
        content = json.dumps(manifest).encode()
        self.manifests[digest_of(content)] = content
        return digest_of(content)

    def _blob(self, content: bytes, kind: str) -> dict[str, Any]:
        self.blobs[digest_of(content)] = content
        return {"mediaType": kind, "size": len(content), "digest": digest_of(content)}


@contextlib.contextmanager
def image_registry() -> Iterator[Registry]:
    """On loopback, where engines accept plain HTTP."""
    registry = Registry()
    registry.gate.set()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            _answer(registry, self)

        def do_HEAD(self) -> None:
            _answer(registry, self)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    registry.host = f"127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield registry
    finally:
        registry.gate.set()
        server.shutdown()
        server.server_close()
        thread.join()


def _answer(registry: Registry, request: BaseHTTPRequestHandler) -> None:
    registry.asked.append(request.path)
    kind, name = "application/json", request.path.rpartition("/")[2]
    content: bytes | None = b"{}"
    status = 200
    if registry.password is not None and request.headers.get("Authorization") != registry.password:
        status, content = 401, b'{"errors": [{"code": "UNAUTHORIZED", "message": "authentication required"}]}'
    elif "/manifests/" in request.path:
        kind, content = MANIFEST, registry.manifests.get(name)
    elif "/blobs/" in request.path:
        kind, content = "application/octet-stream", registry.blobs.get(name)
        registry.gate.wait()
    if content is None:
        status, kind = 404, "application/json"
        content = b'{"errors": [{"code": "MANIFEST_UNKNOWN", "message": "manifest unknown"}]}'
    request.send_response(status)
    if status == 401:
        request.send_header("WWW-Authenticate", 'Basic realm="test"')
    request.send_header("Content-Type", kind)
    request.send_header("Content-Length", str(len(content)))
    if status == 200 and name.startswith("sha256:"):
        request.send_header("Docker-Content-Digest", name)
    request.end_headers()
    if request.command == "GET":
        with contextlib.suppress(OSError):
            shutil.copyfileobj(io.BytesIO(content), request.wfile)
