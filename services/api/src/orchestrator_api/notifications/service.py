"""Subscriptions of orchestrations."""

from collections.abc import Collection, Iterable
from uuid import UUID

from orchestrator_api.access.audit import About
from orchestrator_api.catalog.configurations import lock_orchestration
from orchestrator_api.http.conditional import entity_tag
from orchestrator_api.http.edits import Target
from orchestrator_api.http.refusals import TooMany
from orchestrator_api.http.session import Session
from orchestrator_api.notifications.recipients import (
    Recipients,
    RunOrigin,
    recipients_of_manual_run,
    recipients_of_unattended_run,
)
from orchestrator_api.notifications.rows import Delivery, DeliveryFilter, StoredSubscription
from orchestrator_api.notifications.store import NotificationStore
from orchestrator_shared.contracts.events import TestMailRequested
from orchestrator_shared.database.rows import JsonObject
from orchestrator_shared.domain.errors import UserError
from orchestrator_shared.domain.ids import new_id
from orchestrator_shared.domain.subscriptions import Subscription

MOST_TESTS = 10
"""Test mails of a project in an hour: they go to people who did not ask for them."""


async def listing(session: Session, orchestrations: Collection[str]) -> list[StoredSubscription]:
    """The subscriptions of these orchestrations."""
    store = NotificationStore(session.connection)
    return await store.subscriptions(project=session.project, orchestrations=orchestrations)


def tag(subscriptions: Iterable[StoredSubscription]) -> str:
    """The tag of all subscriptions of an orchestration."""
    columns = ((each.event, each.address, each.percent, each.minutes) for each in subscriptions)
    return entity_tag(sorted(columns, key=lambda each: each[:2]))


async def target(session: Session, orchestration: str) -> Target:
    """The subscriptions of an orchestration, locked to be replaced; they always exist, if only as none."""
    await lock_orchestration(session, orchestration)
    found = await listing(session, [orchestration])
    return Target("who is notified", "notifications", orchestration, tag(found))


async def replace(session: Session, orchestration: str, wanted: Iterable[Subscription]) -> bool:
    """Make these the subscriptions; returns whether anything changed."""
    await lock_orchestration(session, orchestration)
    store = NotificationStore(session.connection)
    found = await store.subscriptions(project=session.project, orchestrations=[orchestration])
    stored = {each.subscription for each in found}
    # From now on, the creator's automatic subscription counts as requested.
    automatic = {_key(each.subscription) for each in found if each.automatic}
    requested = set(wanted)
    kept = {_key(subscription) for subscription in requested}
    gone = (each for each in stored - requested if _key(each) not in kept)
    ended = sorted(gone, key=_key)
    of = {"project": session.project, "orchestration": orchestration}
    for each in ended:
        await store.delete(**of, event=each.event, address=each.address)
    saved = [each for each in requested if each not in stored or _key(each) in automatic]
    for each in sorted(saved, key=_key):
        await store.save(**of, subscription=each)
    if stored != requested:
        added = [_describe(each) for each in sorted(requested - stored, key=_key)]
        await session.record(
            "notifications.changed",
            orchestration,
            About(_document(stored), _document(requested)),
            added=added,
            ended=[_describe(each) for each in ended],
        )
    return stored != requested


async def subscribe_creator(session: Session, orchestration: str) -> None:
    """Subscribe the creator of an orchestration to its errors."""
    if session.actor.email:
        store = NotificationStore(session.connection)
        await store.save_automatic(
            project=session.project, orchestration=orchestration, address=session.actor.email
        )


async def recipients(session: Session, orchestration: str, origin: RunOrigin | None) -> Recipients:
    """Who will be notified of a run; by default of one that the caller would start."""
    actor = session.actor
    if (origin or ("manual" if actor.is_person else "unattended")) == "manual":
        return recipients_of_manual_run(actor.email if actor.is_person else None)
    found = await listing(session, [orchestration])
    return recipients_of_unattended_run(each.subscription for each in found)


async def send_test(session: Session, orchestration: str, address: str) -> UUID:
    """Ask for a test mail to a subscribed address; returns its id."""
    await lock_orchestration(session, orchestration)
    subscribed = {each.address for each in await listing(session, [orchestration])}
    if address not in subscribed:
        raise UserError(
            f"{address} is not subscribed to {orchestration}: subscribe it first, or choose another address",
            field="address",
        )
    recent = await NotificationStore(session.connection).recent_tests(project=session.project)
    if recent.count >= MOST_TESTS:
        raise TooMany(
            f"{MOST_TESTS} test mails were sent in this project in the last hour",
            retry_after=recent.seconds_left,
        )
    test_id = new_id()
    session.publish(
        TestMailRequested(
            test_id=test_id,
            project=session.project,
            orchestration=orchestration,
            address=address,
            requested_by=session.actor.label,
        )
    )
    await session.record("notifications.tested", orchestration, About(id=str(test_id)), address=address)
    return test_id


async def purge(session: Session, orchestration: str) -> None:
    """Delete the subscriptions of an orchestration that is purged."""
    store = NotificationStore(session.connection)
    await store.delete_all(project=session.project, orchestration=orchestration)


async def deliveries(session: Session, wanted: DeliveryFilter) -> list[Delivery]:
    """Mails that were sent or will be sent, newest first."""
    return await NotificationStore(session.connection).deliveries(project=session.project, wanted=wanted)


def _document(subscriptions: Iterable[Subscription]) -> JsonObject:
    return {"subscriptions": [_describe(each) for each in sorted(subscriptions, key=_key)]}


def _key(subscription: Subscription) -> tuple[str, str]:
    return subscription.event, subscription.address


def _describe(each: Subscription) -> str:
    limit = f" ({each.percent} %)" if each.percent else f" ({each.minutes} min)" if each.minutes else ""
    return f"{each.event}{limit} → {each.address}"
