"""What one replica of a service does for all of them, such as measuring tables."""

from collections.abc import Awaitable, Callable

import asyncpg

from orchestrator_shared.database.pool import Connections
from orchestrator_shared.database.queries import Queries
from orchestrator_shared.domain.errors import Unavailable
from orchestrator_shared.domain.ids import new_id

MISSED = 2.5
"""After so many intervals without its holder, a turn is anyone's."""


class Measuring:
    """Measures with bounded queries while this replica has the turn; without it, it reports nothing."""

    def __init__(
        self,
        connections: Connections,
        *,
        schema: str,
        every: float,
        measure: Callable[[asyncpg.Connection], Awaitable[None]],
        forget: Callable[[], None],
    ) -> None:
        self._connections = connections
        self._seconds = every * MISSED
        self._measure = measure
        self._forget = forget
        self._holder = new_id()
        queries = Queries.load(__package__, "turns.sql")
        self._sql = {name: queries[name].replace("{turns}", f"{schema}.turns") for name in queries}

    async def once(self) -> None:
        """Measure if it is our turn; what was measured before is forgotten if it is not, or cannot be."""
        try:
            async with self._connections() as connection:
                if await connection.fetchval(self._sql["take"], "measuring", self._holder, self._seconds):
                    async with connection.transaction(readonly=True):
                        # Queries with a limit stay bounded only if the planner prefers no whole table.
                        await connection.execute("SET LOCAL enable_seqscan = off")
                        await self._measure(connection)
                    return
        except BaseException:
            self._forget()
            raise
        self._forget()

    async def pass_on(self) -> None:
        """Let another replica measure at once, as far as the database can be told."""
        self._forget()
        try:
            async with self._connections() as connection:
                await connection.execute(self._sql["pass_on"], "measuring", self._holder)
        except Unavailable:
            return
