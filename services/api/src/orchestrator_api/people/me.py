"""Who makes a request: a person with roles, or an API token with scopes."""

from uuid import UUID

import asyncpg

from orchestrator_api.access import identity
from orchestrator_api.access.permissions import Actor
from orchestrator_api.http.session import Session
from orchestrator_api.people import preferences
from orchestrator_api.people.models import BearerOut, MembershipOut, MeOut, PersonOut, PreferencesOut
from orchestrator_api.people.store import PeopleStore


async def person(connection: asyncpg.Connection, person_id: UUID) -> PersonOut:
    """The account."""
    return PersonOut.model_validate(await PeopleStore(connection).person(person_id=person_id))


async def describe(session: Session) -> MeOut:
    """The actor of this request."""
    actor, found, memberships, shown = session.actor, None, [], None
    if actor.person_id is not None:
        found = await person(session.connection, actor.person_id)
        memberships = await identity.memberships(session.connection, actor.person_id)
        shown = PreferencesOut.model_validate(await preferences.load(session))
    return MeOut(
        person=found,
        memberships=[MembershipOut.model_validate(each) for each in memberships],
        token=None if actor.session_id is not None else _token(actor),
        preferences=shown,
    )


def _token(actor: Actor) -> BearerOut:
    return BearerOut(
        id=actor.token_id,
        name=actor.name,
        project=actor.project,
        scopes=sorted(actor.scopes),
        components=list(actor.components),
        buckets=list(actor.buckets),
    )
