"""Installing the RabbitMQ server package where there is none, after saying so."""

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
    """The home of the RabbitMQ server; installs Debian's package only if there is none at all."""
    found = find_server()
    if found is not None:
        return found
    prefix = _privileges()
    say(f"RabbitMQ is not installed: installing Debian's {PACKAGE} (with Erlang) by apt-get, about a minute")
    say("the system's own RabbitMQ service is not started; what is started later is private to this folder")
    with _services_stay_down(prefix):
        _install(prefix)
    found = find_server()
    if found is None:
        raise ServerError(
            f"{PACKAGE} was installed, but no server was found: name its home in {HOME_VARIABLE}"
        )
    return found


def _privileges() -> list[str]:
    """What to put before a command that needs root; refuses with the way out where there is none."""
    way_out = (
        f"install it (Debian: `apt-get install {PACKAGE}`; macOS: `brew install rabbitmq`), "
        f"or name the home of a server in {HOME_VARIABLE}, or give the URL of a running one"
    )
    if shutil.which("apt-get") is None:
        raise ServerError(f"RabbitMQ is not installed and there is no apt-get here: {way_out}")
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") and _succeeds(["sudo", "-n", "true"]):
        return ["sudo", "-n"]
    raise ServerError(f"RabbitMQ is not installed; that needs root, or sudo without password: {way_out}")


def _succeeds(argv: list[str]) -> bool:
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=30, check=False)
    return done.returncode == 0


@contextlib.contextmanager
def _services_stay_down(prefix: list[str]) -> Iterator[None]:
    """A package would start its service; Debian asks this file first. An existing one is left alone."""
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
    except ServerError:  # the usual cause on a fresh machine: no package lists yet, or old ones
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
        raise ServerError(f"`{' '.join(argv)}` failed with {done.returncode}:\n{lines}")


def main() -> int:
    """For scripts: make sure that a server is there, or say on stderr what to do."""
    try:
        ensure_installed()
    except ServerError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
