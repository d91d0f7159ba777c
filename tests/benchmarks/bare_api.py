"""`python -m tests.benchmarks.bare_api FILE PORT`: FastAPI and asyncpg without anything of ours.

Each path runs the statements that our api ran for it, in one transaction, and answers the rows of the last
one that returned any. No token is checked beyond running its query, nothing is validated, nothing published.
"""

import json
import os
import pickle
import sys
from collections.abc import AsyncIterator, Callable, Sequence
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


Answer = Callable[[Sequence[Sequence[Any]]], Response]
"""Makes the answer of what the statements returned."""


def last_rows(found: Sequence[Sequence[Any]]) -> Response:
    """The rows of the last statement that returned any, as JSON."""
    rows = next((each for each in reversed(found) if each), ())
    text = json.dumps([dict(row) for row in rows], default=str)
    return Response(text.encode(), media_type="application/json")


def application(recorded: dict[str, Recorded], url: str, made: Answer) -> FastAPI:
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
        return made(await _rows(app.state.pool, recorded[asked]))

    return app


async def _rows(pool: asyncpg.Pool, recorded: Recorded) -> list[Sequence[Any]]:
    fresh = {made: str(uuid4()) for made in recorded.made}
    found: list[Sequence[Any]] = []
    async with pool.acquire() as connection, connection.transaction():
        for sql, arguments in recorded.statements:
            found.append(await connection.fetch(sql, *(_renewed(value, fresh) for value in arguments)))
    return found


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


def serve(file: str, port: str, made: Answer = last_rows) -> None:
    recorded = pickle.loads(Path(file).read_bytes())
    app = application(recorded, os.environ["ORCHESTRATOR_DATABASE_URL"], made)
    uvicorn.run(app, host="127.0.0.1", port=int(port), log_level="warning", access_log=False)


if __name__ == "__main__":
    serve(sys.argv[1], sys.argv[2])
