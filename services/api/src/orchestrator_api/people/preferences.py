"""How a person wants to see the pages: it follows them to every browser."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from orchestrator_api.access.audit import About
from orchestrator_api.http.session import Session
from orchestrator_api.people import sessions
from orchestrator_api.people.rows import Preferences
from orchestrator_api.people.store import PeopleStore
from orchestrator_shared.database.rows import columns_of
from orchestrator_shared.domain.zones import parse_zone

PAGE_SIZES = (20, 50, 100)


async def load(session: Session) -> Preferences:
    """Those of the person who makes the request; an API token has none."""
    person_id = session.actor.person_id
    if person_id is None:
        return Preferences()
    return await PeopleStore(session.connection).preferences(person_id=person_id)


async def change(session: Session, changes: Mapping[str, Any]) -> Preferences:
    """Change some of them; None takes a choice back."""
    person_id = sessions.person_of(session)
    if changes.get("timezone") is not None:
        parse_zone(changes["timezone"], field="preferences.timezone")
    store = PeopleStore(session.connection)
    await store.lock_person(person_id=person_id)
    before = await store.preferences(person_id=person_id)
    after = replace(before, **changes)
    if after == before:
        return before
    await store.update_preferences(person_id=person_id, **columns_of(after))
    about = About(columns_of(before), columns_of(after), id=str(person_id))
    await session.record_in(None, "preferences.changed", session.actor.label, about)
    return after
