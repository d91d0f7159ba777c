"""The private directory of an attempt: what goes in, what may come out, and nothing that stays."""

import contextlib
import errno
import fcntl
import json
import os
import shutil
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from orchestrator_runner.domain.execution import Execution
from orchestrator_runner.domain.outcome import Report
from orchestrator_shared.domain.reports import MAX_FILE_BYTES

_PREFIX = "replica-"
_LOCK = ".lock"
_JSON = json.JSONEncoder(ensure_ascii=False, default=dict)
_CONTRACT_FILES = ("config.json", "state.json", "result.json")


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


def name_task_directory(parent: Path, execution: Execution) -> str:
    """A new directory's path, of which nobody can know before."""
    return f"{parent}/{execution.job_id}.{execution.attempt}.{os.urandom(6).hex()}"


def make_task_directory(path: str, execution: Execution) -> None:
    """Make it, with config.json and, if there is a state, state.json."""
    os.mkdir(path, 0o700)
    try:
        _write_json(f"{path}/config.json", execution.config)
        if execution.state is not None:
            _write_json(f"{path}/state.json", execution.state)
    except BaseException:
        remove_tree(path)
        raise


def _write_json(path: str, value: Any) -> None:
    content = _JSON.encode(value).encode(errors="surrogatepass")
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
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


def remove_contract_files(path: str) -> bool:
    """Remove an attempt's directory if it holds nothing but the files of the contract, as most do."""
    try:
        for name in _CONTRACT_FILES:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(f"{path}/{name}")
        os.rmdir(path)
    except OSError:
        return False
    return True


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
