"""Makes a restored database safe for its services: what the restore undid must not act on it.

docs/how-to/back-up-and-restore.md tells people why; ADR 0053 why it is a command.
"""

from dataclasses import dataclass

import asyncpg

from orchestrator_shared.database.queries import Queries
from orchestrator_shared.database.store import Store
from orchestrator_shared.domain.errors import OrchestratorError
from orchestrator_shared.recovery.unheard import SentAgain, Unheard

FENCE_DISTANCE = 1_000_000
"""More epochs than any job gets between a backup and its restore."""


class InUse(OrchestratorError):
    """Services are connected to the restored database already."""


@dataclass(frozen=True, slots=True)
class Choices:
    """What depends on the case."""

    revoke_tokens: bool = False
    skip_missed_fires: bool = False
    even_if_in_use: bool = False


@dataclass(frozen=True, slots=True)
class Settled:
    """What was done."""

    replicas: int
    jobs: int
    sessions: int
    links: int
    revoked_tokens: int
    valid_tokens: int
    skipped_schedules: int
    sent_again: SentAgain


class Restored(Store):
    """On a connection of the database's owner, in a transaction of the caller's."""

    queries = Queries.load(__package__, "restored.sql")

    async def settle(self, choices: Choices) -> Settled:
        """Do everything; repeating it is safe. Raises InUse."""
        strangers = await self._column(str, "strangers")
        if strangers and not choices.even_if_in_use:
            raise InUse(
                f"this database is in use by {', '.join(strangers)}: "
                "stop all services first, or repeat this with --even-if-in-use"
            )
        return Settled(
            replicas=await self._run("lose_replicas"),
            jobs=await self._run("fence", distance=FENCE_DISTANCE),
            sessions=await self._run("end_sessions"),
            links=await self._run("end_links"),
            revoked_tokens=await self._run("revoke_tokens") if choices.revoke_tokens else 0,
            valid_tokens=await self._value(int, "valid_tokens") or 0,
            skipped_schedules=await self._run("skip_fires") if choices.skip_missed_fires else 0,
            sent_again=await Unheard(self._connection).send_again(),
        )


async def settle(connection: asyncpg.Connection, choices: Choices) -> Settled:
    """In one transaction."""
    async with connection.transaction():
        return await Restored(connection).settle(choices)
