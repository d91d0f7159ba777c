"""Metrics of sign-ins."""

from prometheus_client import Counter

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
