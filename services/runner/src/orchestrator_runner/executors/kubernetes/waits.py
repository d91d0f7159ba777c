"""How long the executor waits for the cluster."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Waits:
    """How long to wait for what; shorter in tests."""

    late_seconds: float = 5.0
    """For the last state of a pod, after its Job has ended."""
    report_seconds: float = 30.0
    """For a report that the api took and that has not arrived here."""
    unseen_seconds: float = 10.0
    """Until a Job that was created and is not shown by the watch is asked for."""
    events_seconds: float = 10.0
    """Between two looks at the events of a Job that does not start."""
    retry_seconds: float = 1.0
    """Before a request that may succeed later is sent again; doubles up to a minute."""
