"""Rows of projects and their variables."""

from dataclasses import dataclass
from datetime import datetime

from orchestrator_api.http.conditional import entity_tag
from orchestrator_shared.database.rows import columns_of


@dataclass(frozen=True, slots=True)
class StoredProject:
    """The tenant that owns everything else."""

    id: str
    name: str
    parallel_limit: int | None
    created_at: datetime

    @property
    def etag(self) -> str:
        return entity_tag(columns_of(self))


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable; a secret's value is encrypted."""

    name: str
    value: str
    secret: bool
    updated_at: datetime

    @property
    def etag(self) -> str:
        """Not of the value: a tag of a secret would confirm whoever guesses it."""
        return entity_tag(self.name, self.secret, self.updated_at)


@dataclass(frozen=True, slots=True)
class ProjectSizes:
    """How much there is in a project."""

    orchestrations: int
    running: int
    """Jobs of components."""
