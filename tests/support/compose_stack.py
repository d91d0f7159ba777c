"""docker compose on a private engine: stand-ins for public images, and our own from the Dockerfile."""

import contextlib
import json
import os
import shutil
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.support.docker_engine import PrivateEngine, private_engine
from tests.support.documentation import ROOT

from orchestrator_local.servers.processes import free_port

SERVICES = ("api", "scheduler", "trigger-watcher", "runner", "notifier")
IMAGES = (*SERVICES, "cli", "components")
STANDINS = ("postgres", "rabbitmq", "mail", "prometheus", "postgres-exporter", "alertmanager", "grafana")
PORTS = (
    "ORCHESTRATOR_API",
    "RABBITMQ",
    "RABBITMQ_MANAGEMENT",
    "MAIL",
    "PROMETHEUS",
    "ALERTMANAGER",
    "GRAFANA",
    "WAREHOUSE",
)
SUITE, NEWER_SUITE = "bookworm", "trixie"
SERVER_PACKAGES = (
    "python3,ca-certificates,postgresql,rabbitmq-server,prometheus,prometheus-alertmanager,"
    "prometheus-postgres-exporter,procps"
)
PYTHON_PACKAGES = "python3,python3-venv,python-is-python3,ca-certificates,passwd"
CACHE = Path(os.environ.get("TEST_IMAGES_CACHE", Path.home() / ".cache" / "orchestrator-test-images"))
CONTAINER_USER = 10001
TOKEN = "trial-only-trial-only-trial-only-trial-only"


