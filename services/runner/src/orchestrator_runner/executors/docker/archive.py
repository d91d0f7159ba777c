"""Puts the input files into a container, and takes out what the program left: as tar archives."""

import base64
import io
import json
import tarfile
from collections.abc import Mapping
from typing import Any

from orchestrator_runner.executors.docker.spec import DATA_DIR, VOLUME
from orchestrator_runner.executors.port import Execution
from orchestrator_shared.domain.reports import MAX_FILE_BYTES

MOST_BYTES = MAX_FILE_BYTES + 64 * 1024
"""A file of the largest size, with the archive's own headers."""
STAT_HEADER = "x-docker-container-path-stat"
_FOLDER = DATA_DIR.removeprefix(f"{VOLUME}/")
_NOT_REGULAR = 0x8F280000
"""Bits of a mode as Go writes it: folder, link, device, pipe, socket, character device, irregular."""
_JSON = json.JSONEncoder(ensure_ascii=False, default=dict)


class UnusableFile(Exception):
    """The program left something else than a regular file."""


def input_archive(execution: Execution, user: int) -> bytes:
    """The data directory with its files; everything belongs to the program's user."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        archive.addfile(_entry(_FOLDER, user, 0o700, tarfile.DIRTYPE))
        _add_json(archive, "config.json", execution.config, user)
        if execution.state is not None:
            _add_json(archive, "state.json", execution.state, user)
    return buffer.getvalue()


def _add_json(archive: tarfile.TarFile, name: str, value: Mapping[str, Any], user: int) -> None:
    content = _JSON.encode(value).encode(errors="surrogatepass")
    entry = _entry(f"{_FOLDER}/{name}", user, 0o600, tarfile.REGTYPE)
    entry.size = len(content)
    archive.addfile(entry, io.BytesIO(content))


def _entry(name: str, user: int, mode: int, kind: bytes) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.uid = entry.gid = user
    entry.mode, entry.type = mode, kind
    return entry


def check_regular(headers: Mapping[str, str]) -> None:
    """Raises UnusableFile if what the engine describes is a link, a folder, a pipe or the like."""
    try:
        mode = int(json.loads(base64.b64decode(headers[STAT_HEADER]))["mode"])
    except (KeyError, ValueError, TypeError):
        raise UnusableFile("cannot be read: the engine does not describe it") from None
    if mode & _NOT_REGULAR:
        raise UnusableFile("is not a regular file")


def file_of(archive: bytes) -> bytes:
    """The only file of an archive; of one that was cut off, more bytes than a report may have."""
    if len(archive) > MOST_BYTES:
        return b" " * (MAX_FILE_BYTES + 1)
    try:
        with tarfile.open(fileobj=io.BytesIO(archive), mode="r:") as opened:
            for entry in opened:
                content = opened.extractfile(entry) if entry.isreg() else None
                if content is not None:
                    return content.read(MAX_FILE_BYTES + 1)
    except tarfile.TarError:
        pass
    raise UnusableFile("is not a regular file")
