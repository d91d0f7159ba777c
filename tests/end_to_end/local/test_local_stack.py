"""`orchestrator dev`: one stack per folder, services that come back, nothing left behind.

The stack is the one of test_demo.py, which comes before; the last test here ends it.
"""

import json
import os
import signal
import subprocess

import pytest
from tests.end_to_end.local.conftest import CommandLine

from orchestrator_local.servers.processes import is_alive, wait_until
from orchestrator_local.stack.readiness import is_ready

pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("local-stack")]


def test_a_second_start_finds_the_running_stack(orchestrator: CommandLine) -> None:
    before = orchestrator.record()
    again = orchestrator("dev", "up", "--detach")
    assert again.returncode == 0
    assert f"Already running: {before.url}" in again.stdout
    assert orchestrator.record() == before


def test_everything_is_ready_and_private(orchestrator: CommandLine) -> None:
    def states() -> dict[str, str]:
        status = orchestrator("dev", "status", "--json")
        assert status.returncode == 0
        return {process["name"]: process["state"] for process in json.loads(status.stdout)["processes"]}

    # The demo has killed a runner.
    assert wait_until(lambda: set(states().values()) == {"ready"}, 30)
    assert {"api", "scheduler", "trigger-watcher", "notifier", "runner", "runner-2", "mail-sink"} == set(
        states()
    )
    for secret in (orchestrator.layout.keys, orchestrator.layout.root / "context.json"):
        assert secret.stat().st_mode & 0o077 == 0
    token = json.loads(orchestrator.layout.keys.read_text())["admin_token"]
    for log in orchestrator.layout.logs.iterdir():
        assert token not in log.read_text(errors="replace")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can look as another user")
def test_another_user_reads_nothing_of_the_state(orchestrator: CommandLine) -> None:
    """Issue 8, 10: RabbitMQ's folder and PostgreSQL's log were open to all."""
    root = orchestrator.layout.root
    found = sorted(str(path.relative_to(root)) for path in root.rglob("*"))
    assert {"keys.json", "rabbitmq/rabbitmq.conf", "postgres/server.log", "logs/api.log"} <= set(found)
    look = 'while IFS= read -r path; do [ -r "$path" ] || [ -w "$path" ] && echo "$path"; done; ls .'
    seen = subprocess.run(
        ["sh", "-c", look],
        input="\n".join(found) + "\n",
        cwd=root,  # from within, so that closed folders above are no help
        user=65534,
        group=65534,
        extra_groups=[],
        env={"PATH": os.defpath},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert seen.stdout == ""
    assert "ermission denied" in seen.stderr


@pytest.mark.parametrize("name", ["api", "scheduler", "notifier"])
def test_a_killed_service_comes_back_at_the_same_address(orchestrator: CommandLine, name: str) -> None:
    before = orchestrator.record().processes[name]
    os.kill(before.pid, signal.SIGKILL)
    assert wait_until(lambda: orchestrator.record().processes[name].pid != before.pid, 20)
    after = orchestrator.record().processes[name]
    assert (after.port, after.restarts) == (before.port, before.restarts + 1)
    assert wait_until(lambda: is_ready(after.port, has_http=True), 60)


def test_commands_find_the_stack_and_refusals_name_the_field(orchestrator: CommandLine) -> None:
    assert orchestrator("components", "list").returncode == 0
    refused = orchestrator("tables", "publish", "no table at all")
    assert refused.returncode == 2
    assert "table" in refused.stderr
    assert "Traceback" not in refused.stderr
    missing = orchestrator("run", "there-is-no-such-run", "--follow")
    assert missing.returncode == 2
    assert "there-is-no-such-run" in missing.stderr


def test_a_killed_supervisor_leaves_nothing_that_down_or_up_cannot_end(orchestrator: CommandLine) -> None:
    before = orchestrator.record()
    os.kill(before.supervisor.pid, signal.SIGKILL)
    assert wait_until(lambda: not is_alive(before.supervisor.pid), 10)
    assert orchestrator("dev", "status").returncode == 3
    up = orchestrator("dev", "up", "--detach")
    assert up.returncode == 0, up.stdout + up.stderr
    after = orchestrator.record()
    assert after.url == before.url
    assert not any(entry.identity.is_running for entry in before.processes.values())
    down = orchestrator("dev", "down")
    assert down.returncode == 0
    assert not any(entry.identity.is_running for entry in after.processes.values())
    assert not orchestrator.layout.record.exists()
    assert orchestrator("jobs", "list").returncode == 3
