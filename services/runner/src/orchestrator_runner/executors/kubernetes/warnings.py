"""Finds in a Job's or pod's events what keeps it from starting."""

from collections.abc import Iterable, Mapping
from typing import Any

_HARMLESS = frozenset({"MissingClusterDNS", "DNSConfigForming", "DeadlineExceeded", "BackoffLimitExceeded"})
"""Warnings that keep nothing from starting: about names, and about the Job's own end."""


def worst_warning(events: Iterable[Mapping[str, Any]]) -> str:
    """The latest warning in the cluster's own words; empty if there is none."""
    warnings = [
        event for event in events if event.get("type") == "Warning" and event.get("reason") not in _HARMLESS
    ]
    if not warnings:
        return ""
    latest = max(warnings, key=_when)
    return f"{latest.get('reason')}: {latest.get('message')}"


def _when(event: Mapping[str, Any]) -> str:
    return str(event.get("lastTimestamp") or event.get("eventTime") or "")
