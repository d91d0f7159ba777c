"""The handle of an attempt in a container: where to look for it, and whether its program was started."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator_runner.executors.port import LOG_SEQ, TOKEN


@dataclass(frozen=True, slots=True)
class Handle:
    """Stored before the container is created, and again when it was started."""

    engine: str
    container: str
    token: str | None = None
    """What the program got to call the api: to be masked in the log by a successor, too."""
    log_seq: int | None = None
    """Set once the program was started: where its own log begins in the stored one."""

    @property
    def was_started(self) -> bool:
        """Whether the program was certainly started: if its container is gone, it must not start again."""
        return self.log_seq is not None

    def stored(self) -> dict[str, Any]:
        """As it is kept."""
        values = {
            "engine": self.engine,
            "container": self.container,
            TOKEN: self.token,
            LOG_SEQ: self.log_seq,
        }
        return {name: value for name, value in values.items() if value is not None}

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> "Handle":
        """The handle that an earlier runner kept."""
        return cls(
            str(stored.get("engine", "")),
            str(stored.get("container", "")),
            stored.get(TOKEN),
            stored.get(LOG_SEQ),
        )
