"""The private directories of attempts: what goes in, what may come out, and how everything is removed."""

import contextlib
import errno
import fcntl
import json
import os
import shutil
import stat
import tempfile
from collections import defaultdict, deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from orchestrator_runner.executors.outcome import Report
from orchestrator_runner.executors.port import Execution
from orchestrator_shared.domain.reports import MAX_FILE_BYTES

_PREFIX = "replica-"
_LOCK = ".lock"
_JSON = json.JSONEncoder(ensure_ascii=False, default=dict)
_LEFT_FILES = ("state.json", "result.json")
_SPARES = 64
_SPARE_CONFIG_BYTES = 64 * 1024
_DIRECTORY = stat.S_IFDIR | 0o700
_CONFIG = stat.S_IFREG | 0o600


def make_work_directory(root: Path, *, is_passable: bool) -> None:
    """Create the work directory; with `is_passable`, other users may pass through it but not list it.

    This changes modes only where the directory is ours.
    """
    root.mkdir(mode=0o711 if is_passable else 0o777, parents=True, exist_ok=True)
    if is_passable and not (found := root.stat()).st_mode & 0o001 and found.st_uid == os.geteuid() == 0:
        root.chmod(found.st_mode & 0o7777 | 0o111)


class WorkDirectory:
    """The replica's own part of the work directory, held by a lock that ends with its process."""

    def __init__(self, root: Path, *, is_passable: bool = False) -> None:
        make_work_directory(root, is_passable=is_passable)
        # Other replicas would remove it before it is locked, so it gets its real name afterwards.
        hidden = Path(tempfile.mkdtemp(prefix=f".{_PREFIX}", dir=root))
        if is_passable:
            hidden.chmod(0o711)
        self._lock = os.open(hidden / _LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        self.path = hidden.rename(hidden.with_name(hidden.name.removeprefix(".")))

    def remove_abandoned(self) -> int:
        """Remove what killed replicas left, decrypted secrets included; returns how many there were."""
        others = [path for path in self.path.parent.glob(f"{_PREFIX}*") if path != self.path]
        return sum(_remove_if_abandoned(path) for path in others)

    def close(self) -> None:
        """Remove this replica's part, unless something in it must be kept."""
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
    """Gives every attempt a directory of its own, and reuses directories that are as we created them.

    Creating and removing several hundred per second costs a file system more than the tasks themselves: ext4
    checks every inode freed within the last minutes before it takes one.
    """

    def __init__(self, parent: Path) -> None:
        self._parent = parent
        self._spares: defaultdict[int | None, deque[str]] = defaultdict(deque)
        """By user, because a file that one user keeps open must never become another's."""

    def name(self, execution: Execution) -> str:
        """A new directory's path, which no one can guess."""
        return f"{self._parent}/{execution.job_id}.{execution.attempt}.{os.urandom(6).hex()}"

    def make(self, path: str, execution: Execution) -> None:
        """Create it, with config.json and, if there is a state, state.json."""
        user = execution.user
        if not self._take_spare(path, user):
            os.mkdir(path, 0o700)
            if user is not None:
                os.chown(path, user, user)
        try:
            _write_json(f"{path}/config.json", execution.config, user)
            if execution.state is not None:
                _write_json(f"{path}/state.json", execution.state, user)
        except BaseException:
            remove_tree(path)
            raise

    def _take_spare(self, path: str, user: int | None) -> bool:
        spares = self._spares[user]
        while spares:
            with contextlib.suppress(IndexError, FileNotFoundError):
                os.rename(spares.pop(), path)
                return True
        return False

    def give_back(self, path: str, user: int | None = None) -> bool:
        """Keep a directory for another attempt if it contains nothing but our config.json, which is
        blanked.

        Returns False otherwise; the caller then removes it. No process of the attempt may be left.
        """
        if sum(map(len, self._spares.values())) >= _SPARES:
            return False
        try:
            for name in _LEFT_FILES:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(f"{path}/{name}")
            found = os.lstat(path)
            if (found.st_mode, found.st_uid) != (_DIRECTORY, _owner(user)):
                return False
            if os.listdir(path) != ["config.json"]:
                return False
            if not _blank(f"{path}/config.json", user):
                return False
            spare = f"{self._parent}/spare.{os.urandom(6).hex()}"
            os.rename(path, spare)
        except OSError:
            return False
        self._spares[user].append(spare)
        return True

    def close(self) -> None:
        """Remove the spare directories."""
        for spares in self._spares.values():
            while spares:
                remove_tree(spares.pop())


def _owner(user: int | None) -> int:
    return os.geteuid() if user is None else user


def _is_ours(found: os.stat_result, user: int | None) -> bool:
    """Whether this is a regular file that this user could have written, without a second name."""
    return stat.S_ISREG(found.st_mode) and found.st_nlink == 1 and found.st_uid == _owner(user)


def _blank(path: str, user: int | None) -> bool:
    """Overwrite the file, with its secrets, unless it is large or not the file that we wrote."""
    descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        found = os.fstat(descriptor)
        if found.st_mode != _CONFIG or not _is_ours(found, user) or found.st_size > _SPARE_CONFIG_BYTES:
            return False
        return os.write(descriptor, b" " * found.st_size) == found.st_size
    finally:
        os.close(descriptor)


def _write_json(path: str, value: Any, user: int | None) -> None:
    content = _JSON.encode(value).encode(errors="surrogatepass")
    # In a reused directory, other processes of the user may have put something else in its place.
    flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    descriptor = os.open(path, flags, 0o600)
    try:
        found = os.fstat(descriptor)
        if user is not None and found.st_uid == os.geteuid() and not found.st_size and found.st_nlink == 1:
            os.fchown(descriptor, user, user)
        elif not _is_ours(found, user):
            raise OSError(errno.EPERM, "is not the file that was created for the task", path)
        if found.st_size > len(content):
            os.ftruncate(descriptor, len(content))
        while content:
            content = content[os.write(descriptor, content) :]
    finally:
        os.close(descriptor)


def read_report(directory: str, user: int | None = None) -> Report:
    """Read what the task left; one byte more than allowed shows that a file is too large."""
    try:
        return Report(
            _read_file(f"{directory}/result.json", user), _read_file(f"{directory}/state.json", user)
        )
    except OSError as error:
        return Report(fault=f"{Path(error.filename or '').name}: {error.strerror}")


def _read_file(path: str, user: int | None) -> bytes | None:
    try:
        # A task may leave a link to one of our files, or a pipe that no one writes to.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "is not a regular file", path)
        if user is not None and not _is_ours(os.fstat(descriptor), user):
            raise OSError(errno.EPERM, "does not belong to the task", path)
        return file.read(MAX_FILE_BYTES + 1)


def remove_tree(path: str | Path) -> None:
    """Remove a directory, even if the task took away our permission."""
    # root needs no permission, and must not change modes where a task may have placed links
    if os.geteuid() == 0:
        shutil.rmtree(path, ignore_errors=True)
        return

    def allow_and_retry(function: Callable[..., Any], name: str, _error: object) -> None:
        with contextlib.suppress(OSError):
            os.chmod(os.path.dirname(name), 0o700)
            if function in (os.open, os.scandir, os.rmdir) and not os.path.islink(name):
                os.chmod(name, 0o700)
                shutil.rmtree(name, ignore_errors=True)
            else:
                function(name)

    shutil.rmtree(path, onerror=allow_and_retry)
