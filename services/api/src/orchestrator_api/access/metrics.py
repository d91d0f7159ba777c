"""Metrics of the API."""

from prometheus_client import Counter

TOKENS_REFUSED = Counter(
    "orchestrator_api_tokens_refused_total",
    "Tokens refused, by reason (unknown, ended, too_many).",
    ["reason"],
)
