"""The requests and answers between one attempt and its service, and the lines about them in the job's log."""

import asyncio
import random
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from orchestrator_runner.executors.http.answer import Again, Answer, Begun, Reply, excerpt
from orchestrator_runner.executors.http.backoff import Failures
from orchestrator_runner.executors.http.client import HttpClient
from orchestrator_runner.executors.http.template import Prepared, prepare
from orchestrator_runner.executors.masking import mask
from orchestrator_runner.executors.outcome import duration_text
from orchestrator_runner.executors.port import Execution, LogSink, Stream
from orchestrator_shared.definitions.http_component import (
    ANSWER_NAMES,
    CALLBACK_URL,
    HttpComponent,
    HttpRequest,
    first_names,
)
from orchestrator_shared.domain.reports import InvalidReport


class Pace:
    """Time as the waits between requests need it."""

    def now(self) -> float:
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        # Spread out, so that a service that recovers is not hit by every request at once.
        await asyncio.sleep(seconds * random.uniform(0.9, 1.1))  # noqa: S311


class Exchange:
    """Requests with their placeholders filled in, and the answers.

    In the log, stdout is what the service reports and stderr what the runner does.
    """

    def __init__(
        self,
        section: HttpComponent,
        execution: Execution,
        callback_url: str | None,
        log: LogSink,
        client: HttpClient,
        pace: Pace,
        forms: tuple[bytes, ...],
    ) -> None:
        self._section = section
        self._sink = log
        self._client = client
        self._forms = forms
        self._names = _names(execution, callback_url)
        self.pace = pace

    def learn(self, begun: Begun) -> None:
        """Store the answer to the start, so that later requests can name the run."""
        self._names["start"] = begun.data
        if begun.id is not None:
            self._names["id"] = begun.id

    def can_prepare(self, request: HttpRequest) -> bool:
        """Whether everything that this request takes from the answer to the start is known."""
        return not self.needs_answer(request) or "start" in self._names

    @staticmethod
    def needs_answer(request: HttpRequest) -> bool:
        """Whether the request uses anything from the answer to the start."""
        return not ANSWER_NAMES.isdisjoint(first_names([request.url, request.headers, request.body]))

    def prepare(self, request: HttpRequest, field: str) -> Prepared:
        """Fill in one of the requests in the component's section."""
        return prepare(request, self._section.headers, self._names, field=f"http.{field}")

    async def send(self, request: Prepared, *, is_quiet: bool = False) -> Reply:
        """One exchange; raises ForbiddenHost."""
        reply = await self._client.send(request)
        if isinstance(reply, Answer) and not reply.is_good:
            reply = replace(reply, excerpt=excerpt(reply.body, self._forms))
        if not is_quiet:
            await self.log(f"{request.method} {request.address}: {reply}")
        return reply

    async def log(self, text: str, stream: Stream = "stderr") -> None:
        """Write one line to the job's log."""
        line = mask((text + "\n").encode(errors="replace"), self._forms)
        await self._sink.write(stream, datetime.now(UTC), line)

    async def wait_or_give_up(self, failures: Failures, again: Again) -> None:
        """Wait before the next try; raises InvalidReport if there is none."""
        delay = failures.next_delay(again, self.pace.now())
        if delay is None:
            raise InvalidReport(f"gave up: {again.reason}")
        await self.log(f"{again.reason}; again in {duration_text(round(delay, 1))}")
        await self.pace.sleep(delay)


def _names(execution: Execution, callback_url: str | None) -> dict[str, Any]:
    given = execution.environment
    names: dict[str, Any] = {
        "job_id": str(execution.job_id),
        "attempt": execution.attempt,
        "parameters": execution.config.get("parameters") or {},
        "state": execution.state,
    }
    for name in ("project", "component", "configuration", "run_id", "scheduled_for", "previous_success"):
        if (value := given.get(f"ORCHESTRATOR_{name.upper()}")) is not None:
            names[name] = value
    if callback_url is not None:
        names[CALLBACK_URL] = callback_url
    return names
