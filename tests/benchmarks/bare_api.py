"""`python -m tests.benchmarks.bare_api FILE PORT`: FastAPI and asyncpg without anything of ours.

Each path runs the statements that our api ran for it, in one transaction, and answers the rows of the last
one that returned any. No token is checked beyond running its query, nothing is validated, nothing published.
"""

import json
import os
import pickle
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import uvicorn
from fastapi import FastAPI, Request, Response
from tests.benchmarks.processes import READY

from orchestrator_shared.database.pool import prepare_connection

Statement = tuple[str, Sequence[Any]]


@dataclass(frozen=True)
class Recorded:
    """The statements of one request, and the ids that were made for it."""

    statements: Sequence[Statement]
    made: frozenset[str]


CONNECTIONS = 10


def application(recorded: dict[str, Recorded], url: str) -> FastAPI:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with asyncpg.create_pool(
            url, min_size=CONNECTIONS, max_size=CONNECTIONS, init=prepare_connection
        ) as pool:
            app.state.pool = pool
            print(READY, flush=True)
            yield

    app = FastAPI(lifespan=lifespan)

    @app.api_route("/{path:path}", methods=["GET", "POST"])
    async def answer(request: Request) -> Response:
        await request.body()
        asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return Response(await _rows(app.state.pool, recorded[asked]), media_type="application/json")

    return app


async def _rows(pool: asyncpg.Pool, recorded: Recorded) -> bytes:
    fresh = {made: str(uuid4()) for made in recorded.made}
    found: list[Any] = []
    async with pool.acquire() as connection, connection.transaction():
        for sql, arguments in recorded.statements:
            rows = await connection.fetch(sql, *(_renewed(value, fresh) for value in arguments))
            found = [dict(row) for row in rows] or found
    return json.dumps(found, default=str).encode()


def _renewed(value: Any, fresh: dict[str, str]) -> Any:
    """The same with new ids in place of those that were made: each request inserts rows of its own."""
    if isinstance(value, UUID):
        return UUID(fresh.get(str(value), str(value)))
    if isinstance(value, list):
        return [_renewed(item, fresh) for item in value]
    if isinstance(value, str):
        for old, new in fresh.items():
            value = value.replace(old, new)
    return value


def main(file: str, port: str) -> None:
    recorded = pickle.loads(Path(file).read_bytes())
    app = application(recorded, os.environ["ORCHESTRATOR_DATABASE_URL"])
    uvicorn.run(app, host="127.0.0.1", port=int(port), log_level="warning", access_log=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
