"""Subscriptions of an orchestration."""

from collections.abc import Iterable

from orchestrator_api.handlers.schedules import lock_orchestration
from orchestrator_api.session import Session
from orchestrator_shared.domain.ids import new_id

Subscription = tuple[str, str]
"""Event and address."""


async def replace(session: Session, orchestration: str, wanted: Iterable[Subscription]) -> bool:
    """Make these the subscriptions; returns whether that changed anything."""
    await lock_orchestration(session, orchestration)
    rows = await session.sql.many("subscriptions", session.project, orchestration)
    stored = {(row["event"], row["address"]) for row in rows if row["channel"] == "email"}
    wishes = set(wanted)
    for event, address in sorted(stored - wishes):
        await session.sql.run("delete_subscription", session.project, orchestration, event, address)
    for event, address in sorted(wishes - stored):
        values = (session.project, orchestration, event, address)
        await session.sql.run("insert_subscription", new_id(), *values)
    if stored != wishes:
        added = [f"{event} → {address}" for event, address in sorted(wishes - stored)]
        ended = [f"{event} → {address}" for event, address in sorted(stored - wishes)]
        await session.record("notifications.changed", orchestration, added=added, ended=ended)
    return stored != wishes
