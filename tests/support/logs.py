"""What the code under test logs in this process: plain lines, tracebacks without local values."""

import structlog


def plain_logs() -> None:
    """By default structlog draws an exception with all local values, which takes seconds of CPU."""
    structlog.reset_defaults()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
        ]
    )
