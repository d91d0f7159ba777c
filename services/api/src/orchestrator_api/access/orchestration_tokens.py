"""The tokens that the jobs of orchestrations run as."""

from collections.abc import Sequence

from orchestrator_api.access.audit import About
from orchestrator_api.access.permissions import ALL_BUCKETS, ALL_COMPONENTS, OF_ORCHESTRATION, Scope
from orchestrator_api.access.rows import NewToken, Token
from orchestrator_api.access.store import AccessStore
from orchestrator_api.http.edits import Target
from orchestrator_api.http.session import Session
from orchestrator_shared.domain.errors import NotFound
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
    found = await load(session, orchestration)
    prefix, text = new_api_token()
    await AccessStore(session.connection).refresh_token_of_orchestration(
        project=session.project, token_id=found.id, secret_hash=hash_token(text), prefix=prefix
    )
    about = About({"prefix": found.prefix}, {"prefix": prefix}, id=str(found.id))
    await session.record("token.refreshed", f"orchestration {orchestration}", about)


async def target(session: Session, orchestration: str) -> Target:
    """Its token, locked to be changed."""
    found = await load(session, orchestration)
    await AccessStore(session.connection).lock_token(project=session.project, token_id=found.id)
    found = await load(session, orchestration)
    return Target("this token", "token", found.name, found.etag)


async def narrow(session: Session, orchestration: str, components: Sequence[str]) -> Token:
    """Say which components the orchestration's tasks may run; it counts for tasks that start from now on."""
    found = await load(session, orchestration)
    wanted = sorted(set(components))
    if wanted != sorted(found.components):
        store = AccessStore(session.connection)
        await store.narrow_token_of_orchestration(
            project=session.project, token_id=found.id, components=wanted
        )
        about = About({"components": sorted(found.components)}, {"components": wanted}, id=str(found.id))
        await session.record("token.changed", f"orchestration {orchestration}", about, components=wanted)
    return await load(session, orchestration)


async def revoke(session: Session, orchestration: str) -> None:
    """Revoke it: nothing starts as it any more. A refresh makes it valid again."""
    store = AccessStore(session.connection)
    await store.revoke_token_of_orchestration(project=session.project, orchestration=orchestration)


async def purge(session: Session, orchestration: str) -> None:
    """Revoke it and part it from its orchestration for good; jobs of the past keep naming it."""
    await revoke(session, orchestration)
    store = AccessStore(session.connection)
    await store.unlink_orchestration_token(project=session.project, orchestration=orchestration)


async def restore(session: Session, orchestration: str) -> None:
    """Make it valid again with a new secret, for an orchestration that leaves the trash."""
    found = await find(session, orchestration)
    if found is not None and found.revoked_at is not None:
        await refresh(session, orchestration)


async def load(session: Session, orchestration: str) -> Token:
    """The same; raises NotFound for an orchestration without one."""
    found = await find(session, orchestration)
    if found is None:
        raise NotFound("this orchestration has no token", field="orchestration")
    return found
