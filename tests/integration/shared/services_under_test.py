"""Small services that the runtime's tests run as processes; the first argument says how each behaves."""

import asyncio
import gc
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from orchestrator_shared.domain.errors import Unavailable
from orchestrator_shared.runtime import service
from orchestrator_shared.runtime.lifecycle import Lifecycle
from orchestrator_shared.runtime.service import run_service
from orchestrator_shared.settings import RuntimeSettings


@asynccontextmanager
async def orderly(_settings: RuntimeSettings, lifecycle: Lifecycle) -> AsyncIterator[None]:
    lifecycle.ready_when("fine", lambda: True)
    async with lifecycle.supervised("forever", asyncio.Event().wait()):
        yield
    print("closed in order", flush=True)
    print(f"{gc.get_freeze_count()} objects are spared", flush=True)


@asynccontextmanager
async def unready(_settings: RuntimeSettings, lifecycle: Lifecycle) -> AsyncIterator[None]:
    async def broken() -> bool:
        raise OSError("nobody there")

    lifecycle.ready_when("broker", broken)
    yield


async def die() -> None:
    raise ValueError("amqp://user:geheim@host broke")


async def leave() -> None:
    return


@asynccontextmanager
async def dying(_settings: RuntimeSettings, lifecycle: Lifecycle) -> AsyncIterator[None]:
    lifecycle.supervise("relay", die())
    yield
    print("closed in order", flush=True)


@asynccontextmanager
async def leaving(_settings: RuntimeSettings, lifecycle: Lifecycle) -> AsyncIterator[None]:
    lifecycle.supervise("relay", leave())
    yield


@asynccontextmanager
async def slow_to_start(_settings: RuntimeSettings, _lifecycle: Lifecycle) -> AsyncIterator[None]:
    await asyncio.Event().wait()
    yield


@asynccontextmanager
async def slow_to_stop(_settings: RuntimeSettings, _lifecycle: Lifecycle) -> AsyncIterator[None]:
    yield
    await asyncio.Event().wait()


@asynccontextmanager
async def stuck(_settings: RuntimeSettings, _lifecycle: Lifecycle) -> AsyncIterator[None]:
    yield
    time.sleep(60)


@asynccontextmanager
async def holding_the_loop(_settings: RuntimeSettings, _lifecycle: Lifecycle) -> AsyncIterator[None]:
    def hold() -> None:
        print("the loop is held", flush=True)
        while True:
            pass

    asyncio.get_running_loop().call_soon(hold)
    yield


@asynccontextmanager
async def failing(_settings: RuntimeSettings, _lifecycle: Lifecycle) -> AsyncIterator[None]:
    raise Unavailable("the database at host:5432 was not reachable")
    yield


@asynccontextmanager
async def with_an_app(_settings: RuntimeSettings, lifecycle: Lifecycle) -> AsyncIterator[None]:
    async def hello(request: Request) -> PlainTextResponse:
        return PlainTextResponse(f"hello {request.url.path}")

    async def slow(_request: Request) -> PlainTextResponse:
        print("slow begins", flush=True)
        await lifecycle.stopping.wait()
        await asyncio.sleep(0.2)
        return PlainTextResponse("finished")

    routes = [Route("/v1/hello", hello), Route("/v1/slow", slow)]
    async with lifecycle.serving(Starlette(routes=routes)):
        yield
    print("closed after the requests", flush=True)


SERVICES: dict[str, Callable[[RuntimeSettings, Lifecycle], AbstractAsyncContextManager[None]]] = {
    each.__name__: each
    for each in (
        orderly, unready, dying, leaving, slow_to_start, slow_to_stop, stuck, holding_the_loop, failing,
        with_an_app,
    )
}  # fmt: skip

if __name__ == "__main__":
    if sys.argv[1] == "holding_the_loop":
        service.WATCHDOG_EXTRA_SECONDS = 0
    sys.exit(run_service("under-test", RuntimeSettings, SERVICES[sys.argv[1]]))
