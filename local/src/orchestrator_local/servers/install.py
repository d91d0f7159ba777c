"""Installing the RabbitMQ server package if it is missing, after announcing it."""

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
POLICY = Path("/usr/sbin/policy-rc.d")
POLICY_TEXT = "#!/bin/sh\nexit 101\n"
INSTALL_SECONDS = 900


def ensure_installed(say: Callable[[str], None] = print) -> Path:
    """The home of the RabbitMQ server; installs Debian's package only if no server is found."""
    found = find_server()
    if found is not None:
        return found
    prefix = _privileges()
    say(
        f"RabbitMQ is not installed: installing Debian's {PACKAGE} (with Erlang) with apt-get, about a minute"
    )
    say("the system's own RabbitMQ service is not started; this stack runs a private server instead")
    with _services_stay_down(prefix):
        _install(prefix)
    found = find_server()
    if found is None:
        raise ServerError(
            f"{PACKAGE} was installed, but no server was found; set {HOME_VARIABLE} to its home"
        )
    return found


def _privileges() -> list[str]:
    """The prefix for commands that need root; raises with a way out if there is none."""
    way_out = (
        f"install it (Debian: `apt-get install {PACKAGE}`; macOS: `brew install rabbitmq`), "
        f"set {HOME_VARIABLE} to the home of a server, or set the URL of a running server "
        "(ORCHESTRATOR_DEV_AMQP_URL; for the tests, TEST_AMQP_URL)"
    )
    if shutil.which("apt-get") is None:
        raise ServerError(f"RabbitMQ is not installed, and this machine has no apt-get: {way_out}")
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") and _succeeds(["sudo", "-n", "true"]):
        return ["sudo", "-n"]
    raise ServerError(
        f"RabbitMQ is not installed, and installing it needs root or passwordless sudo: {way_out}"
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


def _install(prefix: list[str]) -> None:
    # env inside sudo: sudo itself would drop the variable
    apt = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-o", "DPkg::Lock::Timeout=300"]
    install = [*apt, "install", "--yes", "--no-install-recommends", PACKAGE]
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


def main() -> int:
    """For scripts: make sure that a server is installed, or explain on stderr what to do."""
    try:
        ensure_installed()
    except ServerError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
