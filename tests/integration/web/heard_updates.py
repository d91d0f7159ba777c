"""Updates of tables as the trigger-watcher's own code judges them, and its hint to open pages."""

from datetime import timedelta
from uuid import UUID, uuid4

from tests.integration.trigger_watcher.stage import table, update, watcher_on
from tests.integration.web.conftest import Visit

from orchestrator_shared.contracts.events import ReadinessChanged
from orchestrator_shared.domain.ids import TriggerId


async def updated(visit: Visit, *names: str) -> None:
    """These tables are updated, one after the other."""
    async with watcher_on(visit.site.database) as watcher:
        for name in names:
            ref = table(name, project=visit.project)
            await watcher.ingestion.ingest([update(ref, uuid4().hex)])
    triggers = await visit.site.database.fetch(
        "SELECT id, orchestration FROM catalog.triggers WHERE project = $1", visit.project
    )
    told = {each["id"]: each["orchestration"] for each in triggers}
    own = [name for name in names if "/" not in name]
    await visit.say(ReadinessChanged(project=visit.project, tables=own, triggers=told))


async def known(visit: Visit, trigger: UUID | str) -> None:
    """The trigger-watcher has read what was saved."""
    async with watcher_on(visit.site.database) as watcher:
        await watcher.reconciliation.sync(TriggerId(UUID(str(trigger))))


async def rhythmic(visit: Visit, name: str, every: timedelta, count: int, ended: timedelta) -> None:
    """The updates of a table: at a steady pace, the last of them so long ago."""
    owner, _, bare = name.rpartition("/")
    owner = owner or visit.project
    await visit.site.database.execute(
        "DELETE FROM triggers.updates WHERE project = $1 AND table_name = $2", owner, bare
    )
    await visit.site.database.execute(
        "INSERT INTO triggers.updates (project, source, event_id, table_name, seq, heard_at)"
        " SELECT $1::text, '/loaders', $2 || n, $2::text, n,"
        "        clock_timestamp() - $3::interval - ($4::int - n) * $5::interval"
        " FROM generate_series(1, $4::int) AS n",
        owner,
        bare,
        ended,
        count,
        every,
    )
    await visit.site.database.execute(
        "INSERT INTO triggers.tables (project, name, last_seq, last_heard_at)"
        " VALUES ($1, $2, $3, clock_timestamp() - $4::interval)"
        " ON CONFLICT (project, name) DO UPDATE SET last_seq = $3, last_heard_at = excluded.last_heard_at",
        owner,
        bare,
        count,
        ended,
    )
