"""Installing RabbitMQ, and for tests a browser, Prometheus and a Docker engine, after announcing it."""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from orchestrator_local.servers.processes import ServerError
from orchestrator_local.servers.rabbitmq import HOME_VARIABLE, find_server

PACKAGE = "rabbitmq-server"
BROWSER = "chromium"
ENGINE = ("docker.io", "containerd", "runc", "iptables", "busybox-static")
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
BROWSER_VARIABLE = "TEST_CHROMIUM"
PROMETHEUS = "prometheus"
PROMTOOL = "promtool"
EXPORTER = "prometheus-postgres-exporter"
POLICY = Path("/usr/sbin/policy-rc.d")
POLICY_TEXT = "#!/bin/sh\nexit 101\n"
INSTALL_SECONDS = 900


def ensure_installed(say: Callable[[str], None] = print) -> Path:
    """The home of the RabbitMQ server; installs Debian's package only if no server is found."""
    found = find_server()
    if found is not None:
        return found
    prefix = _privileges(
        "RabbitMQ",
        f"install it (Debian: `apt-get install {PACKAGE}`; macOS: `brew install rabbitmq`), "
        f"set {HOME_VARIABLE} to the home of a server, or set the URL of a running server "
        "(ORCHESTRATOR_DEV_AMQP_URL; for the tests, TEST_AMQP_URL)",
    )
    say(
        f"RabbitMQ is not installed: installing Debian's {PACKAGE} (with Erlang) with apt-get, about a minute"
    )
    say("the system's own RabbitMQ service is not started; this stack runs a private server instead")
    with _services_stay_down(prefix):
        _install(prefix, PACKAGE)
    found = find_server()
    if found is None:
        raise ServerError(
            f"{PACKAGE} was installed, but no server was found; set {HOME_VARIABLE} to its home"
        )
    return found


def find_browser() -> Path | None:
    """The Chromium in which the tests open the web page."""
    if named := os.environ.get(BROWSER_VARIABLE):
        return Path(named)
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    return None if found is None else Path(found)


def ensure_browser(say: Callable[[str], None] = print) -> Path:
    """A Chromium; installs Debian's package only if there is none. Nothing else is downloaded."""
    found = find_browser()
    if found is not None:
        return found
    way_out = (
        f"install it (Debian: `apt-get install {BROWSER}`), "
        f"or set {BROWSER_VARIABLE} to the path of a Chromium or Chrome"
    )
    prefix = _privileges("Chromium", way_out)
    say(f"Chromium is not installed: installing Debian's {BROWSER}, in which tests open the web page")
    _install(prefix, BROWSER)
    found = find_browser()
    if found is None:
        raise ServerError(f"{BROWSER} was installed, but no browser was found; set {BROWSER_VARIABLE}")
    return found


def find_prometheus() -> Path | None:
    """The Prometheus server, if there is one with its `promtool` on the PATH."""
    found, tool = shutil.which(PROMETHEUS), shutil.which(PROMTOOL)
    return None if found is None or tool is None else Path(found)


def ensure_prometheus(say: Callable[[str], None] = print) -> Path:
    """Prometheus with promtool, for rules and dashboards; installs Debian's package if one is missing."""
    found = find_prometheus()
    if found is not None:
        return found
    way_out = (
        f"install it (Debian: `apt-get install {PROMETHEUS}`), "
        f"or put `{PROMETHEUS}` and `{PROMTOOL}` on the PATH"
    )
    prefix = _privileges("Prometheus", way_out)
    say(f"Prometheus is not installed: installing Debian's {PROMETHEUS}, with which tests check its rules")
    with _services_stay_down(prefix):
        _install(prefix, PROMETHEUS)
    found = find_prometheus()
    if found is None:
        raise ServerError(f"{PROMETHEUS} was installed, but `{PROMTOOL}` was not found: put it on the PATH")
    return found


def find_postgres_exporter() -> Path | None:
    """The program that shows PostgreSQL's own figures as metrics."""
    found = shutil.which(EXPORTER)
    return None if found is None else Path(found)


