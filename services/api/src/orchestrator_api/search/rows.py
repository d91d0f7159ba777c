"""Rows of what a search finds."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Asked:
    """Words of a name, in lower case, and all of them as one text."""

    words: Sequence[str]

    @property
    def text(self) -> str:
        return " ".join(self.words)


@dataclass(frozen=True, slots=True)
class FoundConfiguration:
    """A configuration; an orchestration is one of the component orchestrator."""

    component: str
    id: str
    name: str


@dataclass(frozen=True, slots=True)
class FoundRun:
    """A run of an orchestration."""

    id: UUID
    orchestration: str
    number: int
    status: str


@dataclass(frozen=True, slots=True)
class FoundTable:
    """A table, perhaps of another project."""

    project: str
    name: str


@dataclass(frozen=True, slots=True)
class FoundJob:
    """A job, of whatever kind."""

    id: UUID
    component: str
    configuration: str
    number: int
    status: str
