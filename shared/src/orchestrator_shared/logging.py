"""Structured logs on standard output, secrets removed before anything else sees them."""

import logging
import re
import sys
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from typing import Any

import structlog
from structlog.typing import EventDict, Processor

from orchestrator_shared.settings import RuntimeSettings

HIDDEN = "***"
_SECRET_KEYS = re.compile(
    r"^#|passw(or)?d|secret|token(?!_?id$)|authorization|api_?key|encryption_?key|credential|cookie",
    re.IGNORECASE,
)
# It begins with "://", which nothing after it can hold: looking for the scheme first takes quadratic time.
_URL_PASSWORD = re.compile(r"(?P<before>://[^\s:/@]*:)[^\s/]+(?=@)")
_TOKEN = re.compile(r"\borc_([A-Za-z0-9-]+)_[A-Za-z0-9_-]{20,}")
_JOB_TOKEN = re.compile(r"\borcjob_[A-Za-z0-9_.-]{20,}")
_BEARER = re.compile(r"\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{8,}", re.IGNORECASE)
# Begins where no other part of one could: looking again inside of it takes quadratic time.
_SIGNED = re.compile(r"(?<![\w-])eyJ[\w-]*\.eyJ[\w-]*(?:\.[\w-]*)?")
MAX_DEPTH = 8
LIBRARIES = {
    "uvicorn": logging.WARNING,
    "uvicorn.error": logging.WARNING,
    "uvicorn.access": logging.WARNING,
    "asyncio": logging.WARNING,
    # We log each outage that they log, too, once and without a traceback.
    "aio_pika": logging.CRITICAL,
    "aiormq": logging.CRITICAL,
    "asyncpg.pool": logging.ERROR,
}
"""The level from which their lines are shown; at our level DEBUG their warnings are shown, too."""


def redact(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Structlog processor: hide values of secret keys, and secrets that are recognisable inside texts."""
    for key, value in event.items():
        event[key] = HIDDEN if _is_secret_key(key) and value is not None else clean(value)
    return event


def clean(value: Any, depth: int = 0) -> Any:
    """The value with every secret in it hidden."""
    if isinstance(value, str):
        return clean_text(value)
    if depth >= MAX_DEPTH:
        return "..."
    if isinstance(value, Mapping):
        return {
            key: HIDDEN if _is_secret_key(key) and item is not None else clean(item, depth + 1)
            for key, item in value.items()
        }
    if isinstance(value, list | tuple | set | frozenset):
        return [clean(item, depth + 1) for item in value]
    return value


def clean_text(text: str) -> str:
    """Hide passwords in URLs, our tokens, signed links and authorization headers inside a text."""
    if "://" in text:
        text = _URL_PASSWORD.sub(rf"\g<before>{HIDDEN}", text)
    if "orc_" in text:
        text = _TOKEN.sub(rf"orc_\1_{HIDDEN}", text)
    if "eyJ" in text:
        text = _SIGNED.sub(HIDDEN, text)
    if "orcjob_" in text:
        text = _JOB_TOKEN.sub(f"orcjob_{HIDDEN}", text)
    return _BEARER.sub(rf"\1 {HIDDEN}", text)


def _is_secret_key(key: object) -> bool:
    return isinstance(key, str) and _SECRET_KEYS.search(key) is not None


def _redact_rest(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Tracebacks and formatted arguments are created after the first redaction."""
    for key in ("event", "exception"):
        if isinstance(event.get(key), str):
            event[key] = clean_text(event[key])
    return event


def _add_service(service: str) -> Processor:
    def add(_logger: Any, _method: str, event: EventDict) -> EventDict:
        event.setdefault("service", service)
        return event

    return add


def configure(service: str, settings: RuntimeSettings) -> None:
    """Send everything, also what libraries log, through one pipeline to standard output."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        redact,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        _add_service(service),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        _redact_rest,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _renderer(settings)],
            foreign_pre_chain=shared,
        )
    )
    _replace_handlers(handler, settings.log_level.upper())


def _renderer(settings: RuntimeSettings) -> Processor:
    if settings.log_format == "console":
        return structlog.dev.ConsoleRenderer(colors=sys.stdout.isatty())
    return structlog.processors.JSONRenderer(ensure_ascii=False, default=str)


def _replace_handlers(handler: logging.Handler, level: str) -> None:
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name, least in LIBRARIES.items():
        library = logging.getLogger(name)
        library.handlers.clear()
        library.propagate = True
        library.setLevel(max(logging.WARNING if root.level <= logging.DEBUG else least, root.level))
    logging.captureWarnings(True)


@contextmanager
def scope(**fields: Any) -> Iterator[MutableMapping[str, Any]]:
    """Bind fields (project, run, job, trace) to every log line of one message or request; nothing older."""
    values = {key: str(value) for key, value in fields.items() if value is not None}
    before = structlog.contextvars.get_contextvars()
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(**values)
    try:
        yield values
    finally:
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(**before)
