"""What stands beside an orchestration: its token, what it is part of, what it writes."""

from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator_api.access import orchestration_tokens
from orchestrator_api.access.rows import Token
from orchestrator_api.catalog import configurations, usages
from orchestrator_api.catalog.configurations import orchestration_key
from orchestrator_api.catalog.rows import Configuration, Usage
from orchestrator_api.http.session import Session
from orchestrator_api.orchestrations import validation
from orchestrator_api.orchestrations.validation import Phases
from orchestrator_api.schedules import service as schedules
from orchestrator_shared.domain.errors import NotFound

MOST_USAGES = 20


@dataclass(frozen=True, slots=True)
class About:
    """For the side of its page."""

    token: Token | None = None
    """None for those who may not see it, and for what is in the trash."""
    part_of: Sequence[Usage] = ()
    writes: Sequence[str] = ()
    hint: str | None = None
    """Whether to run it by hand first."""
    trashed: Configuration | None = None
    """Itself, if it is in the trash."""


async def find(session: Session, orchestration: str) -> Configuration:
    """The orchestration, even if it is in the trash; raises NotFound."""
    found = await configurations.find(session, orchestration_key(orchestration))
    if found is None or found.is_purged:
        raise NotFound(f"there is no orchestration {orchestration!r} in this project", field="orchestration")
    return found


async def about(session: Session, row: Configuration, phases: Phases, *, is_editor: bool) -> About:
    """Everything that the reader may see."""
    if row.deleted_at is not None:
        return About(trashed=row)
    return About(
        await orchestration_tokens.find(session, row.id) if is_editor else None,
        await usages.listing(session, orchestration_key(row.id), (None, None), MOST_USAGES),
        sorted(await validation.written_by(session, phases)),
        await schedules.hint(session, row.id) if phases else None,
    )
