"""Runs at other services that are stopped, lost, or left to another runner."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from tests.support.executor_conformance import BOUND, RecordingLog
from tests.support.http_harness import HttpHarness, Kept, target
from tests.support.http_service import Received, Reply
from tests.support.waiting import eventually

from orchestrator_runner.executors.http.client import HttpClient
from orchestrator_runner.executors.http.executor import HttpExecutor, HttpSettings
from orchestrator_runner.executors.http.handle import handle_of_start
from orchestrator_runner.executors.port import ExecutionLeft, ExecutionLost, ExecutionRefused
from orchestrator_shared.domain.internal_hosts import InternalHosts
from orchestrator_shared.domain.statuses import ErrorKind, JobStatus


async def test_an_unknown_state_is_named_and_the_run_cancelled(http: HttpHarness) -> None:
    http.runs.states = ["running", "exploded"]
    outcome = await http.run()
    assert (outcome.status, outcome.error_kind) == (JobStatus.ERROR, ErrorKind.INTERNAL)
    assert "'exploded', which the component's states do not list" in outcome.message
    assert http.runs.cancelled == ["41"]


async def test_the_time_limit_cancels_the_run_and_sees_it_end(http: HttpHarness) -> None:
    http.runs.states, http.runs.cancel_takes = ["running"], 2
    outcome = await http.run(fields={"timeout_seconds": 0.3})
    assert outcome.message == "timed out after 0.3s"
    assert http.runs.cancelled == ["41"]
    assert http.runs.cancel_takes == 0
    assert http.lines[-1] == "state stopped"


async def test_a_stop_during_the_start_waits_for_the_id_to_cancel(http: HttpHarness) -> None:
    answered, stop = asyncio.Event(), asyncio.Event()
    at_once: Callable[[Received], Reply] = http.runs.handle

    async def late(request: Received) -> Reply:
        if request.target == "/runs":
            await answered.wait()
        return at_once(request)

    http.service.handle = late
    run = asyncio.create_task(http.run(stop=stop))
    await eventually(lambda: http.service.received)
    stop.set()
    await asyncio.sleep(0)
    answered.set()
    assert (await run).status is JobStatus.TERMINATED
    assert http.runs.cancelled == ["41"]


async def test_a_cancel_that_is_never_answered_blocks_nothing(http: HttpHarness) -> None:
    http.runs.states, stop = ["running"], asyncio.Event()
    handle = http.runs.handle
    http.service.handle = lambda request: (
        Reply(hang=True) if request.target.endswith("/cancel") else handle(request)
    )
    run = asyncio.create_task(http.run(stop=stop))
    await http.log.wait_for("stderr", b"state running")
    stop.set()
    assert (await asyncio.wait_for(run, 30)).status is JobStatus.TERMINATED
    assert http.lines[-1] == "the run may still be going on at the service: no time left"


async def test_losing_the_attempt_cancels_the_run(http: HttpHarness) -> None:
    http.runs.states = ["running"]
    run = asyncio.create_task(http.run())
    await http.log.wait_for("stderr", b"state running")
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert http.runs.cancelled == ["41"]


async def test_an_executor_that_closes_cancels_and_loses_its_attempts(http: HttpHarness) -> None:
    http.runs.states = ["running"]
    client = HttpClient(internal=InternalHosts.parse("127.0.0.1"))
    log = RecordingLog()
    async with HttpExecutor.open(client, HttpSettings(1.0), http.pace) as executor:
        run = asyncio.create_task(executor.run(http.execution(), log, asyncio.Event()))
        await log.wait_for("stderr", b"state running")
    with pytest.raises(ExecutionLost):
        await run
    assert http.runs.cancelled == ["41"]
    with pytest.raises(ExecutionRefused):
        await executor.run(http.execution(), log, asyncio.Event())


async def test_a_log_that_cannot_be_stored_ends_the_run(http: HttpHarness) -> None:
    class BrokenLog(RecordingLog):
        async def write(self, *part: Any) -> None:
            await super().write(*part)
            if b"state" in part[2]:
                raise RuntimeError("the log is full")

    http.runs.states = ["running"]
    with pytest.raises(RuntimeError, match="the log is full"):
        await http.executor.run(http.execution(), BrokenLog(), asyncio.Event())
    assert http.runs.cancelled == ["41"]


async def test_a_run_that_could_not_be_kept_is_cancelled(http: HttpHarness) -> None:
    http.runs.states = ["running"]
    with pytest.raises(ExecutionLost):
        await http.run(fields={"record": Kept(http.service, fails=True)})
    assert http.runs.cancelled == ["41"]


@pytest.mark.parametrize("way", ["leave", "close", "cancel"])
async def test_a_run_that_is_kept_is_left_to_others(http: HttpHarness, way: str) -> None:
    http.runs.states = ["running"]
    client = HttpClient(internal=InternalHosts.parse("127.0.0.1"))
    execution = http.execution(record=Kept(http.service))
    async with HttpExecutor.open(client, HttpSettings(1.0), http.pace) as executor:
        run = asyncio.create_task(executor.run(execution, http.log, asyncio.Event()))
        await http.log.wait_for("stderr", b"state running")
        if way == "leave":
            executor.leave()
            with pytest.raises(ExecutionLeft):
                await asyncio.wait_for(run, BOUND)
        elif way == "cancel":
            run.cancel()
    with pytest.raises(asyncio.CancelledError if way == "cancel" else ExecutionLeft):
        await run
    assert http.runs.cancelled == []


@pytest.mark.parametrize("owns", [True, False])
async def test_only_the_owner_cancels_a_run_that_is_kept(http: HttpHarness, owns: bool) -> None:
    http.runs.states, stop = ["running"], asyncio.Event()
    client = HttpClient(internal=InternalHosts.parse("127.0.0.1"))
    execution = http.execution(record=Kept(http.service))
    held = [True]
    async with HttpExecutor.open(client, HttpSettings(1.0), http.pace, owns=lambda: held[0]) as executor:
        run = asyncio.create_task(executor.run(execution, http.log, stop))
        await http.log.wait_for("stderr", b"state running")
        held[0] = owns
        stop.set()
        if owns:
            assert (await run).status is JobStatus.TERMINATED
        else:
            with pytest.raises(ExecutionLeft):
                await run
    assert http.runs.cancelled == (["41"] if owns else [])


ALONE: dict[str, Any] = {"poll": None, "states": None, "id": None}
"""The answer to the start is the outcome."""
CALLED_BACK: dict[str, Any] = {
    "start": {"body": {"notify": "{{ callback_url }}"}},
    "callback": {"state": "status"},
    "poll": None,
}


async def test_a_run_that_reports_by_itself_is_seen_to_end(http: HttpHarness) -> None:
    record, stop = Kept(http.service), asyncio.Event()
    fields = {"record": record}
    run = asyncio.create_task(http.run(stop=stop, **CALLED_BACK, fields=fields))
    await eventually(lambda: record.handles)
    stop.set()
    await eventually(lambda: http.runs.cancelled)
    record.reports.put_nowait({"status": "running"})
    await eventually(record.reports.empty)
    assert not run.done()
    record.reports.put_nowait({"status": "broken"})
    assert (await run).status is JobStatus.TERMINATED
    assert http.lines[-1] == "state broken"


async def test_a_report_that_never_comes_blocks_nothing(http: HttpHarness) -> None:
    record, stop = Kept(http.service), asyncio.Event()
    fields = {"record": record}
    run = asyncio.create_task(http.run(stop=stop, **CALLED_BACK, fields=fields))
    await eventually(lambda: record.handles)
    stop.set()
    assert (await asyncio.wait_for(run, 30)).status is JobStatus.TERMINATED
    assert http.runs.cancelled == ["41"]
    assert http.lines[-1] == "the run may still be going on at the service: no time left"


@pytest.mark.parametrize("has_cancel", [True, False])
async def test_the_answer_that_is_the_outcome_is_waited_for(http: HttpHarness, has_cancel: bool) -> None:
    """And the cancel does not wait for it, where it needs nothing of it."""
    answered, stop = asyncio.Event(), asyncio.Event()

    async def slow(request: Received) -> Reply:
        if request.target == "/runs":
            await answered.wait()
        return Reply(200, {})

    http.service.handle = slow
    cancel = {"url": f"{http.service.url}/cancel/{{{{ job_id }}}}"} if has_cancel else None
    run = asyncio.create_task(http.run(stop=stop, **ALONE, cancel=cancel))
    await eventually(lambda: http.service.received)
    stop.set()
    said = b"/cancel/" if has_cancel else b"the component defines no cancel request"
    await http.log.wait_for("stderr", said)
    assert not run.done()
    answered.set()
    assert (await run).status is JobStatus.TERMINATED
    assert http.lines[-1] == f"POST {http.service.url}/runs: answered 200 Status"


async def test_a_run_that_cannot_be_cancelled_is_still_seen_to_end(http: HttpHarness) -> None:
    http.runs.states, stop = ["running"], asyncio.Event()
    run = asyncio.create_task(http.run(stop=stop, cancel=None))
    await http.log.wait_for("stderr", b"state running")
    stop.set()
    await http.log.wait_for("stderr", b"defines no cancel request: the run may continue at the service")
    http.runs.states = ["ok"]
    assert (await run).status is JobStatus.TERMINATED
    assert http.lines[-1] == "state ok"


async def test_a_stop_after_a_lost_answer_asks_for_the_id_with_the_same_key(http: HttpHarness) -> None:
    http.runs.starts, stop = [Reply(cut=True)], asyncio.Event()
    run = asyncio.create_task(http.run(stop=stop, start={"idempotent": True}))
    await http.log.wait_for("stderr", b"again in 2s")
    stop.set()
    assert (await run).status is JobStatus.TERMINATED
    first, second = http.service.asked("POST", "/runs")[:2]
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]
    assert http.runs.cancelled == ["41"]


async def test_a_lost_runners_start_is_settled_before_it_is_cancelled(http: HttpHarness) -> None:
    http.runs.states, stop = ["running"], asyncio.Event()
    stop.set()
    fields = {"record": Kept(http.service), "handle": handle_of_start(None)}
    outcome = await http.run(stop=stop, start={"idempotent": True}, fields=fields)
    assert outcome.status is JobStatus.TERMINATED
    assert http.runs.cancelled == ["41"]


async def test_a_run_that_is_known_is_not_started_for_its_cancel(http: HttpHarness) -> None:
    http.runs.states, stop = ["running"], asyncio.Event()
    fields = {"record": Kept(http.service), "handle": {"id": 41, "start": {}}}
    run = asyncio.create_task(http.run(stop=stop, start={"idempotent": True}, fields=fields))
    await http.log.wait_for("stderr", b"state running")
    stop.set()
    assert (await run).status is JobStatus.TERMINATED
    assert [request.target for request in http.service.asked("POST")] == ["/runs/41/cancel"]


async def test_a_refused_poll_is_not_an_end(http: HttpHarness) -> None:
    http.runs.states, stop = ["running"], asyncio.Event()
    run = asyncio.create_task(http.run(stop=stop))
    await http.log.wait_for("stderr", b"state running")
    handle = http.runs.handle
    http.service.handle = lambda request: Reply(403) if request.method == "GET" else handle(request)
    stop.set()
    assert (await run).status is JobStatus.TERMINATED
    assert http.lines[-1] == "the run may still be going on at the service: no time left"


@pytest.mark.parametrize("way", ["close", "drain"])
async def test_a_stopping_runner_leaves_a_start_that_may_be_sent_again(http: HttpHarness, way: str) -> None:
    client, stop = HttpClient(internal=InternalHosts.parse("127.0.0.1")), asyncio.Event()
    http.service.handle = lambda _: Reply(hang=True)
    section = target(http.service.url, start={"idempotent": True})
    execution = http.execution(record=Kept(http.service), target=section)
    async with HttpExecutor.open(client, HttpSettings(1.0), http.pace) as executor:
        run = asyncio.create_task(executor.run(execution, http.log, stop))
        await eventually(lambda: http.service.received)
        if way == "drain":
            executor.leave()
            await asyncio.sleep(0)
            assert not run.done(), "the answer may come in time"
            stop.set()
            with pytest.raises(ExecutionLeft):
                await asyncio.wait_for(run, BOUND)
    with pytest.raises(ExecutionLeft):
        await run
