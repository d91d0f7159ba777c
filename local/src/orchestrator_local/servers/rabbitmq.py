"""A private RabbitMQ server: the installed program on loopback ports, with its own folder."""

import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

from orchestrator_local.servers.processes import (
    ServerError,
    command_line,
    free_port,
    is_alive,
    open_private,
    port_is_free,
    reap,
    send_signal,
    tail,
    wait_until,
)

HOME_VARIABLE = "ORCHESTRATOR_RABBITMQ_HOME"
USER = "orchestrator"
ATTEMPTS = 3
ERLANG_ARGUMENTS = "-kernel inet_dist_use_interface {127,0,0,1} -start_epmd false"
PLACES = (
    "/usr/lib/rabbitmq/lib/rabbitmq_server-*",
    "/usr/local/lib/rabbitmq/lib/rabbitmq_server-*",
    "/opt/rabbitmq",
    "/opt/homebrew/opt/rabbitmq",
    "/usr/local/opt/rabbitmq",
)


def find_server() -> Path | None:
    """The versioned home of an installed server (the wrapper on the PATH would switch user and paths)."""
    if named := os.environ.get(HOME_VARIABLE):
        if not (Path(named) / "sbin" / "rabbitmq-server").is_file():
            raise ServerError(f"{HOME_VARIABLE}={named}: this folder does not contain sbin/rabbitmq-server")
        return Path(named)
    for place in PLACES:
        homes = [home for home in Path("/").glob(place[1:]) if (home / "sbin" / "rabbitmq-server").is_file()]
        if homes:
            return max(homes, key=_version)
    return None


def _version(home: Path) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", home.name)]


@dataclass(frozen=True)
class Ports:
    """Every port that a node opens; all on loopback."""

    amqp: int
    management: int
    distribution: int
    epmd: int
    metrics: int = 0
    """0 in the file of a node that an earlier version started."""

    @classmethod
    def free(cls) -> Self:
        return cls(free_port(), free_port(), free_port(), free_port(), free_port())

    def are_free(self) -> bool:
        return all(port_is_free(port) for port in asdict(self).values())


