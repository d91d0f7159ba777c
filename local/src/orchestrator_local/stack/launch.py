"""Starting and stopping a local stack from the command line, and reporting progress."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable

from orchestrator_cli.failures import Unreachable
from orchestrator_local.servers.install import ensure_installed
from orchestrator_local.servers.postgres import PostgresServer
from orchestrator_local.servers.processes import is_alive, send_signal, tail, wait_until
from orchestrator_local.servers.rabbitmq import RabbitServer
from orchestrator_local.stack.layout import Layout
from orchestrator_local.stack.leftovers import end_leftovers
from orchestrator_local.stack.record import StackRecord, StackState, Step, read_record

START_SECONDS = 240.0
STOP_SECONDS = 75.0
POLL_SECONDS = 0.1

Say = Callable[[str], None]


def running_stack(layout: Layout) -> StackRecord | None:
    """The record of a stack whose supervisor is alive; a record from before a reboot does not count."""
    record = read_record(layout.record)
    return record if record and record.is_supervised and record.state is not StackState.FAILED else None


def keep_private() -> None:
    """Files created by this process and its children are for their owner only."""
    os.umask(0o077)


def bring_up(layout: Layout, *, runners: int, say: Say) -> tuple[StackRecord, bool]:
    """Returns the running stack, and whether this call started it."""
    keep_private()
    layout.prepare()
    record = running_stack(layout)
    if record and record.state is StackState.STOPPING:
        say("The stack is stopping; waiting for it to finish.")
        wait_until(lambda: running_stack(layout) is None, STOP_SECONDS)
        record = running_stack(layout)
    if record and record.state is StackState.READY:
        return record, False
    supervisor = None
    if record is None:
        if not os.environ.get("ORCHESTRATOR_DEV_AMQP_URL"):
            ensure_installed(say)
        supervisor = _spawn(layout, runners)
    return _follow_start(layout, supervisor, say), supervisor is not None


def _spawn(layout: Layout, runners: int) -> "subprocess.Popen[bytes]":
    argv = [sys.executable, "-m", "orchestrator_local.stack.supervisor"]
    argv += ["--state-dir", str(layout.root), "--runners", str(runners)]
    with layout.log("supervisor").open("ab") as log:
        return subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=layout.root,
            start_new_session=True,
        )


def _follow_start(layout: Layout, supervisor: "subprocess.Popen[bytes] | None", say: Say) -> StackRecord:
    shown = 0
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        ended = supervisor is not None and supervisor.poll() is not None
        record = read_record(layout.record)
        if record and (supervisor is None or record.supervisor.pid == supervisor.pid or ended):
            shown = _say_steps(record.steps, shown, say)
            if record.state is StackState.READY and record.is_supervised:
                return record
            if record.state is StackState.FAILED:
                raise Unreachable(f"the stack did not start: {record.error}")
        if ended and not running_stack(layout):
            break
        time.sleep(POLL_SECONDS)
    log = layout.log("supervisor")
    raise Unreachable(f"the stack did not start; the end of {log}:\n{tail(log)}")


def _say_steps(steps: list[Step], shown: int, say: Say) -> int:
    finished = [step for step in steps if step.seconds is not None]
    for step in finished[shown:]:
        say(f"  {step.text} ({step.seconds:.1f} s)")
    return len(finished)


def bring_down(layout: Layout, say: Say) -> bool:
    """Stop everything that the stack started; returns whether anything was running."""
    record = read_record(layout.record)
    was_running = False
    if record and record.is_supervised:
        was_running = True
        pid = record.supervisor.pid
        send_signal(pid, signal.SIGTERM)
        if not wait_until(lambda: not is_alive(pid), STOP_SECONDS):
            send_signal(pid, signal.SIGKILL)
            wait_until(lambda: not is_alive(pid), 5)
    if record and (ended := end_leftovers(record)):
        say(f"Stopped what an earlier supervisor had left running: {', '.join(ended)}")
        was_running = True
    was_running = _stop_servers(layout) or was_running
    layout.record.unlink(missing_ok=True)
    return was_running


def _stop_servers(layout: Layout) -> bool:
    """Servers that outlived a killed supervisor."""
    stopped = False
    for folder, server in (
        (layout.rabbitmq, RabbitServer(layout.rabbitmq)),
        (layout.postgres, PostgresServer(layout.postgres)),
    ):
        if folder.exists() and server.pid is not None:
            server.stop()
            stopped = True
    return stopped
