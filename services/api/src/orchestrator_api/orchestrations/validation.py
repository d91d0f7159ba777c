"""Checks saved orchestrations against the current state of the project."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from orchestrator_api.catalog import configurations
from orchestrator_api.catalog.phases import stored_tasks
from orchestrator_api.http.session import Session
from orchestrator_api.orchestrations.findings import (
    Facts,
    Findings,
    Found,
    Key,
    TableNames,
    Target,
    check_phases,
    find_all,
    tables_matter,
    written_tables,
)
from orchestrator_api.orchestrations.store import OrchestrationStore
from orchestrator_shared.definitions.nesting import find_cycle, knotted
from orchestrator_shared.domain.ids import ORCHESTRATOR

Phases = Sequence[dict[str, Any]]
FEW_TASKS, FEW_TASKS_WITHOUT_TABLES = 100, 1_000
"""Up to this many tasks are checked without a thread: a few milliseconds. A thread that computes makes every
other request wait for the interpreter's lock, up to 5 ms each time it is woken."""


async def validate(
    session: Session, definitions: Mapping[str, Phases], *, with_tables: bool = True
) -> dict[str, Findings]:
    """Errors and warnings of each orchestration, by its id.

    Finding tasks that read a table while another one writes it takes a query on past jobs, so lists skip it.
    """
    facts = await _facts(session, definitions, with_tables=with_tables)

    def check_all() -> dict[str, Findings]:
        return {name: check_phases(phases, facts[name]) for name, phases in definitions.items()}

    few = FEW_TASKS if with_tables else FEW_TASKS_WITHOUT_TABLES
    count = sum(len(phase["tasks"]) for phases in definitions.values() for phase in phases)
    return check_all() if count <= few else await session.offload.run(check_all)


async def find_problems(session: Session, orchestration: str, phases: Phases) -> Found:
    """The same of phases that are not saved, with what each finding is about."""
    facts = (await _facts(session, {orchestration: phases}, with_tables=True))[orchestration]
    if sum(len(phase["tasks"]) for phase in phases) <= FEW_TASKS:
        return find_all(phases, facts)
    return await session.offload.run(find_all, phases, facts)


async def _facts(
    session: Session, definitions: Mapping[str, Phases], *, with_tables: bool
) -> dict[str, Facts]:
    tasks = [task for phases in definitions.values() for task in stored_tasks({"phases": phases})]
    keys = sorted({(task["component"], task["configuration"]) for task in tasks})
    targets = await _targets(session, keys, with_parameters=with_tables)
    components = await _components(session, sorted({task["component"] for task in tasks}))
    written: Mapping[Key, frozenset[str]] = {}
    if with_tables:
        phases = [phase for each in definitions.values() for phase in each]
        written = await _written(session, sorted(tables_matter(phases)))
    cycles = await _cycles(session, definitions)
    return {name: Facts(targets, components, written, cycles.get(name), with_tables) for name in definitions}


async def written_by(session: Session, phases: Phases) -> set[str]:
    """The tables that the tasks of an orchestration are known to write.

    They are known from the parameters of their configurations, or from what past jobs reported.
    """
    tasks = stored_tasks({"phases": phases})
    keys = sorted({(task["component"], task["configuration"]) for task in tasks})
    targets = await _targets(session, keys, with_parameters=True)
    components = await _components(session, sorted({task["component"] for task in tasks}))
    facts = Facts(targets, components, await _written(session, keys))
    return await session.offload.run(written_tables, phases, facts)


async def _targets(session: Session, keys: Sequence[Key], *, with_parameters: bool) -> dict[Key, Target]:
    found = await OrchestrationStore(session.connection).task_targets(
        project=session.project, keys=keys, with_parameters=with_parameters
    )
    return {
        (each.component, each.id): Target(
            enabled=each.enabled,
            parameters=each.parameters or {},
            version=each.version,
            tasks=each.tasks,
        )
        for each in found
    }


async def _components(session: Session, components: Sequence[str]) -> dict[str, TableNames]:
    found = await OrchestrationStore(session.connection).component_tables(components=components)
    return {each.id: TableNames(each.reads or (), each.writes or ()) for each in found}


async def _written(session: Session, keys: Sequence[Key]) -> dict[Key, frozenset[str]]:
    store = OrchestrationStore(session.connection)
    tables: defaultdict[Key, set[str]] = defaultdict(set)
    for each in await store.written_tables(project=session.project, keys=keys):
        tables[each.component, each.configuration].add(each.table_name)
    return {key: frozenset(names) for key, names in tables.items()}


async def _cycles(session: Session, definitions: Mapping[str, Phases]) -> dict[str, list[str]]:
    children = {
        name: [task["configuration"] for task in stored_tasks({"phases": phases}) if _is_nested(task)]
        for name, phases in definitions.items()
    }
    nested = {child for each in children.values() for child in each}
    if not nested:
        return {}
    graph: dict[str, list[str]] = {}
    for parent, child in await configurations.nestings_below(session, nested):
        graph.setdefault(parent, []).append(child)
    graph |= children
    in_cycles = knotted(graph)
    found = {name: find_cycle(graph, name) for name in children if name in in_cycles}
    return {name: cycle for name, cycle in found.items() if cycle is not None}


def _is_nested(task: Mapping[str, Any]) -> bool:
    return bool(task["component"] == ORCHESTRATOR)
