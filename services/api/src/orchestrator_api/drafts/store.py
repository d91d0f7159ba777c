"""Where drafts are kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from orchestrator_api.drafts.rows import Draft
from orchestrator_shared.database.queries import Queries
from orchestrator_shared.database.store import Store


@dataclass(frozen=True, slots=True)
class DraftKey:
    """Whose draft of which orchestration."""

    project: str
    orchestration: str
    owner: UUID

    def columns(self) -> dict[str, object]:
        """For statements."""
        return {"project": self.project, "orchestration": self.orchestration, "owner": self.owner}


class DraftStore(Store):
    """Drafts, each with its states."""

    queries = Queries.load(__package__, "store.sql")

    async def draft(self, key: DraftKey) -> Draft | None:
        """The draft as it is."""
        return await self._one(Draft, "draft", **key.columns())

    async def lock(self, key: DraftKey) -> None:
        """Keep others from changing it until the transaction ends."""
        await self._run("lock_draft", **key.columns())

    async def count(self, *, project: str, owner: UUID) -> int:
        """How many drafts someone has in a project."""
        return await self._value(int, "drafts_of_owner", project=project, owner=owner) or 0

    async def insert(self, key: DraftKey, *, base_version: int) -> bool:
        """Begin a draft; False if there is one."""
        return await self._run("insert_draft", **key.columns(), base_version=base_version) == 1

    async def insert_state(self, key: DraftKey, position: int, definition: str, words: str) -> None:
        """Add a state; none has this position."""
        await self._run(
            "insert_state", **key.columns(), position=position, definition=definition, words=words
        )

    async def delete_later_states(self, key: DraftKey, position: int) -> None:
        """Remove what could have been done again."""
        await self._run("delete_later_states", **key.columns(), position=position)

    async def delete_oldest_states(self, key: DraftKey, *, max_states: int, max_bytes: int) -> None:
        """Remove what is too much, the oldest first."""
        await self._run("delete_oldest_states", **key.columns(), max_states=max_states, max_bytes=max_bytes)

    async def update(self, key: DraftKey, *, position: int, base_version: int, kept: Sequence[str]) -> None:
        """Make another state the present one."""
        await self._run(
            "update_draft", **key.columns(), position=position, base_version=base_version, kept=list(kept)
        )

    async def delete(self, key: DraftKey) -> None:
        """End the draft."""
        await self._run("delete_draft", **key.columns())
