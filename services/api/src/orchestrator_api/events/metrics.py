"""Metrics of live events."""

from prometheus_client import Counter, Gauge

from orchestrator_shared.metrics import start_at_zero

STREAMS_OPEN = Gauge(
    "orchestrator_api_streams_open",
    "Open streams of events, by what they show (project, job, log).",
    ["kind"],
)
STREAM_EVENTS = Counter(
    "orchestrator_api_stream_events_total",
    "Events handed to streams (job, readiness, log, reset, end).",
    ["event"],
)
STREAM_RESETS = Counter(
    "orchestrator_api_stream_resets_total",
    "Streams told to load again (opened, away_too_long, too_slow, too_many_changes).",
    ["reason"],
)
STREAMS_REFUSED = Counter(
    "orchestrator_api_streams_refused_total", "Streams refused, by the limit reached (token, all).", ["limit"]
)

start_at_zero(STREAMS_OPEN, ("project", "job", "log"))
start_at_zero(STREAM_EVENTS, ("job", "readiness", "log", "reset", "end"))
start_at_zero(STREAM_RESETS, ("opened", "away_too_long", "too_slow", "too_many_changes"))
start_at_zero(STREAMS_REFUSED, ("token", "all"))
