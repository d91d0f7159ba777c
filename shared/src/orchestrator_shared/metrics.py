"""Metrics that every service has, in the default registry; a job or configuration id is never a label."""

from collections.abc import Iterable
from itertools import product

from prometheus_client import Counter, Gauge, Histogram, disable_created_metrics

disable_created_metrics()  # type: ignore[no-untyped-call]  # a third of all series, and nobody reads them

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

MESSAGES_CONSUMED = Counter(
    "orchestrator_messages_consumed_total",
    "Messages taken from a queue, by how they ended (acked, dead_lettered, failed).",
    ["queue", "type", "outcome"],
)
MESSAGES_PUBLISHED = Counter(
    "orchestrator_messages_published_total",
    "Messages published, by how that ended (confirmed, returned, failed).",
    ["exchange", "outcome"],
)
MESSAGES_DEAD_LETTERED = Counter(
    "orchestrator_messages_dead_lettered_total",
    "Messages that no one could handle, by queue and kind of reason.",
    ["queue", "reason"],
)
LAG_SECONDS = Histogram(
    "orchestrator_message_lag_seconds",
    "Age of messages when their handler begins: how far a consumer is behind.",
    ["queue"],
    buckets=(0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0, 1800.0),
)
HANDLER_SECONDS = Histogram(
    "orchestrator_handler_seconds", "Time a message handler took.", ["queue", "type"], buckets=_SECONDS
)
OUTBOX_ROWS = Gauge("orchestrator_outbox_rows", "Messages committed but not yet confirmed.", ["schema"])
OUTBOX_OLDEST_SECONDS = Gauge(
    "orchestrator_outbox_oldest_seconds", "Age of the oldest message that is not yet confirmed.", ["schema"]
)
DATABASE_CONNECTIONS = Gauge(
    "orchestrator_database_connections", "Connections of the pool, by state (idle, used).", ["pool", "state"]
)
DATABASE_ACQUIRE_SECONDS = Histogram(
    "orchestrator_database_acquire_seconds",
    "Time a transaction waited for a connection.",
    buckets=_SECONDS,
)
TASKS_DIED = Counter("orchestrator_tasks_died_total", "Supervised tasks that ended by themselves.", ["task"])
READY = Gauge("orchestrator_ready", "1 if every readiness check passes, now.")
HTTP_CONNECTIONS_REFUSED = Counter(
    "orchestrator_http_connections_refused_total",
    "HTTP connections refused, by the limit that was reached (all, address).",
    ["limit"],
)
HTTP_CONNECTIONS_CUT_OFF = Counter(
    "orchestrator_http_connections_cut_off_total",
    "HTTP connections ended by us, by what did not come to its end (request, answer).",
    ["what"],
)


def start_at_zero(metric: Counter | Gauge | Histogram, *values: Iterable[str]) -> None:
    """Report the metric for all of these values of its labels, in their order, before anything happened.

    Without this, the first event of a kind makes a series that begins at 1, and no rate shows it.
    """
    for combination in product(*values):
        metric.labels(*combination)


start_at_zero(HTTP_CONNECTIONS_REFUSED, ("all", "address"))
start_at_zero(HTTP_CONNECTIONS_CUT_OFF, ("request", "answer"))
