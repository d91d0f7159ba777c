"""Which of a database's servers takes writes, and which errors say that another one may have taken over."""

import re
from typing import Any

import asyncpg

from orchestrator_shared.database.faults import is_server_fault, reason

_HOSTS = re.compile(r"(?P<before>[^:/]+://(?:[^/?#]*@)?)(?P<hosts>[^/?#@]+)(?P<after>.*)", re.DOTALL)
_READ_ONLY = "25006"
_ENDED_BY_SERVER = ("57P01", "57P02", "57P03", "57P04")
_CONNECTION_LOST = "08"


class NoWritableServer(ConnectionError):
    """None of the servers in the URL accepts connections and writes now."""


def server_urls(url: str) -> list[str]:
    """One URL per server: `postgresql://user@one:5432,two:5432/name` names two."""
    found = _HOSTS.fullmatch(url)
    if found is None:  # the host stands in the query, or it is a local socket
        return [url]
    return [f"{found['before']}{host}{found['after']}" for host in found["hosts"].split(",") if host]


def left_by_writes(error: BaseException) -> bool:
    """Whether the server ended this connection or takes no writes: another one may be in charge."""
    if isinstance(error, asyncpg.InternalClientError):  # torn down during a query, not yet seen as closed
        return True
    state = str(getattr(error, "sqlstate", None) or "")
    return state == _READ_ONLY or state in _ENDED_BY_SERVER or state.startswith(_CONNECTION_LOST)


class WritableServer:
    """Connects to the first server that accepts writes, trying the one that last did first.

    asyncpg can try several hosts, but within one timeout, which a silent first host uses up.
    """

    def __init__(self, url: str, *, seconds: float) -> None:
        self._urls = server_urls(url)
        self._seconds = seconds / len(self._urls)

    async def connect(self, *_: Any, **options: Any) -> asyncpg.Connection:
        """Called by asyncpg's pool; raises NoWritableServer, or an error that shows a mistake."""
        refusals = []
        for url in list(self._urls):
            try:
                connection: asyncpg.Connection = await asyncpg.connect(
                    url, **{**options, "timeout": self._seconds, "target_session_attrs": "read-write"}
                )
            except Exception as error:
                if not is_server_fault(error):
                    raise
                if len(self._urls) == 1 and not _takes_no_writes(error):
                    raise
                refusals.append((url, error))
            else:
                self._urls.sort(key=lambda known: known != url)
                return connection
        raise NoWritableServer("; ".join(_described(*refusal) for refusal in refusals)) from refusals[-1][1]


def _takes_no_writes(error: Exception) -> bool:
    return isinstance(error, asyncpg.TargetServerAttributeNotMatched)


def _described(url: str, error: Exception) -> str:
    found = _HOSTS.fullmatch(url)
    why = "accepts no writes (a standby, or read-only)" if _takes_no_writes(error) else reason(error)
    return f"{found['hosts']}: {why}" if found else why
