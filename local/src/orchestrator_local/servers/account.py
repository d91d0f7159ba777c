"""Account and folder for a server that refuses to run as root."""

import hashlib
import os
import pwd
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path

from orchestrator_local.servers.processes import ServerError

CANDIDATES = ("postgres", "nobody")
RELOCATED = Path("/var/lib/orchestrator-local")


@dataclass(frozen=True)
class Account:
    """An unprivileged account for a child process; None in both fields means our own account."""

    uid: int | None
    gid: int | None

    def own(self, path: Path) -> None:
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid)


def unprivileged_account() -> Account:
    if os.geteuid() != 0:
        return Account(None, None)
    for name in CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid)
    raise ServerError(
        "PostgreSQL refuses to run as root, and this machine has no account named "
        f"{' or '.join(CANDIDATES)}; run the command as an ordinary user"
    )


def can_reach(account: Account, path: Path) -> bool:
    """Whether the account may traverse every folder above the path (root's home is often closed)."""
    if account.uid is None:
        return True
    return all(
        _permits(folder.stat(), account, stat.S_IXUSR) for folder in path.resolve().parents if folder.exists()
    )


def _permits(status: os.stat_result, account: Account, user_bit: int) -> bool:
    if status.st_uid == account.uid:
        return bool(status.st_mode & user_bit)
    if status.st_gid == account.gid:
        return bool(status.st_mode & (user_bit >> 3))
    return bool(status.st_mode & (user_bit >> 6))


def reachable_folder(account: Account, wanted: Path) -> Path:
    """The wanted folder, or a substitute under /var/lib if the account cannot reach it."""
    if can_reach(account, wanted / "inside"):
        return wanted
    digest = hashlib.sha256(str(wanted.resolve()).encode()).hexdigest()[:16]
    _make_passable(RELOCATED)
    folder = RELOCATED / digest
    _make_passable(folder)
    return folder


def _make_passable(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    folder.chmod(0o711)  # regardless of the umask


def reachable_binaries(account: Account, binaries: Path) -> Path:
    """The folder of programs, or a copy (with its libraries) that the account may execute."""
    if can_reach(account, binaries / "postgres") and _permits(
        (binaries / "postgres").stat(), account, stat.S_IXUSR
    ):
        return binaries
    install = binaries.parent
    digest = hashlib.sha256(f"{install} {install.stat().st_mtime_ns}".encode()).hexdigest()[:16]
    _make_passable(RELOCATED)
    copy = RELOCATED / f"programs-{digest}"
    if not copy.exists():
        _copy_programs(install, copy)
    return copy / install.parent.name / install.name / binaries.name


def _copy_programs(install: Path, copy: Path) -> None:
    scratch = copy.with_suffix(f".{os.getpid()}")
    libraries = install.parent.with_name(f"{install.parent.name}.libs")
    shutil.copytree(install, scratch / install.parent.name / install.name, symlinks=True)
    if libraries.is_dir():
        shutil.copytree(libraries, scratch / libraries.name, symlinks=True)
    for path in (scratch, *scratch.rglob("*")):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | (0o055 if path.is_dir() or os.access(path, os.X_OK) else 0o044))
    try:
        scratch.rename(copy)
    except OSError:  # another process was first
        shutil.rmtree(scratch, ignore_errors=True)
