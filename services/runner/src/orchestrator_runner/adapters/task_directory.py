"""The private directories of attempts: what goes in, what may come out, and nothing that stays."""

import contextlib
import errno
import fcntl
import json
import os
import shutil
import stat
import tempfile
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from orchestrator_runner.domain.execution import Execution
from orchestrator_runner.domain.outcome import Report
from orchestrator_shared.domain.reports import MAX_FILE_BYTES

_PREFIX = "replica-"
_LOCK = ".lock"
_JSON = json.JSONEncoder(ensure_ascii=False, default=dict)
_LEFT_FILES = ("state.json", "result.json")
_SPARES = 64
_SPARE_CONFIG_BYTES = 64 * 1024
_DIRECTORY = stat.S_IFDIR | 0o700
_CONFIG = stat.S_IFREG | 0o600


class WorkDirectory:
    """The replica's own part of the work directory, held by a lock that ends with its process."""

    def __init__(self, root: Path) -> None:
        root.mkdir(parents=True, exist_ok=True)
        self.path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=root))
        self._lock = os.open(self.path / _LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX)

    def remove_abandoned(self) -> int:
        """Remove what killed replicas left, decrypted secrets among it; returns how many there were."""
        others = [path for path in self.path.parent.glob(f"{_PREFIX}*") if path != self.path]
        return sum(_remove_if_abandoned(path) for path in others)

    def close(self) -> None:
        """Remove this replica's part, unless something in it was to be kept."""
        (self.path / _LOCK).unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            self.path.rmdir()
        os.close(self._lock)


def _remove_if_abandoned(path: Path) -> bool:
    try:
        lock = os.open(path / _LOCK, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        remove_tree(path)
    except OSError:
        return False
    finally:
        os.close(lock)
    return True


class TaskDirectories:
    """Gives every attempt a directory of its own, and gives those that are as we made them again.

    To make and remove some hundred a second costs a file system more than the tasks themselves: ext4 looks at
    every inode that was freed within the last minutes before it takes one.
    """

    def __init__(self, parent: Path) -> None:
        self._parent = parent
        self._spares: deque[str] = deque()

    def name(self, execution: Execution) -> str:
        """A new directory's path, of which nobody can know before."""
        return f"{self._parent}/{execution.job_id}.{execution.attempt}.{os.urandom(6).hex()}"

    def make(self, path: str, execution: Execution) -> None:
        """Make it, with config.json and, if there is a state, state.json."""
        if not self._take_spare(path):
            os.mkdir(path, 0o700)
        try:
            _write_json(f"{path}/config.json", execution.config)
            if execution.state is not None:
                _write_json(f"{path}/state.json", execution.state)
        except BaseException:
            remove_tree(path)
            raise

    def _take_spare(self, path: str) -> bool:
        while self._spares:
            with contextlib.suppress(IndexError, FileNotFoundError):
                os.rename(self._spares.pop(), path)
                return True
        return False

    def give_back(self, path: str) -> bool:
        """Keep for another attempt what holds nothing but a config.json of ours, blank from now on.

        False if it is not like that: the caller removes it. No process of the attempt may be left.
        """
        if len(self._spares) >= _SPARES:
            return False
        try:
            for name in _LEFT_FILES:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(f"{path}/{name}")
            if os.lstat(path).st_mode != _DIRECTORY or os.listdir(path) != ["config.json"]:
                return False
            if not _blank(f"{path}/config.json"):
                return False
            spare = f"{self._parent}/spare.{os.urandom(6).hex()}"
            os.rename(path, spare)
        except OSError:
            return False
        self._spares.append(spare)
        return True

    def close(self) -> None:
        """Remove the spare ones."""
        while self._spares:
            remove_tree(self._spares.pop())


def _blank(path: str) -> bool:
    """Overwrite it, secrets and all, unless it is large or another file than the one we wrote."""
    descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        found = os.fstat(descriptor)
        if found.st_mode != _CONFIG or found.st_nlink != 1 or found.st_size > _SPARE_CONFIG_BYTES:
            return False
        return os.write(descriptor, b" " * found.st_size) == found.st_size
    finally:
        os.close(descriptor)


def _write_json(path: str, value: Any) -> None:
    content = _JSON.encode(value).encode(errors="surrogatepass")
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        if os.fstat(descriptor).st_size > len(content):
            os.ftruncate(descriptor, len(content))
        while content:
            content = content[os.write(descriptor, content) :]
    finally:
        os.close(descriptor)


def read_report(directory: str) -> Report:
    """What the task left; one byte more than allowed shows that a file is too large."""
    try:
        return Report(_read_file(f"{directory}/result.json"), _read_file(f"{directory}/state.json"))
    except OSError as error:
        return Report(fault=f"{Path(error.filename or '').name}: {error.strerror}")


def _read_file(path: str) -> bytes | None:
    try:
        # A task may leave a link to a file of ours or a pipe that nobody writes to.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "is no regular file", path)
        return file.read(MAX_FILE_BYTES + 1)


def remove_tree(path: str | Path) -> None:
    """Remove a directory, also where the task took away our right to."""

    def allow_and_retry(function: Callable[..., Any], name: str, _error: object) -> None:
        with contextlib.suppress(OSError):
            os.chmod(os.path.dirname(name), 0o700)
            if function in (os.open, os.scandir, os.rmdir) and not os.path.islink(name):
                os.chmod(name, 0o700)
                shutil.rmtree(name, ignore_errors=True)
            else:
                function(name)

    shutil.rmtree(path, onerror=allow_and_retry)