class ComposeStack:
    """The project's docker-compose.yml, with ports of its own."""

    def __init__(self, engine: PrivateEngine, compose: Path) -> None:
        self.engine = engine
        self._compose = compose
        self.ports = {name: free_port() for name in PORTS}
        self.files = engine.folder / "files"
        """What components read and write."""

    def run(self, *arguments: str, check: bool = True) -> str:
        """A command of compose; its output."""
        images = {f"{name.upper().replace('-', '_')}_IMAGE": f"standin-{name}" for name in STANDINS}
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.engine.folder),
            "DOCKER_HOST": self.engine.url,
            **images,
            **{f"{name}_PORT": str(port) for name, port in self.ports.items()},
            "PYTHON_IMAGE": "standin-python",
            "ORCHESTRATOR_ALLOWED_COMMANDS": '[["true"], ["sleep"]]',
            "ORCHESTRATOR_FILES": str(self.files),
        }
        done = subprocess.run(
            [str(self._compose), "--file", str(ROOT / "docker-compose.yml"), *arguments],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if check and done.returncode != 0:
            raise AssertionError(f"{' '.join(arguments)}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
        return done.stdout

    def up(self, *arguments: str, profile: str = "observability") -> float:
        """Start, and wait until all is healthy; returns the seconds."""
        began = time.monotonic()
        self.run("--profile", profile, "up", "--detach", "--wait", "--no-build", *arguments)
        return time.monotonic() - began

    def container(self, service: str) -> str:
        """The name of the first container of a service."""
        return f"orchestrator-{service}-1"

    def ask(self, method: str, path: str, body: object = None, *, port: str = "ORCHESTRATOR_API") -> Any:
        """A request to the api, or to another port; raises OSError while nothing answers."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.ports[port]}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            content = answer.read()
        return json.loads(content) if content else None

    def ask_until_answered(
        self, method: str, path: str, body: object = None, *, port: str = PORTS[0], seconds: float = 60
    ) -> Any:
        """The same, again and again: only for requests that may be repeated."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                return self.ask(method, path, body, port=port)
            except OSError as error:
                refused = isinstance(error, urllib.error.HTTPError) and error.code < 500 and error.code != 429
                if refused or time.monotonic() > deadline:
                    raise
                time.sleep(0.1)


def install_tools() -> Path:
    """mmdebstrap, and compose v2, which Debian has in a newer suite only; returns compose's program."""
    if shutil.which("mmdebstrap") is None:
        apt = ["apt-get", "-o", "DPkg::Lock::Timeout=300", "install", "--yes", "--no-install-recommends"]
        subprocess.run([*apt, "mmdebstrap"], check=True, capture_output=True)
    program = CACHE / "compose/usr/libexec/docker/cli-plugins/docker-compose"
    if not program.exists():
        with tempfile.TemporaryDirectory() as folder:
            _download_compose(Path(folder))
    return program


def _download_compose(folder: Path) -> None:
    for name in ("lists/partial", "cache/archives/partial"):
        (folder / name).mkdir(parents=True)
    keyring = "/usr/share/keyrings/debian-archive-keyring.gpg"
    (folder / "sources").write_text(f"deb [signed-by={keyring}] {_mirror()} {NEWER_SUITE} main\n")
    options = {
        "Dir::Etc::sourcelist": str(folder / "sources"),
        "Dir::Etc::sourceparts": "-",
        "Dir::State::lists": str(folder / "lists"),
        "Dir::Cache": str(folder / "cache"),
        "APT::Sandbox::User": "root",
    }
    apt = ["apt-get", *(part for name, value in options.items() for part in ("-o", f"{name}={value}"))]
    subprocess.run([*apt, "update"], check=True, capture_output=True)
    subprocess.run([*apt, "download", "docker-compose"], check=True, capture_output=True, cwd=folder)
    (package,) = folder.glob("docker-compose_*.deb")
    subprocess.run(["dpkg", "--extract", package, CACHE / "compose"], check=True)


def _mirror() -> str:
    """Where this machine gets Debian's packages."""
    filters = (f"Codename: {SUITE}", "Created-By: Packages")
    command = ["apt-get", "indextargets", "--format", "$(REPO_URI)", *filters]
    found = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return next(uri for uri in found if "security" not in uri)


def _base(name: str, packages: str) -> Path:
    archive = CACHE / f"{name}-{zlib.crc32(packages.encode()):08x}.tar"
    if not archive.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        fresh = archive.with_suffix(".new.tar")
        options = ("--quiet", "--variant=minbase", f"--include={packages}")
        subprocess.run(["mmdebstrap", *options, SUITE, fresh, _mirror()], check=True)
        fresh.rename(archive)
    return archive


def build_images(engine: PrivateEngine) -> None:
    """The stand-ins, and all images of the Dockerfile."""
    os.environ["DOCKER_BUILDKIT"] = "0"  # the engine's own builder needs no plug-in
    engine.docker("import", str(_base("servers", SERVER_PACKAGES)), "standin-base")
    engine.docker("import", str(_base("python", PYTHON_PACKAGES)), "standin-python-bare")
    with tempfile.TemporaryDirectory() as folder:
        context = Path(folder) / "standins"
        shutil.copytree(ROOT / "tests/compose/standins", context)
        shutil.copy(shutil.which("busybox") or "/bin/busybox", context / "busybox")
        for name in STANDINS:
            engine.docker("build", "--quiet", "--target", name, "--tag", f"standin-{name}", str(context))
        # This machine's certificates: pip inside may meet a proxy that signs for all.
        python = Path(folder) / "python"
        python.mkdir()
        shutil.copy("/etc/ssl/certs/ca-certificates.crt", python / "ca.crt")
        (python / "Dockerfile").write_text(
            "FROM standin-python-bare\n"
            "COPY ca.crt /etc/ssl/certs/ca-certificates.crt\n"
            "ENV SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt\n"
            "ENV PIP_CERT=/etc/ssl/certs/ca-certificates.crt\n"
        )
        engine.docker("build", "--quiet", "--tag", "standin-python", str(python))
    for service in IMAGES:
        arguments = ["--build-arg", "PYTHON_IMAGE=standin-python", "--build-arg", f"SERVICE={service}"]
        tag = ["--tag", f"orchestrator-{service}"]
        engine.docker("build", "--quiet", "--network", "host", *arguments, *tag, str(ROOT))


@contextlib.contextmanager
def compose_stack() -> Iterator[ComposeStack]:
    """Built and ready to be started; everything ends with its engine."""
    compose = install_tools()
    with private_engine("--bridge=none") as engine:
        build_images(engine)
        stack = ComposeStack(engine, compose)
        stack.files.mkdir()
        os.chown(stack.files, CONTAINER_USER, CONTAINER_USER)
        try:
            yield stack
        finally:
            stack.run("--profile", "*", "down", "--volumes", "--timeout", "5", check=False)
