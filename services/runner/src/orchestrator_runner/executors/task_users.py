"""The users that tasks run as: one user for all, or one per project."""

import re
from dataclasses import dataclass

from orchestrator_shared.domain.errors import UserError

AUTO, NONE = "auto", "none"
SETTING = "ORCHESTRATOR_TASK_UIDS"
_HIGHEST = 2**31 - 2
_UIDS = re.compile(r"([0-9]{1,10})(?:-([0-9]{1,10}))?")


@dataclass(frozen=True, slots=True)
class TaskUsers:
    """Numbers used both as user ids and group ids; they need no account."""

    first: int
    last: int

    @classmethod
    def parse(cls, text: str) -> "TaskUsers":
        """Read `10002` or `200000-265535`; raises ValueError."""
        match = _UIDS.fullmatch(text)
        if match is None:
            raise ValueError(f"expected {AUTO}, {NONE}, a user's number or a range such as 200000-265535")
        first, last = int(match[1]), int(match[2] or match[1])
        if not 0 < first <= last <= _HIGHEST:
            raise ValueError(f"expected numbers from 1 to {_HIGHEST}, the lower one first")
        return cls(first, last)

    @property
    def is_per_project(self) -> bool:
        """Whether projects are also separated from each other, not only tasks from the runner."""
        return self.last > self.first

    def of(self, number: int) -> int:
        """The user of the project with this number, counted from 0."""
        if not self.is_per_project:
            return self.first
        if self.first + number > self.last:
            raise UserError(
                f"the runner has users for {self.last - self.first + 1} projects, and this is number "
                f"{number + 1}: an administrator can give {SETTING} a longer range"
            )
        return self.first + number


DEFAULT = TaskUsers(2_000_000_000, 2_000_065_535)
"""Above the numbers that distributions, systemd and containers assign."""
