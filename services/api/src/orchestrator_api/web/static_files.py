"""Serves the page's own files and the vendored ones: from memory, compressed once, and kept by browsers.

Their addresses carry a digest of all of them, so an address never changes its content.
"""

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from orchestrator_api.http.compression import accepts_gzip

FOLDER = Path(__file__).parent / "static"
FOREVER = "public, max-age=31536000, immutable"
BRIEFLY = "public, max-age=60"
"""For the address of another release: it may get the file that this one has, but not keep it."""
COMPRESSED = frozenset({"text/css", "text/javascript", "image/svg+xml", "text/plain"})
LEVEL = 9
mimetypes.add_type("font/woff2", ".woff2")
mimetypes.add_type("text/javascript", ".js")


@dataclass(frozen=True)
class StaticFile:
    """One file."""

    content: bytes
    media_type: str

    @cached_property
    def compressed(self) -> bytes | None:
        """With gzip; None if that gains nothing."""
        return gzip.compress(self.content, LEVEL, mtime=0) if self.media_type in COMPRESSED else None


class StaticFiles:
    """All files of a folder."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._files = {
            path.relative_to(folder).as_posix(): StaticFile(path.read_bytes(), _media_type(path))
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }
        digest = hashlib.sha256()
        for name, file in self._files.items():
            digest.update(f"{name}\0{len(file.content)}\0".encode() + file.content)
        self.version = digest.hexdigest()[:12]

    def __contains__(self, name: str) -> bool:
        return name in self._files

    async def serve(self, request: Request) -> Response:
        """The file, or 404."""
        file = self._files.get(request.path_params["path"])
        if file is None:
            return Response("there is no such file\n", 404, media_type="text/plain")
        is_current = request.path_params["version"] == self.version
        headers = {
            "cache-control": FOREVER if is_current else BRIEFLY,
            "x-content-type-options": "nosniff",
            "cross-origin-resource-policy": "same-origin",
        }
        content = file.content
        if file.compressed is not None:
            headers["vary"] = "accept-encoding"
            if accepts_gzip(request.headers.get("accept-encoding", "")):
                content, headers["content-encoding"] = file.compressed, "gzip"
        return Response(content, media_type=file.media_type, headers=headers)


def _media_type(path: Path) -> str:
    return mimetypes.guess_type(path.name)[0] or "application/octet-stream"
