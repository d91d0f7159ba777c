"""Rejects triggers that are known to start their own orchestration again and again."""

from collections.abc import Sequence

from orchestrator_api.catalog import configurations
from orchestrator_api.catalog.phases import stored_tasks
from orchestrator_api.http.refusals import FieldError, refuse
from orchestrator_api.http.session import Session
from orchestrator_api.orchestrations import validation
from orchestrator_shared.domain.ids import ORCHESTRATOR
from orchestrator_shared.domain.tables import TableRef


async def check(session: Session, orchestration: str, tables: Sequence[TableRef]) -> None:
    """Reject tables that the orchestration, or one nested in it, is known to write."""
    own = [table for table in tables if table.project == session.project]
    if not own:
        return
    written = await tables_written(session, orchestration)
    refuse(
        [
            FieldError(
                "tables",
                f"{table.name} is written by {orchestration!r} itself, so each run would start the next one; "
                "remove the table, or save the trigger with allow_self_trigger: true",
            )
            for table in own
            if str(table.name) in written
        ]
    )


async def tables_written(session: Session, orchestration: str) -> set[str]:
    """Those that it, and the orchestrations nested in it, are known to write."""
    written: set[str] = set()
    seen: set[str] = set()
    to_read = [orchestration]
    while to_read:
        name = to_read.pop()
        if name in seen:
            continue
        seen.add(name)
        stored = await configurations.find(session, configurations.orchestration_key(name))
        if stored is None or stored.deleted_at is not None:
            continue
        phases = stored.parameters.get("phases", [])
        written |= await validation.written_by(session, phases)
        tasks = stored_tasks({"phases": phases})
        to_read += [task["configuration"] for task in tasks if task["component"] == ORCHESTRATOR]
    return written
