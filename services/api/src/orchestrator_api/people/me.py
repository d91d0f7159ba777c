"""Who makes a request: a person with roles, or an API token with scopes."""

from orchestrator_api.access import identity
from orchestrator_api.http.session import Session
from orchestrator_api.people.models import BearerOut, MembershipOut, MeOut, PersonOut
from orchestrator_api.people.store import PeopleStore


async def describe(session: Session) -> MeOut:
    """The actor of this request."""
    actor, person, memberships = session.actor, None, []
    if actor.person_id is not None:
        person = await PeopleStore(session.connection).person(person_id=actor.person_id)
        memberships = await identity.memberships(session.connection, actor.person_id)
    return MeOut(
        person=None if person is None else PersonOut.model_validate(person),
        memberships=[MembershipOut.model_validate(each) for each in memberships],
        token=BearerOut(
            id=actor.token_id,
            name=actor.name,
            project=actor.project,
            scopes=sorted(actor.scopes),
            components=list(actor.components),
        ),
    )
