"""Lines of logs as they are shown."""

from datetime import datetime

from pydantic import Field

from orchestrator_api.http.models import Output, example
from orchestrator_api.runs.log_lines import Level


class LogLineOut(Output):
    """A line of a log, without its end."""

    model_config = example(
        {
            "number": 22,
            "at": "2026-11-30T04:36:52.874Z",
            "attempt": 1,
            "stream": "stderr",
            "level": "error",
            "text": "ERROR: column r.opted_in does not exist",
            "is_cut": False,
        }
    )

    number: int = Field(description="Counted from 1, over all attempts.")
    at: datetime = Field(description="When the piece of the log arrived in which the line begins.")
    attempt: int
    stream: str
    level: Level | None = Field(description="How serious the line says it is; null if it does not say.")
    text: str
    is_cut: bool = Field(description="Whether `text` is only a part of the line, because it is very long.")


class LogLinesOut(Output):
    """Some lines of a log."""

    lines: list[LogLineOut]
    total_lines: int = Field(description="How many lines the log has now.")
    stream_after: str | None = Field(
        description="If these are the last lines: send it as `after` to `GET …/log/stream` for what follows. "
        "If the last line has no end yet, its rest comes there."
    )
    finished: bool = Field(description="Whether the job has ended and these are the last lines of its log.")


class LogSearchOut(Output):
    """The lines of a log that contain a text."""

    count: int = Field(description="How many lines are in `hits`; with `next`, there may be more.")
    hits: list[LogLineOut] = Field(
        description="In order, 1,000 at most; of a long line, the part around what was found."
    )
    next: int | None = Field(
        description="If the search ended before the log did, after 1,000 hits or 128 MiB: the line to go on "
        "at; send it as `first`."
    )
