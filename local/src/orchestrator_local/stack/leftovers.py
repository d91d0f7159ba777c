"""Stopping what a killed supervisor left behind: only processes in its record, matched by start time."""

import signal
import time

from orchestrator_local.servers.processes import send_signal, wait_until
from orchestrator_local.stack.identity import ProcessIdentity
from orchestrator_local.stack.record import StackRecord

GRACE_SECONDS = 15.0


def end_leftovers(record: StackRecord) -> list[str]:
    """Returns the names of the stopped processes; a process that reuses a pid is left alone."""
    left = {name: entry.identity for name, entry in record.processes.items() if entry.identity.is_running}
    for identity in left.values():
        send_signal(identity.pid, signal.SIGTERM)
    deadline = time.monotonic() + GRACE_SECONDS
    for identity in left.values():
        if not _wait_for_end(identity, max(0.0, deadline - time.monotonic())):
            send_signal(identity.pid, signal.SIGKILL)
            _wait_for_end(identity, 5)
    return list(left)


def _wait_for_end(identity: ProcessIdentity, seconds: float) -> bool:
    return wait_until(lambda: not identity.is_running, seconds)
