"""Rows of drafts."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from orchestrator_api.http.conditional import entity_tag


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft in its present state."""

    project: str
    orchestration: str
    owner: UUID
    base_version: int
    revision: int
    position: int
    kept: tuple[str, ...]
    created_at: datetime
    updated_at: datetime
    definition: str
    """As JSON text, with its secrets encrypted."""
    undo: str
    """What the last step changed."""
    redo: str | None
    """What the step after the present state changed."""
    can_undo: bool

    @property
    def etag(self) -> str:
        """Another one after every change, and for a draft that begins after this one was discarded."""
        return entity_tag(self.project, self.orchestration, self.owner, self.created_at, self.revision)
