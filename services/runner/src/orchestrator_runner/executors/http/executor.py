"""Runs components that are behind HTTP; each attempt is a run at another service."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from orchestrator_runner.executors.elsewhere import ElsewhereExecutor, section_of
from orchestrator_runner.executors.http.client import HttpClient
from orchestrator_runner.executors.http.exchange import Exchange, Pace
from orchestrator_runner.executors.http.handle import callback_url_of
from orchestrator_runner.executors.http.run import RemoteRun
from orchestrator_runner.executors.http.template import secret_targets
from orchestrator_runner.executors.masking import secret_forms
from orchestrator_runner.executors.port import Adopted, Execution, LogSink
from orchestrator_shared.definitions.http_component import HttpComponent


@dataclass(frozen=True, slots=True)
class HttpSettings:
    """Settings for ending runs at other services."""

    grace_seconds: float = 10.0
    """The time to cancel a run and see it end; after that it is left alone."""


class HttpExecutor(ElsewhereExecutor):
    """The run continues at the other service whatever happens here, so another runner can adopt it."""

    passes_token = False
    """The start may be sent again by another runner, and must not differ."""

    def __init__(
        self, client: HttpClient, settings: HttpSettings, pace: Pace, owns: Callable[[], bool]
    ) -> None:
        super().__init__(owns, settings.grace_seconds)
        self._client = client
        self._pace = pace

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        client: HttpClient,
        settings: HttpSettings | None = None,
        pace: Pace | None = None,
        *,
        owns: Callable[[], bool] = lambda: True,
    ) -> AsyncIterator["HttpExecutor"]:
        """Run attempts until closed; then leave the remaining ones to other runners, or cancel them at
        their service.
        """
        executor = cls(client, settings or HttpSettings(), pace or Pace(), owns)
        try:
            yield executor
        finally:
            await executor._close()

    def _attempt(self, execution: Execution, adopted: Adopted | None, log: LogSink) -> RemoteRun:
        section = section_of(HttpComponent, execution, "http")
        callback_url = _callback_url(execution, adopted)
        secrets = execution.secrets | ({callback_url.rpartition("/")[2]} if callback_url else set())
        masked = secret_forms(secrets | secret_targets(secrets))
        exchange = Exchange(section, execution, callback_url, log, self._client, self._pace, masked)
        return RemoteRun(section, execution, adopted, callback_url, exchange, masked)


def _callback_url(execution: Execution, adopted: Adopted | None) -> str | None:
    """The address that the start passes on, if the component uses callbacks: a new one with each call."""
    if adopted is not None:
        return callback_url_of(adopted.handle)
    is_called_back = execution.target.get("callback") is not None
    return execution.record.callback_url() if is_called_back and execution.record is not None else None