def ensure_postgres_exporter(say: Callable[[str], None] = print) -> Path:
    """PostgreSQL's exporter, for the dashboards; installs Debian's package if there is none."""
    found = find_postgres_exporter()
    if found is not None:
        return found
    way_out = f"install it (Debian: `apt-get install {EXPORTER}`), or put `{EXPORTER}` on the PATH"
    prefix = _privileges("PostgreSQL's exporter", way_out)
    say(f"PostgreSQL's exporter is not installed: installing Debian's {EXPORTER} to try dashboards on it")
    with _services_stay_down(prefix):
        _install(prefix, EXPORTER)
    found = find_postgres_exporter()
    if found is None:
        raise ServerError(f"{EXPORTER} was installed, but is not on the PATH")
    return found


def ensure_openssl(say: Callable[[str], None] = print) -> None:
    """The program with which deploy/kubernetes/make-secrets makes certificates."""
    if shutil.which("openssl"):
        return
    prefix = _privileges("openssl", "install it (Debian: `apt-get install openssl`)")
    say("openssl is not installed: installing Debian's, to try the certificates of the manifests")
    _install(prefix, "openssl")


def ensure_engine(say: Callable[[str], None] = print) -> None:
    """A Docker engine and a static busybox, from Debian's packages; its service is not started."""
    if shutil.which("dockerd") and shutil.which("busybox"):
        return
    way_out = f"install it (Debian: `apt-get install {' '.join(ENGINE)}`)"
    prefix = _privileges("The Docker engine", way_out)
    say("The Docker engine is not installed: installing Debian's docker.io; tests start a private one")
    with _services_stay_down(prefix):
        _install(prefix, *ENGINE)
    if shutil.which("dockerd") is None:
        raise ServerError(f"{ENGINE[0]} was installed, but no dockerd was found on the PATH")


def _privileges(what: str, way_out: str) -> list[str]:
    """The prefix for commands that need root; raises with a way out if there is none."""
    if shutil.which("apt-get") is None:
        raise ServerError(f"{what} is not installed, and this machine has no apt-get: {way_out}")
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") and _succeeds(["sudo", "-n", "true"]):
        return ["sudo", "-n"]
    raise ServerError(
        f"{what} is not installed, and installing it needs root or passwordless sudo: {way_out}"
    )


def _succeeds(argv: list[str]) -> bool:
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=30, check=False)
    return done.returncode == 0


@contextlib.contextmanager
def _services_stay_down(prefix: list[str]) -> Iterator[None]:
    """Keep the package from starting its service: Debian consults this file. An existing one is kept."""
    if POLICY.exists():
        yield
        return
    with tempfile.NamedTemporaryFile("w", suffix="-policy-rc.d") as file:
        file.write(POLICY_TEXT)
        file.flush()
        _run([*prefix, "install", "-m", "755", file.name, str(POLICY)])
    try:
        yield
    finally:
        _run([*prefix, "rm", "-f", str(POLICY)])


def _install(prefix: list[str], *packages: str) -> None:
    # env inside sudo: sudo itself would drop the variable
    apt = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-o", "DPkg::Lock::Timeout=300"]
    install = [*apt, "install", "--yes", "--no-install-recommends", *packages]
    try:
        _run(install)
    except ServerError:  # usually, on a fresh machine, the package lists are missing or outdated
        _run([*apt, "update"])
        _run(install)


def _run(argv: list[str]) -> None:
    done = subprocess.run(
        argv,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        timeout=INSTALL_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        lines = "\n".join(f"  {line}" for line in done.stdout.splitlines()[-15:])
        raise ServerError(f"`{' '.join(argv)}` failed with exit code {done.returncode}:\n{lines}")


def main(arguments: list[str]) -> int:
    """For scripts: install what is named, or explain what to do.

    Names are `broker`, `browser`, `prometheus`, `postgres-exporter`, `openssl` and `engine`.
    """
    try:
        if "broker" in arguments:
            ensure_installed()
        if "browser" in arguments:
            ensure_browser()
        if "prometheus" in arguments:
            ensure_prometheus()
        if "postgres-exporter" in arguments:
            ensure_postgres_exporter()
        if "openssl" in arguments:
            ensure_openssl()
        if "engine" in arguments:
            ensure_engine()
    except ServerError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
