"""Installing the broker's package: only where none is, only with the right to, leaving nothing behind."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from orchestrator_local.servers import install
from orchestrator_local.servers.processes import ServerError


class Machine:
    """Records the commands that would run; `broken` ones fail."""

    def __init__(self, policy: Path) -> None:
        self.policy = policy
        self.commands: list[str] = []
        self.broken: set[str] = set()
        self.home: Path | None = None

    def run(self, argv: Sequence[str]) -> None:
        command = " ".join(argv)
        self.commands.append(command)
        if any(part in command and self._fails_now(part) for part in sorted(self.broken)):
            raise ServerError(f"`{command}` failed")
        if argv[-1] == str(self.policy):
            self.policy.unlink() if "rm" in argv else self.policy.write_text(Path(argv[-2]).read_text())
        if install.PACKAGE in argv:
            assert self.policy.read_text(), "services must stay down while the package is configured"
            self.home = Path("/usr/lib/rabbitmq/lib/rabbitmq_server-3.10.8")

    def _fails_now(self, part: str) -> bool:
        return part != install.PACKAGE or not any("update" in command for command in self.commands)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Machine:
    made = Machine(tmp_path / "policy-rc.d")
    monkeypatch.setattr(install, "POLICY", made.policy)
    monkeypatch.setattr(install, "_run", made.run)
    monkeypatch.setattr(install, "find_server", lambda: made.home)
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    return made


def test_an_installed_server_is_left_alone(machine: Machine) -> None:
    machine.home = Path("/somewhere")
    said: list[str] = []
    assert install.ensure_installed(said.append) == Path("/somewhere")
    assert machine.commands == said == []


def test_it_says_what_it_does_and_removes_its_guard(machine: Machine) -> None:
    said: list[str] = []
    install.ensure_installed(said.append)
    assert install.PACKAGE in said[0]
    assert "--no-install-recommends" in " ".join(machine.commands)
    assert "DPkg::Lock::Timeout=300" in " ".join(machine.commands)
    assert not machine.policy.exists()


def test_old_package_lists_are_renewed_once(machine: Machine) -> None:
    machine.broken = {install.PACKAGE}
    install.ensure_installed(lambda _: None)
    assert [command.split()[-1] for command in machine.commands if "apt-get" in command] == [
        install.PACKAGE,
        "update",
        install.PACKAGE,
    ]


def test_the_guard_goes_away_when_the_installation_fails(machine: Machine) -> None:
    machine.broken = {"apt-get"}
    with pytest.raises(ServerError):
        install.ensure_installed(lambda _: None)
    assert not machine.policy.exists()


def test_a_guard_of_somebody_else_stays(machine: Machine) -> None:
    machine.policy.write_text("theirs")
    install.ensure_installed(lambda _: None)
    assert machine.policy.read_text() == "theirs"


def test_sudo_is_used_by_ordinary_users(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(install, "_succeeds", lambda _: True)
    install.ensure_installed(lambda _: None)
    assert all(command.startswith("sudo -n ") for command in machine.commands)


@pytest.mark.parametrize("missing", ["apt-get", "sudo"])
def test_without_the_means_the_way_out_is_told(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(shutil, "which", lambda name: None if name == missing else name)
    with pytest.raises(ServerError, match=r"apt-get install rabbitmq-server.*ORCHESTRATOR_RABBITMQ_HOME"):
        install.ensure_installed(lambda _: None)
    assert machine.commands == []


def test_a_browser_is_installed_only_if_there_is_none(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(install.BROWSER_VARIABLE, raising=False)
    assert install.ensure_browser(lambda _: None) == Path("/usr/bin/chromium")
    assert machine.commands == []
    there: list[str] = []

    def which(name: str) -> str | None:
        there.extend(["chromium"] if any("chromium" in each for each in machine.commands) else [])
        return f"/usr/bin/{name}" if name in ("apt-get", *there) else None

    monkeypatch.setattr(shutil, "which", which)
    said: list[str] = []
    assert install.ensure_browser(said.append) == Path("/usr/bin/chromium")
    assert "chromium" in said[0]
    monkeypatch.setenv(install.BROWSER_VARIABLE, "/opt/chrome")
    assert install.ensure_browser(said.append) == Path("/opt/chrome")


def test_without_a_browser_or_the_right_to_install_one_the_way_out_is_told(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(install.BROWSER_VARIABLE, raising=False)
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(ServerError, match=r"apt-get install chromium.*TEST_CHROMIUM"):
        install.ensure_browser(lambda _: None)


def test_prometheus_is_installed_only_if_it_or_promtool_is_missing(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert install.ensure_prometheus(lambda _: None) == Path("/usr/bin/prometheus")
    assert machine.commands == []

    def which(name: str) -> str | None:
        is_there = name != "promtool" or any("install --yes" in command for command in machine.commands)
        return f"/usr/bin/{name}" if is_there else None

    monkeypatch.setattr(shutil, "which", which)
    said: list[str] = []
    assert install.ensure_prometheus(said.append) == Path("/usr/bin/prometheus")
    assert "prometheus" in said[0]
    assert not machine.policy.exists(), "its service stays down, and the guard goes away"


def test_without_prometheus_or_the_right_to_install_it_the_way_out_is_told(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(ServerError, match=r"apt-get install prometheus.*promtool"):
        install.ensure_prometheus(lambda _: None)
    assert machine.commands == []
