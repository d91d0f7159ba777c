"""What the runner does in its namespace: the Role of its service account allows exactly this."""

from collections.abc import Mapping
from typing import Final

VERBS: Final[Mapping[tuple[str, str], frozenset[str]]] = {
    ("batch", "jobs"): frozenset({"create", "delete", "get", "list", "watch"}),
    ("", "pods"): frozenset({"list", "watch"}),
    ("", "pods/log"): frozenset({"get"}),
    ("", "secrets"): frozenset({"create", "delete"}),
    ("", "events"): frozenset({"list"}),
}
"""API group and resource to verbs; all of them in one namespace."""
