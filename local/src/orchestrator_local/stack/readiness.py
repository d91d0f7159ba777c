"""Checking whether the processes of a stack are ready, and reporting those that are not."""

import http.client
import socket
import time
from collections.abc import Sequence

from orchestrator_local.servers.processes import ServerError, tail
from orchestrator_local.stack.child import Child

READY_SECONDS = 90.0
GIVE_UP_AFTER_FAILURES = 3
POLL_SECONDS = 0.1


def is_ready(port: int, *, has_http: bool) -> bool:
    if not has_http:
        return _accepts(port)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _accepts(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


def wait_for_all(children: Sequence[Child], seconds: float = READY_SECONDS) -> None:
    """Wait until every child is ready; one that keeps exiting is reported with the end of its log."""
    deadline = time.monotonic() + seconds
    waiting = list(children)
    while waiting:
        waiting = [child for child in waiting if not is_ready(child.plan.port, has_http=child.plan.has_http)]
        for child in waiting:
            child.watch(time.monotonic())
            if child.failures_in_a_row >= GIVE_UP_AFTER_FAILURES:
                raise ServerError(f"{child.name} does not start; the end of {child.log}:\n{tail(child.log)}")
        if waiting and time.monotonic() > deadline:
            child = waiting[0]
            names = ", ".join(each.name for each in waiting)
            raise ServerError(
                f"not ready after {seconds:.0f} s: {names}; the end of {child.log}:\n{tail(child.log)}"
            )
        if waiting:
            time.sleep(POLL_SECONDS)
