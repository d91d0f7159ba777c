"""Restores old versions of orchestrations."""

from orchestrator_api.catalog import configurations
from orchestrator_api.catalog.configurations import Saved, orchestration_key
from orchestrator_api.catalog.versions import load_to_restore, note_of
from orchestrator_api.http.session import Session
from orchestrator_api.orchestrations import service
from orchestrator_api.orchestrations.service import OrchestrationSpec
from orchestrator_shared.domain.ids import ORCHESTRATOR
from orchestrator_shared.sealed_values import sealed_values


async def restore(session: Session, orchestration: str, version: int, note: str) -> Saved:
    """Save the phases of an old version as a new one, checked as if they were entered anew."""
    session.actor.require_configure(ORCHESTRATOR)
    await configurations.lock_orchestrations(session)
    current, wanted = await load_to_restore(session, orchestration_key(orchestration), version)
    spec = OrchestrationSpec(
        name=current.name,
        description=current.description,
        labels=current.labels,
        enabled=current.enabled,
        phases=wanted.parameters.get("phases", []),
        note=note_of(version, note),
        kept=set(sealed_values(wanted.parameters)),
    )
    return await service.save(session, orchestration, spec)
