"""Metrics of sign-ins."""

from prometheus_client import Counter

from orchestrator_shared.metrics import start_at_zero

SIGN_INS_REFUSED = Counter(
    "orchestrator_api_sign_ins_refused_total",
    "Sign-ins refused, by reason (wrong, too_many).",
    ["reason"],
)
PROVIDER_SIGN_INS = Counter(
    "orchestrator_api_provider_sign_ins_total",
    "Sign-ins with the identity provider, by outcome (opened, refused, unavailable).",
    ["outcome"],
)

start_at_zero(SIGN_INS_REFUSED, ("wrong", "too_many"))
start_at_zero(PROVIDER_SIGN_INS, ("opened", "refused", "unavailable"))
