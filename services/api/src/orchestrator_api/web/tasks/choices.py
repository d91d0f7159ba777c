"""What can be added as a task: configurations by the type of their component, and orchestrations."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from orchestrator_api.catalog import components, configurations, listing
from orchestrator_api.catalog.configurations import Key
from orchestrator_api.catalog.rows import Component, Configuration, ConfigurationFilter
from orchestrator_api.http.paging import Part
from orchestrator_api.http.session import Session
from orchestrator_shared.definitions.nesting import find_cycle, format_cycle, with_children
from orchestrator_shared.domain.ids import ORCHESTRATOR
from orchestrator_shared.domain.statuses import ComponentType

MOST = 100
"""As many configurations are shown of each list; a search finds the others."""
MOST_TICKED = 200
TYPES: Mapping[str, str] = {
    ComponentType.EXTRACTOR: "Extractors",
    ComponentType.TRANSFORMATION: "Transformations",
    ComponentType.APPLICATION: "Applications",
    ComponentType.WRITER: "Writers",
    ComponentType.ORCHESTRATOR: "Orchestrations",
}
Pair = tuple[str, str]
"""Component and configuration."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A configuration to add."""

    component: str
    configuration: str
    name: str
    in_use: int
    """How many tasks of the draft run it."""
    cycle: str = ""
    """The cycle it would make, if so."""

    @property
    def key(self) -> str:
        """As a box to tick is called."""
        return f"{self.component}/{self.configuration}"


@dataclass(frozen=True, slots=True)
class Group:
    """The choices of one component."""

    component: str
    name: str
    type: str
    choices: Sequence[Choice]


@dataclass(frozen=True, slots=True)
class Choices:
    """What the dialog shows."""

    groups: Sequence[Group]
    has_more: bool


async def choices(
    session: Session,
    orchestration: str,
    used: Sequence[Pair],
    *,
    search: str,
    kind: str,
    ticked: Sequence[Pair],
) -> Choices:
    """Those of the type, if one is given, that contain the text; what is ticked stays, and stands first."""
    known = [each for each in await components.listing(session) if each.id != ORCHESTRATOR]
    rows, has_more = await _rows(session, known, search, kind)
    kept = [row for row in await _ticked(session, ticked) if row.component]
    rows = [*kept, *(row for row in rows if (row.component, row.id) not in set(ticked))]
    cycles = await _cycles(session, orchestration, [row.id for row in rows if row.component == ORCHESTRATOR])
    counts = Counter(used)
    made = [
        Choice(row.component, row.id, row.name, counts[row.component, row.id], _cycle(row, cycles))
        for row in rows
    ]
    return Choices(grouped(made, known), has_more)


def _cycle(row: Configuration, cycles: Mapping[str, str]) -> str:
    return cycles.get(row.id, "") if row.component == ORCHESTRATOR else ""


async def named(session: Session, keys: Sequence[Pair]) -> dict[Pair, str]:
    """The names of those of the configurations that exist."""
    return {(row.component, row.id): row.name for row in await _ticked(session, keys)}


async def _ticked(session: Session, keys: Sequence[Pair]) -> list[Configuration]:
    found = [await configurations.find(session, Key(*key)) for key in keys[:MOST_TICKED]]
    return [row for row in found if row is not None and row.deleted_at is None]


async def _rows(
    session: Session, known: Iterable[Component], search: str, kind: str
) -> tuple[list[Configuration], bool]:
    """Of all components at once, or of each of a type; orchestrations are a list of their own."""
    wanted: list[str | None] = [each.id for each in known if each.type == kind] if kind else [None]
    if kind in ("", ComponentType.ORCHESTRATOR):
        wanted.append(ORCHESTRATOR)
    rows: list[Configuration] = []
    has_more = False
    for component in wanted:
        filtered = ConfigurationFilter(component, search or None)
        part, found = await listing.page(session, filtered, Part(MOST, sort="id", default_sort="id"))
        rows += found[: part.limit]
        has_more = has_more or len(found) > part.limit
    return rows, has_more


async def _cycles(session: Session, orchestration: str, nested: Sequence[str]) -> dict[str, str]:
    """The cycles that these would make as tasks of the orchestration."""
    if not nested:
        return {}
    edges = await configurations.nestings_below(session, nested)
    found = {name: find_cycle(with_children(edges, orchestration, [name]), orchestration) for name in nested}
    return {name: format_cycle(cycle) for name, cycle in found.items() if cycle}


def grouped(choices: Sequence[Choice], known: Iterable[Component]) -> list[Group]:
    """By component, in the order of their types; orchestrations come last."""
    about: dict[str, Pair] = {each.id: (each.name, each.type) for each in known}
    about[ORCHESTRATOR] = (TYPES[ComponentType.ORCHESTRATOR], ComponentType.ORCHESTRATOR)
    of: dict[str, list[Choice]] = {}
    for each in choices:
        of.setdefault(each.component, []).append(each)
    groups = [
        Group(component, *about.get(component, (component, ComponentType.APPLICATION)), found)
        for component, found in of.items()
    ]
    return sorted(groups, key=lambda group: (list(TYPES).index(group.type), group.name.lower()))
