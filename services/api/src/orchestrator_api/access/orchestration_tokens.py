"""The tokens that the jobs of orchestrations run as."""

from orchestrator_api.access.audit import About
from orchestrator_api.access.permissions import ALL_BUCKETS, ALL_COMPONENTS, OF_ORCHESTRATION, Scope
from orchestrator_api.access.rows import NewToken, Token
from orchestrator_api.access.store import AccessStore
from orchestrator_api.http.session import Session
from orchestrator_shared.domain.errors import UserError
from orchestrator_shared.domain.ids import new_id
from orchestrator_shared.security import hash_token, new_api_token


async def create(session: Session, orchestration: str) -> None:
    """Create the token that an orchestration's jobs run as; no one ever sees its text."""
    token_id = new_id()
    prefix, text = new_api_token()
    store = AccessStore(session.connection)
    await store.insert_token(
        NewToken(
            id=token_id,
            project=session.project,
            kind="orchestration",
            name=f"{OF_ORCHESTRATION}{orchestration}",
            secret_hash=hash_token(text),
            prefix=prefix,
            scopes=[Scope.READ.value, Scope.RUN.value, Scope.PUBLISH.value],
            components=[ALL_COMPONENTS],
            buckets=[ALL_BUCKETS],
            created_by=session.actor.label,
        )
    )
    await store.link_orchestration_token(
        project=session.project, orchestration=orchestration, token_id=token_id
    )


async def find(session: Session, orchestration: str) -> Token | None:
    """The token that an orchestration's jobs run as."""
    store = AccessStore(session.connection)
    return await store.orchestration_token(project=session.project, orchestration=orchestration)


async def refresh(session: Session, orchestration: str) -> None:
    """Give it a new secret, which no one ever sees."""
    found = await find(session, orchestration)
    if found is None:
        raise UserError("this orchestration has no token", field="orchestration")
    prefix, text = new_api_token()
    await AccessStore(session.connection).refresh_token_of_orchestration(
        token_id=found.id, secret_hash=hash_token(text), prefix=prefix
    )
    about = About({"prefix": found.prefix}, {"prefix": prefix}, id=str(found.id))
    await session.record("token.refreshed", f"orchestration {orchestration}", about)
