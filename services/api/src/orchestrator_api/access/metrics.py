"""Metrics of the API."""

from prometheus_client import Counter

from orchestrator_shared.metrics import start_at_zero

TOKENS_REFUSED = Counter(
    "orchestrator_api_tokens_refused_total",
    "Tokens refused, by reason (unknown, ended, too_many).",
    ["reason"],
)

start_at_zero(TOKENS_REFUSED, ("unknown", "ended", "too_many"))
