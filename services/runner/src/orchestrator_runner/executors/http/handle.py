"""The handle of a run at another service: first that it is being started, then which run it is."""

from collections.abc import Mapping
from typing import Any

from orchestrator_runner.executors.http.answer import Begun

_STARTING = "starting"


def handle_of_start(callback_url: str | None) -> Mapping[str, Any]:
    """The handle before the start is answered: a successor may send the very same start again."""
    return {_STARTING: True, "callback_url": callback_url}


def handle_of(run_id: str | int | None, data: Any) -> Mapping[str, Any]:
    """The handle of a known run: a successor continues it."""
    return {"id": run_id, "start": data}


def is_begun(handle: Mapping[str, Any]) -> bool:
    """Whether the service has answered the start."""
    return _STARTING not in handle


def begun_of(handle: Mapping[str, Any]) -> Begun:
    """The run that was started."""
    return Begun(handle.get("start") or {}, handle.get("id"))


def callback_url_of(handle: Mapping[str, Any]) -> str | None:
    """The address that the start passes on, until the start is answered."""
    url = handle.get("callback_url")
    return url if isinstance(url, str) else None
