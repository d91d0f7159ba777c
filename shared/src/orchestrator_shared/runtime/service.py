"""Runs one service, from its settings to its exit code."""

import asyncio
import gc
import os
import signal
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from queue import Empty, SimpleQueue
from types import FrameType
from typing import TypeVar

import structlog

from orchestrator_shared import logging
from orchestrator_shared.domain.errors import OrchestratorError
from orchestrator_shared.domain.zone_data import TZDATA_VERSION
from orchestrator_shared.runtime.health import serve_health
from orchestrator_shared.runtime.lifecycle import Lifecycle
from orchestrator_shared.settings import RuntimeSettings, SettingsError, load_settings, variable

log = structlog.get_logger(__name__)

S = TypeVar("S", bound=RuntimeSettings)
Start = Callable[[S, Lifecycle], AbstractAsyncContextManager[None]]

OK, FAILED, BAD_SETTINGS = 0, 1, 2
CANCEL_SECONDS = 2.0
WATCHDOG_EXTRA_SECONDS = 10.0
"""On top of the grace period: then the process ends even if its event loop is stuck."""
COLLECT_AFTER = 50_000
"""New objects between garbage collections; with 700, as usual in Python, a large page takes 7 % longer."""


def run_service(name: str, settings_type: type[S], start: Start[S]) -> int:
    """Run until a signal or a failure; returns the exit code: 0 stopped, 1 failed, 2 wrong settings.

    `start` is an async context manager: it opens everything, yields when the service works, and on leaving
    closes in order (stop consuming, finish, flush the outbox, close) within the grace period.
    """
    try:
        settings = load_settings(settings_type)
        _forget_secrets(settings_type)
    except SettingsError as error:
        print(f"orchestrator {name}: {error}", file=sys.stderr)  # noqa: T201  there is no log yet
        return BAD_SETTINGS
    logging.configure(name, settings)
    return asyncio.run(_run(name, settings, start))


def _forget_secrets(settings_type: type[RuntimeSettings]) -> None:
    """The settings hold them now: child processes must not inherit them."""
    for field, definition in settings_type.model_fields.items():
        if not definition.repr:
            os.environ.pop(variable(field), None)


async def _run(name: str, settings: S, start: Start[S]) -> int:
    lifecycle = Lifecycle(name)
    watchdog = _Watchdog(settings.shutdown_grace_seconds + WATCHDOG_EXTRA_SECONDS)
    with _signals(lifecycle, watchdog):
        try:
            async with serve_health(lifecycle, settings):
                code = await _live(settings, lifecycle, start, watchdog)
            await lifecycle.cancel_all()
        except OrchestratorError as error:
            code = _explain(error)
    watchdog.disarm()
    log.info("service.stopped", exit_code=code)
    return code


async def _live(settings: S, lifecycle: Lifecycle, start: Start[S], watchdog: "_Watchdog") -> int:
    main = asyncio.create_task(_main(settings, lifecycle, start), name="main")
    stopping = asyncio.create_task(lifecycle.stopping.wait(), name="stopping")
    try:
        await asyncio.wait([main, stopping], return_when=asyncio.FIRST_COMPLETED)
        watchdog.arm()
        lifecycle.stopping.set()  # also when `start` failed
        if not lifecycle.started:
            main.cancel()  # stopped while still starting
        await asyncio.wait([main], timeout=settings.shutdown_grace_seconds)
        if not main.done():
            log.error("service.grace_period_over", seconds=settings.shutdown_grace_seconds)
            main.cancel()
            await asyncio.wait([main], timeout=CANCEL_SECONDS)
    finally:
        stopping.cancel()
    return _exit_code(main, lifecycle)


async def _main(settings: S, lifecycle: Lifecycle, start: Start[S]) -> None:
    async with start(settings, lifecycle):
        gc.collect()
        gc.freeze()  # modules and schemas live for ever: a full collection over them stops the loop for 0.1 s
        gc.set_threshold(COLLECT_AFTER)
        lifecycle.started = True
        log.info("service.started", tzdata=TZDATA_VERSION)
        await lifecycle.stopping.wait()


def _exit_code(main: "asyncio.Task[None]", lifecycle: Lifecycle) -> int:
    if not main.done():
        log.error("service.hangs")
        return FAILED
    if not main.cancelled() and (error := main.exception()) is not None:
        return _explain(error)
    if lifecycle.failure is not None:
        return FAILED
    return FAILED if main.cancelled() and lifecycle.started else OK


def _explain(error: BaseException) -> int:
    if isinstance(error, OrchestratorError):  # a message for people: no traceback
        log.error("service.failed", reason=str(error))
        return BAD_SETTINGS if isinstance(error, SettingsError) else FAILED
    log.error("service.failed", reason=f"{type(error).__name__}: {error}", exc_info=error)
    return FAILED


@contextmanager
def _signals(lifecycle: Lifecycle, watchdog: "_Watchdog") -> Iterator[None]:
    """The first signal begins the shutdown; a second one ends the process even if it is stuck.

    Plain handlers, not the loop's: they run, and arm the watchdog, also while something holds the loop.
    """
    loop = asyncio.get_running_loop()
    handled = (signal.SIGTERM, signal.SIGINT)

    def receive(number: int, _frame: FrameType | None) -> None:
        for each in handled:
            signal.signal(each, signal.SIG_DFL)
        watchdog.arm()
        loop.call_soon_threadsafe(lifecycle.stop, signal.Signals(number).name)

    before = {number: signal.signal(number, receive) for number in handled}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Watchdog:
    """A thread that ends the process when its event loop does not.

    Its queues may be filled from a signal handler; starting a thread there could deadlock.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._armed: SimpleQueue[None] = SimpleQueue()
        self._disarmed: SimpleQueue[None] = SimpleQueue()
        threading.Thread(target=self._watch, name="watchdog", daemon=True).start()

    def arm(self) -> None:
        self._armed.put(None)

    def disarm(self) -> None:
        self._disarmed.put(None)
        self._armed.put(None)  # a thread that was never armed ends, too

    def _watch(self) -> None:
        self._armed.get()
        try:
            self._disarmed.get(timeout=self._seconds)
        except Empty:
            os._exit(FAILED)


@asynccontextmanager
async def nothing(_settings: RuntimeSettings, _lifecycle: Lifecycle) -> AsyncIterator[None]:
    """A start that does nothing, for testing the runtime itself."""
    yield
