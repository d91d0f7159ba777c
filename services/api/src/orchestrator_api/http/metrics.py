"""Metrics of requests."""

from prometheus_client import Counter

REQUESTS_LIMITED = Counter(
    "orchestrator_api_requests_limited_total",
    "Requests refused because their token sent too many.",
)
