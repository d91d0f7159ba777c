"""Where a component's requests may go: to public addresses, and to hosts that an administrator named."""

import re
from dataclasses import dataclass

INTERNAL_HOSTS = "ORCHESTRATOR_INTERNAL_HOSTS"
_ENTRY = re.compile(r"(?P<host>\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(?::(?P<port>\d{1,5}))?")


@dataclass(frozen=True, slots=True)
class InternalHosts:
    """The hosts that may be internal, as written: names or addresses, each with one port or all."""

    entries: frozenset[tuple[str, int | None]] = frozenset()

    @classmethod
    def parse(cls, text: str) -> "InternalHosts":
        """Read `warehouse.internal, 10.0.0.7:8080, [::1]:8080`; raises ValueError."""
        return cls(frozenset(_entry(part.strip()) for part in text.split(",") if part.strip()))

    def allows(self, host: str, port: int) -> bool:
        """Whether this host and port were named."""
        name = host.lower()
        return (name, None) in self.entries or (name, port) in self.entries


def _entry(text: str) -> tuple[str, int | None]:
    match = _ENTRY.fullmatch(text)
    port = None if match is None or match["port"] is None else int(match["port"])
    if match is None or (port is not None and not 0 < port < 65536):
        raise ValueError(
            f"{text[:100]!r} is not a host; expected a name or address, as in reports.internal:8080"
        )
    return match["host"].strip("[]").lower(), port
