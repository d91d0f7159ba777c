"""Subscriptions of an orchestration."""

from collections.abc import Iterable

from orchestrator_api.http.session import Session
from orchestrator_api.schedules.service import lock_orchestration
from orchestrator_shared.domain.ids import new_id
from orchestrator_shared.domain.subscriptions import Subscription


async def replace(session: Session, orchestration: str, wanted: Iterable[Subscription]) -> bool:
    """Make these the subscriptions; returns whether that changed anything."""
    await lock_orchestration(session, orchestration)
    rows = await session.sql.many("subscriptions", session.project, orchestration)
    stored = {Subscription(row["event"], row["address"], row["percent"], row["minutes"]) for row in rows}
    # The creator's own one is kept as it was asked for from now on.
    automatic = {(row["event"], row["address"]) for row in rows if row["automatic"]}
    wishes = set(wanted)
    kept = {_place(wish) for wish in wishes}
    gone = (each for each in stored - wishes if _place(each) not in kept)
    ended = sorted(gone, key=_place)
    for each in ended:
        await session.sql.run("delete_subscription", session.project, orchestration, each.event, each.address)
    saved = [each for each in wishes if each not in stored or _place(each) in automatic]
    for each in sorted(saved, key=_place):
        values = (session.project, orchestration, each.event, each.address, each.percent, each.minutes)
        await session.sql.run("save_subscription", new_id(), *values)
    if stored != wishes:
        added = [_told(each) for each in sorted(wishes - stored, key=_place)]
        await session.record(
            "notifications.changed", orchestration, added=added, ended=[_told(each) for each in ended]
        )
    return stored != wishes


def _place(subscription: Subscription) -> tuple[str, str]:
    return subscription.event, subscription.address


def _told(each: Subscription) -> str:
    limit = f" ({each.percent} %)" if each.percent else f" ({each.minutes} min)" if each.minutes else ""
    return f"{each.event}{limit} → {each.address}"
