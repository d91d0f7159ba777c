"""What messaging measures, beside the metrics in `orchestrator_shared.metrics`."""

from prometheus_client import Counter, Gauge, Histogram

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

BROKER_CONNECTED = Gauge("orchestrator_broker_connected", "1 while the connection is up.", ["connection"])
BROKER_BLOCKED = Gauge(
    "orchestrator_broker_blocked",
    "1 while the broker takes no messages (memory or disk alarm).",
    ["connection"],
)
PUBLISH_SECONDS = Histogram(
    "orchestrator_message_publish_seconds", "From publishing a message to its outcome.", buckets=_SECONDS
)
HANDLER_FAILURES = Counter(
    "orchestrator_message_handler_failures_total",
    "Failed tries of message handlers, by whose fault it was (message, ours, unknown).",
    ["queue", "fault"],
)
CONSUMER_PAUSED = Gauge(
    "orchestrator_consumer_paused", "1 while a consumer waits for a server of ours to come back.", ["queue"]
)
RELAY_FAILURES = Counter(
    "orchestrator_outbox_relay_failures_total",
    "Steps of the outbox relay that failed and are retried.",
    ["step"],
)
