"""Metrics of requests."""

from prometheus_client import Counter, Gauge, Histogram

from orchestrator_shared.metrics import start_at_zero

REQUESTS_LIMITED = Counter(
    "orchestrator_api_requests_limited_total",
    "Requests refused because their token sent too many.",
)
REQUESTS = Counter(
    "orchestrator_api_requests_total",
    "Requests, by route, method and class of the answer.",
    ["route", "method", "status"],
)
REQUEST_SECONDS = Histogram(
    "orchestrator_api_request_seconds",
    "Time from a request to the end of its answer; streams are left out.",
    ["part"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
ROUTE_SECONDS = Counter(
    "orchestrator_api_route_seconds_total",
    "The time of requests added up by route; streams are left out.",
    ["route", "method"],
)
DEAD_LETTERS = Gauge("orchestrator_dead_letters", "Messages in the dead-letter queue, as last asked.")

start_at_zero(REQUEST_SECONDS, ("api", "page", "static"))
