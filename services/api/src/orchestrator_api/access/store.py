"""Tokens and users in the database."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from orchestrator_api.access.rows import (
    Administrator,
    AdministratorToken,
    Bearer,
    GoodBearing,
    JobBearer,
    NewToken,
    PersonalToken,
    SettingToken,
    SignedIn,
    StoredMembership,
    Token,
    TokenChange,
    TokenFilter,
)
from orchestrator_shared.database.queries import Queries
from orchestrator_shared.database.rows import columns_of
from orchestrator_shared.database.store import Store


class AccessStore(Store):
    """Reads and writes tokens and administrators."""

    queries = Queries.load(__package__, "store.sql")

    async def bearer(self, *, secret_hash: bytes) -> Bearer | None:
        """The bearer of this token, even if the token has ended."""
        return await self._one(Bearer, "bearer", secret_hash=secret_hash)

    async def job_bearer(self, *, project: str, job_id: UUID, attempt: int) -> JobBearer | None:
        """The job, if this attempt of it is processing and the token that it runs as is not revoked."""
        return await self._one(JobBearer, "job_bearer", project=project, job_id=job_id, attempt=attempt)

    async def good_bearings(
        self,
        *,
        credentials: Sequence[UUID],
        projects: Sequence[str],
        now: datetime,
        oldest: datetime,
        longest_unused: datetime,
    ) -> list[GoodBearing]:
        """Which of these tokens and sessions may still be used in the project beside it."""
        return await self._many(
            GoodBearing,
            "good_bearings",
            credentials=credentials,
            projects=projects,
            now=now,
            oldest=oldest,
            longest_unused=longest_unused,
        )

    async def record_use(self, *, token_id: UUID) -> None:
        """Record that the token is used now, unless another request is recording it."""
        await self._run("record_token_use", id=token_id)

    async def signed_in(self, *, secret_hash: bytes) -> SignedIn | None:
        """The session with this secret, even if it has ended."""
        return await self._one(SignedIn, "signed_in", secret_hash=secret_hash)

    async def record_session_use(self, *, session_id: UUID) -> None:
        """Record that the session is used now, unless another request is recording it."""
        await self._run("record_session_use", id=session_id)

    async def memberships(self, *, person_id: UUID, project: str | None = None) -> list[StoredMembership]:
        """The person's roles, in all projects or in one."""
        return await self._many(StoredMembership, "memberships", person_id=person_id, project=project)

    async def is_project(self, *, project: str) -> bool:
        """Whether the project exists."""
        return await self._value(bool, "is_project", project=project) is True

    async def tokens(
        self,
        wanted: TokenFilter,
        *,
        project: str,
        after: UUID | None,
        limit: int,
    ) -> list[Token]:
        """The tokens of a project."""
        given = {"after": after, "limit": limit, **columns_of(wanted)}
        return await self._many(Token, "tokens", project=project, **given)

    async def token(self, *, project: str, token_id: UUID) -> Token | None:
        """One token of a project."""
        return await self._one(Token, "token", project=project, id=token_id)

    async def insert_token(self, token: NewToken) -> None:
        """Store a new token."""
        await self._run("insert_token", **columns_of(token))

    async def revoke_token(self, *, project: str, token_id: UUID) -> bool:
        """Revoke a token; returns False if it had already ended."""
        return await self._run("revoke_token", project=project, id=token_id) > 0

    async def change_token(self, change: TokenChange, *, project: str, token_id: UUID) -> None:
        """Give a token another name, description or expiry."""
        await self._run("change_token", project=project, id=token_id, **columns_of(change))

    async def refresh_token(self, *, project: str, token_id: UUID, secret_hash: bytes, prefix: str) -> bool:
        """Give a token a new secret; returns False if it was revoked."""
        changed = await self._run(
            "refresh_token", project=project, id=token_id, secret_hash=secret_hash, prefix=prefix
        )
        return changed > 0

    async def narrow_token_of_orchestration(
        self, *, project: str, token_id: UUID, components: Sequence[str]
    ) -> None:
        """Say which components the orchestration's tasks may run."""
        await self._run("narrow_token_of_orchestration", project=project, id=token_id, components=components)

    async def revoke_token_of_orchestration(self, *, project: str, orchestration: str) -> None:
        """Revoke the token that an orchestration's jobs run as."""
        await self._run("revoke_token_of_orchestration", project=project, orchestration=orchestration)

    async def unlink_orchestration_token(self, *, project: str, orchestration: str) -> None:
        """Part an orchestration from its token."""
        await self._run("unlink_orchestration_token", project=project, orchestration=orchestration)

    async def refresh_token_of_orchestration(
        self, *, project: str, token_id: UUID, secret_hash: bytes, prefix: str
    ) -> None:
        """Give it a new secret, and make it valid again if it was revoked."""
        await self._run(
            "refresh_token_of_orchestration",
            project=project,
            id=token_id,
            secret_hash=secret_hash,
            prefix=prefix,
        )

    async def orchestration_token(self, *, project: str, orchestration: str) -> Token | None:
        """The token that an orchestration's jobs run as."""
        return await self._one(Token, "orchestration_token", project=project, orchestration=orchestration)

    async def link_orchestration_token(self, *, project: str, orchestration: str, token_id: UUID) -> None:
        """Make this the token that an orchestration's jobs run as."""
        await self._run(
            "link_orchestration_token", project=project, orchestration=orchestration, token_id=token_id
        )

    async def lock_administrators(self) -> None:
        """Keep other replicas from making administrators until the transaction ends."""
        await self._run("lock_administrators")

    async def administrators(self) -> list[Administrator]:
        """All administrators, oldest first."""
        return await self._many(Administrator, "administrators")

    async def insert_administrator(self, *, person_id: UUID, email: str) -> None:
        """Create an administrator."""
        await self._run("insert_administrator", id=person_id, email=email)

    async def lock_token(self, *, project: str, token_id: UUID) -> None:
        """Lock a token of the project against other changes until the transaction ends."""
        await self._run("lock_token", project=project, id=token_id)

    async def lock_administrator_token(self, *, token_id: UUID) -> None:
        """Lock an administrator's token against other changes until the transaction ends."""
        await self._run("lock_administrator_token", id=token_id)

    async def administrator_tokens(self, *, after: UUID | None, limit: int) -> list[AdministratorToken]:
        """The tokens of all administrators."""
        return await self._many(AdministratorToken, "administrator_tokens", after=after, limit=limit)

    async def administrator_token(self, *, token_id: UUID) -> AdministratorToken | None:
        """One token of an administrator."""
        return await self._one(AdministratorToken, "administrator_token", id=token_id)

    async def revoke_administrator_token(self, *, token_id: UUID) -> bool:
        """Revoke an administrator's token; returns False if it had already ended."""
        return await self._run("revoke_administrator_token", id=token_id) > 0

    async def token_of_setting(self, *, secret_hash: bytes) -> SettingToken | None:
        """The token with this secret, even if it has ended."""
        return await self._one(SettingToken, "token_of_setting", secret_hash=secret_hash)

    async def insert_token_of_setting(self, *, token_id: UUID, person_id: UUID, secret_hash: bytes) -> None:
        """Store the token that comes from the setting."""
        await self._run("insert_token_of_setting", id=token_id, person_id=person_id, secret_hash=secret_hash)

    async def revoke_other_tokens_of_setting(self, *, token_id: UUID) -> list[UUID]:
        """Revoke the tokens that earlier values of the setting created; returns them."""
        return await self._column(UUID, "revoke_other_tokens_of_setting", id=token_id)

    async def insert_personal_token(
        self,
        *,
        token_id: UUID,
        person_id: UUID,
        session_id: UUID,
        name: str,
        secret_hash: bytes,
        prefix: str,
        expires_at: datetime,
    ) -> PersonalToken | None:
        """Store a person's token; None if there is one with this id, or the session has ended."""
        return await self._one(
            PersonalToken,
            "insert_personal_token",
            id=token_id,
            person_id=person_id,
            session_id=session_id,
            name=name,
            secret_hash=secret_hash,
            prefix=prefix,
            expires_at=expires_at,
        )

    async def personal_tokens(self, *, person_id: UUID, token_id: UUID | None = None) -> list[PersonalToken]:
        """The person's tokens that are still good, or the one with this id."""
        return await self._many(PersonalToken, "personal_tokens", person_id=person_id, id=token_id)

    async def revoke_personal_token(self, *, person_id: UUID, token_id: UUID) -> bool:
        """Revoke a person's token; returns False if it had already ended."""
        return await self._run("revoke_personal_token", person_id=person_id, id=token_id) > 0

    async def revoke_logins(self, *, person_id: UUID, except_id: UUID | None) -> int:
        """Revoke all tokens that logins of the command line gave the person; returns how many."""
        return await self._run("revoke_logins", person_id=person_id, except_id=except_id)