class RabbitServer:
    """Start, stop and restart one node; its data, ports and password are kept in `folder` between starts."""

    def __init__(
        self, folder: Path, *, management: bool = False, metrics: bool = False, home: Path | None = None
    ) -> None:
        self.folder = folder.resolve()
        self.host = "127.0.0.1"
        self.user = USER
        self.password = ""
        self.ports = Ports(0, 0, 0, 0)
        self._management = management
        self._metrics = metrics
        self._home = home
        self._node = ""
        self._process: subprocess.Popen[bytes] | None = None
        self._epmd: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        return self.folder / "server.log"

    @property
    def port(self) -> int:
        return self.ports.amqp

    @property
    def url(self) -> str:
        return self.url_for("/")

    def url_for(self, vhost: str, user: str | None = None, password: str | None = None) -> str:
        who = f"{user or self.user}:{password or self.password}"
        return f"amqp://{who}@{self.host}:{self.ports.amqp}/{quote(vhost, safe='')}"

    @property
    def management_url(self) -> str:
        """The HTTP API with user and password; empty unless the server was created with management."""
        if not self._management:
            return ""
        return f"http://{self.user}:{self.password}@{self.host}:{self.ports.management}"

    @property
    def metrics_url(self) -> str:
        """The node's own metrics for Prometheus; empty unless the server was created with metrics."""
        return f"http://{self.host}:{self.ports.metrics}/metrics" if self._metrics else ""

    @property
    def pid(self) -> int | None:
        """The Erlang process of our node, no matter who started it."""
        pid = _read_pid(self.folder / "rabbit.pid")
        return pid if pid and is_alive(pid) and self._belongs_to_us(pid) else None

    def start(self, seconds: float = 90) -> None:
        self._prepare()
        if self._adopt(seconds):
            return
        home = self._home or find_server()
        if home is None:
            raise ServerError("RabbitMQ is not installed; install it with `apt-get install rabbitmq-server`")
        for _ in range(ATTEMPTS):
            self._end_epmd()
            self._choose_ports()
            self._launch(home)
            ready_or_dead = wait_until(lambda: self._is_ready() or self._has_ended(), seconds)
            if ready_or_dead and not self._has_ended():
                return
            reason = tail(self.log)
            self.stop(immediate=True)
            if self.ports.are_free():  # not a port conflict: another attempt would fail the same way
                break
        raise ServerError(f"RabbitMQ did not start within {seconds:.0f} s; the end of {self.log}:\n{reason}")

    def stop(self, seconds: float = 30, *, immediate: bool = False) -> None:
        """Stop node and port mapper; `immediate` skips the orderly shutdown (about 6 s)."""
        pid = self.pid
        if self._process is not None:
            self._end_child(self._process, seconds, immediate=immediate)
        elif pid is not None and not immediate:
            send_signal(pid, signal.SIGTERM)
            wait_until(lambda: not is_alive(pid), seconds)
        if pid is not None and is_alive(pid):
            send_signal(pid, signal.SIGKILL)
            wait_until(lambda: not is_alive(pid), 5)
        self._process = None
        (self.folder / "rabbit.pid").unlink(missing_ok=True)
        self._end_epmd()
        wait_until(self.ports.are_free, 5)  # threads of a killed node close its sockets slightly later

    def kill(self) -> None:
        """Kill it the way a power failure would; used by outage tests.

        RabbitMQ 3.10 loses track of a quorum queue declared in the last few seconds before this: it comes
        back with the queue, but operations on the queue never complete. Stop it cleanly, or kill it later.
        """
        self.stop(immediate=True)

    def remove(self) -> None:
        self.stop(immediate=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def control(self, *arguments: str, seconds: float = 60) -> str:
        """Run `rabbitmqctl` against this node; takes one to two seconds, so prefer the HTTP API in tests."""
        if not self.ports.epmd or self.pid is None:
            # rabbitmqctl would start a port mapper that no one ends.
            raise ServerError(f"the RabbitMQ node in {self.folder} is not running: call start() first")
        home = self._home or find_server()
        if home is None:
            raise ServerError("RabbitMQ is not installed")
        done = subprocess.run(
            [str(home / "sbin" / "rabbitmqctl"), "--quiet", *arguments],
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        if done.returncode != 0:
            raise ServerError(
                f"rabbitmqctl {arguments[0]} failed: {done.stderr.strip() or done.stdout.strip()}"
            )
        return done.stdout

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _prepare(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o700)  # messages, and whatever an older version left open
        (self.folder / "home").mkdir(mode=0o700, exist_ok=True)
        identity = self.folder / "identity.json"
        if not identity.exists():
            identity.touch(mode=0o600)
            made = {"node": f"orchestrator-{secrets.token_hex(4)}", "password": secrets.token_urlsafe(24)}
            identity.write_text(json.dumps(made))
        known = json.loads(identity.read_text())
        self._node, self.password = f"{known['node']}@localhost", known["password"]

    def _adopt(self, seconds: float) -> bool:
        """Take over a node that a killed predecessor left running in our folder."""
        if self.pid is None:
            return False
        self.ports = Ports(**json.loads((self.folder / "ports.json").read_text()))
        if not wait_until(self._is_ready, seconds):
            raise ServerError(f"the RabbitMQ node in {self.folder} (pid {self.pid}) does not become ready")
        return True

    def _choose_ports(self) -> None:
        file = self.folder / "ports.json"
        try:
            ports = Ports(**json.loads(file.read_text()))
        except (OSError, ValueError, TypeError):
            ports = Ports.free()
        if not ports.metrics:
            ports = replace(ports, metrics=free_port())
        self.ports = ports if ports.are_free() else Ports.free()
        file.write_text(json.dumps(asdict(self.ports)))

    def _launch(self, home: Path) -> None:
        self._write_configuration()
        environment = self._environment()
        with open_private(self.log) as log:
            # Run our own port mapper: one started by the node would be a daemon that outlives it.
            self._epmd = self._spawn(["epmd", "-port", str(self.ports.epmd)], environment, log.fileno())
            (self.folder / "epmd.pid").write_text(str(self._epmd.pid))
            self._process = self._spawn([str(home / "sbin" / "rabbitmq-server")], environment, log.fileno())

    def _spawn(self, argv: list[str], environment: dict[str, str], log: int) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            argv,
            env=environment,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            umask=0o077,
        )

    def _write_configuration(self) -> None:
        settings = {
            "listeners.tcp.1": f"{self.host}:{self.ports.amqp}",
            "default_user": self.user,
            "default_pass": self.password,
            "default_vhost": "/",
            "disk_free_limit.absolute": "50MB",
            "log.file": "false",
            "log.console": "true",
            "log.console.level": "warning",
        }
        if self._management:
            settings |= {"management.tcp.ip": self.host, "management.tcp.port": str(self.ports.management)}
        if self._metrics:
            settings |= {"prometheus.tcp.ip": self.host, "prometheus.tcp.port": str(self.ports.metrics)}
        configuration = self.folder / "rabbitmq.conf"
        configuration.touch(mode=0o600)
        configuration.write_text("".join(f"{key} = {value}\n" for key, value in settings.items()))
        plugins = {"rabbitmq_management": self._management, "rabbitmq_prometheus": self._metrics}
        enabled = ",".join(name for name, wanted in plugins.items() if wanted)
        (self.folder / "enabled_plugins").write_text(f"[{enabled}].\n")

    def _environment(self) -> dict[str, str]:
        """Our variables, without RABBITMQ_* and ERL_* ones that the caller may have set for another node."""
        kept = {
            key: value
            for key, value in os.environ.items()
            if not key.startswith(("RABBITMQ_", "ERL_", "NOTIFY_"))
        }
        return kept | {
            "HOME": str(self.folder / "home"),
            "LANG": "C.UTF-8",
            "LC_ALL": "C.UTF-8",
            "RABBITMQ_NODENAME": self._node,
            "RABBITMQ_MNESIA_BASE": str(self.folder / "mnesia"),
            "RABBITMQ_MNESIA_DIR": str(self.folder / "mnesia" / "node"),
            "RABBITMQ_LOG_BASE": str(self.folder / "log"),
            "RABBITMQ_SCHEMA_DIR": str(self.folder / "schema"),
            "RABBITMQ_GENERATED_CONFIG_DIR": str(self.folder / "generated"),
            "RABBITMQ_CONFIG_FILE": str(self.folder / "rabbitmq.conf"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(self.folder / "advanced.config"),
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "enabled_plugins"),
            "RABBITMQ_PID_FILE": str(self.folder / "rabbit.pid"),
            "RABBITMQ_DIST_PORT": str(self.ports.distribution),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": ERLANG_ARGUMENTS,
            "ERL_EPMD_PORT": str(self.ports.epmd),
            "ERL_EPMD_ADDRESS": self.host,
        }

    def _is_ready(self) -> bool:
        if self.pid is None or not answers_amqp(self.host, self.ports.amqp):
            return False
        return not self._management or answers_http(self.host, self.ports.management)

    def _has_ended(self) -> bool:
        return self._process is not None and self._process.poll() is not None

    def _belongs_to_us(self, pid: int) -> bool:
        return f"{self.folder}/home" in command_line(pid)

    def _end_child(self, process: subprocess.Popen[bytes], seconds: float, *, immediate: bool) -> None:
        if not immediate and process.poll() is None:
            process.terminate()  # the start script passes it on and waits for the node
            wait_until(lambda: process.poll() is not None, seconds)
        send_signal(process.pid, signal.SIGKILL, group=True)
        reap(process)

    def _end_epmd(self) -> None:
        pid = _read_pid(self.folder / "epmd.pid")
        if pid and is_alive(pid) and "epmd" in command_line(pid):
            send_signal(pid, signal.SIGKILL)
        reap(self._epmd)
        self._epmd = None
        (self.folder / "epmd.pid").unlink(missing_ok=True)


def _read_pid(file: Path) -> int | None:
    try:
        return int(file.read_text())
    except (OSError, ValueError):
        return None


def _exchange(host: str, port: int, said: bytes) -> bytes:
    try:
        with socket.create_connection((host, port), timeout=1) as connection:
            connection.sendall(said)
            return connection.recv(64)
    except OSError:
        return b""


def answers_amqp(host: str, port: int) -> bool:
    return _exchange(host, port, b"AMQP\x00\x00\x09\x01").startswith(b"\x01")


def answers_http(host: str, port: int) -> bool:
    request = f"GET /api/overview HTTP/1.0\r\nHost: {host}\r\n\r\n".encode()
    return b" 401 " in _exchange(host, port, request)
