"""The http executor: the conformance suite, and everything a service at the other end may do."""

import asyncio
from collections.abc import AsyncIterator, Callable
from itertools import count
from typing import Any
from uuid import UUID, uuid4

import pytest
from tests.support.executor_conformance import BOUND, Behaviour, ExecutorConformance, RecordingLog
from tests.support.http_service import HttpService, Received, Reply, http_service
from tests.support.waiting import eventually

from orchestrator_runner.adapters.http_client import HttpClient
from orchestrator_runner.adapters.http_executor import HttpExecutor, HttpSettings
from orchestrator_runner.adapters.http_run import Pace
from orchestrator_runner.domain.execution import (
    Execution,
    ExecutionLeft,
    ExecutionLost,
    ExecutionRefused,
    Outcome,
)
from orchestrator_runner.domain.http_address import InternalHosts
from orchestrator_shared.domain.statuses import ErrorKind, JobStatus

JOB = UUID(int=7)
Script = list[Reply | str]


class FastPace(Pace):
    """A second takes a fiftieth of it; the waits are kept."""

    def __init__(self) -> None:
        self.waits: list[float] = []

    def now(self) -> float:
        return asyncio.get_running_loop().time() * 50

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        await asyncio.sleep(seconds / 50)


class Runs:
    """What the service does: begins runs, tells their states one after the other, cancels them."""

    def __init__(self) -> None:
        self.ids = count(41)
        self.states: Script = ["ok"]
        self.starts: list[Reply] = []
        self.start: dict[str, Any] = {}
        self.cancelled: list[str] = []
        self.cancel_takes = 0

    def handle(self, request: Received) -> Reply:
        if request.method == "POST" and request.target == "/runs":
            return self._begin(request)
        if request.target.endswith("/cancel"):
            self.cancelled.append(request.target.split("/")[2])
            return Reply(202, {})
        return self._tell(request)

    def _begin(self, request: Received) -> Reply:
        if self.starts:
            return self.starts.pop(0)
        self.start = request.json
        return Reply(201, {"data": {"id": next(self.ids)}})

    def _tell(self, _: Received) -> Reply:
        if self.cancelled and self.cancel_takes <= 0:
            return Reply(200, {"data": {"status": "stopped"}})
        self.cancel_takes -= bool(self.cancelled)
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        if isinstance(state, Reply):
            return state
        return Reply(200, {"data": {"status": state, **self._more(state)}})

    def _more(self, state: str) -> dict[str, Any]:
        match self.start.get("behaviour"):
            case Behaviour.FAIL_AS_USER:
                return {"status": "failed", "message": "no such column: amount"}
            case Behaviour.FAIL_INTERNALLY:
                return {"status": "broken"}
            case Behaviour.HANG:
                return {"status": "running", "progress": "hanging"}
            case Behaviour.REPORT:
                tables = [{"table": "out.c-main.a", "rows": 3}, "out.c-main.b"]
                return {"message": "3 rows", "tables": tables}
            case Behaviour.COUNT_RUNS:
                return {"state": {"runs": ((self.start["state"] or {}).get("runs") or 0) + 1}}
            case Behaviour.ECHO_CONFIG:
                say = self.start["parameters"]["say"]
                return {"message": say, "progress": say}
        return {}


def target(url: str, **sections: Any) -> dict[str, Any]:
    """A component's section http."""
    start = {
        "url": f"{url}/runs",
        "body": {"behaviour": "{{ parameters.behaviour }}", "parameters": "{{ parameters }}"},
    }
    start["body"] |= {"state": "{{ state }}"}  # type: ignore[operator]
    made: dict[str, Any] = {
        "headers": {"Authorization": "Bearer {{ parameters.#token }}"},
        "start": start,
        "id": "data.id",
        "poll": {"url": f"{url}/runs/{{{{ id }}}}", "state": "data.status", "progress": "data.progress"},
        "states": {
            "success": ["ok"],
            "running": ["running", 1],
            "error": ["broken"],
            "user_error": ["failed"],
        },
        "result": {"message": "data.message", "output_tables": "data.tables", "state": "data.state"},
        "cancel": {"url": f"{url}/runs/{{{{ id }}}}/cancel"},
    }
    for name, section in sections.items():
        made[name] = {**made[name], **section} if isinstance(section, dict) else section
    return {name: section for name, section in made.items() if section is not None}


class HttpHarness:
    def __init__(self, executor: HttpExecutor, service: HttpService, runs: Runs, pace: FastPace) -> None:
        self.executor = executor
        self.service = service
        self.runs = runs
        self.pace = pace
        self.log = RecordingLog()

    def execution(self, behaviour: Behaviour = Behaviour.SUCCEED, **fields: Any) -> Execution:
        config = fields.pop("config", {})
        given = {"#token": "t0ken-of-ours", "behaviour": behaviour.value, **config.get("parameters", {})}
        return Execution(
            **{
                "job_id": JOB,
                "attempt": 1,
                "argv": (),
                "environment": {},
                "config": {"parameters": given},
                "target": target(self.service.url),
                "secrets": frozenset({"t0ken-of-ours"}),
                **fields,
            }
        )

    async def run(self, *, stop: asyncio.Event | None = None, fields: Any = None, **sections: Any) -> Outcome:
        execution = self.execution(target=target(self.service.url, **sections), **(fields or {}))
        return await asyncio.wait_for(self.executor.run(execution, self.log, stop or asyncio.Event()), BOUND)

    @property
    def lines(self) -> list[str]:
        return self.log.text("stderr").decode().splitlines()


@pytest.fixture
async def harness() -> AsyncIterator[HttpHarness]:
    runs, pace = Runs(), FastPace()
    async with http_service(runs.handle) as service:
        internal = InternalHosts.parse(f"127.0.0.1:{service.port}")
        settings = HttpSettings(grace_seconds=1.0)
        async with HttpExecutor.open(HttpClient(internal=internal), settings, pace) as executor:
            yield HttpHarness(executor, service, runs, pace)


class TestHttp(ExecutorConformance):
    """Run at a service on a real port."""


async def test_the_requests_are_what_the_component_says(harness: HttpHarness) -> None:
    harness.runs.states = ["running", "running", "ok"]
    outcome = await harness.run()
    assert outcome.status is JobStatus.SUCCESS
    start, *polls = harness.service.received
    assert (start.method, start.target) == ("POST", "/runs")
    assert start.headers["idempotency-key"] == f"{JOB}-1"
    assert start.headers["authorization"] == "Bearer t0ken-of-ours"
    assert start.headers["host"] == f"127.0.0.1:{harness.service.port}"
    assert start.headers["content-type"] == "application/json"
    assert start.json["behaviour"] == "succeed"
    assert start.json["state"] is None
    assert [(poll.method, poll.target, poll.body) for poll in polls] == [("GET", "/runs/41", b"")] * 3
    assert harness.pace.waits == [1.0, 5, 5]
    assert harness.lines == [
        f"POST {harness.service.url}/runs: answered 201 Status",
        "state running",
        "state ok",
    ]
    assert harness.runs.cancelled == []


async def test_without_poll_the_answer_is_the_outcome(harness: HttpHarness) -> None:
    alone = {"poll": None, "states": None, "id": None, "cancel": None}
    result = {"message": "text", "output_tables": "tables"}
    harness.runs.starts = [
        Reply(200, {"text": "done", "tables": ["out.c-a.b"]}),
        Reply(422, {"text": "no such report: t0ken-of-ours"}),
        Reply(404, b"<h1>nothing here</h1>"),
        Reply(500, {"text": "oops"}),
        Reply(204, b""),
    ]
    outcomes = [await harness.run(**alone, result={**result, "state": None}) for _ in range(4)]
    assert [(o.status, o.error_kind) for o in outcomes] == [
        (JobStatus.SUCCESS, None),
        (JobStatus.ERROR, ErrorKind.USER),
        (JobStatus.ERROR, ErrorKind.USER),
        (JobStatus.ERROR, ErrorKind.INTERNAL),
    ]
    assert [str(table.table) for table in outcomes[0].output_tables] == ["out.c-a.b"]
    assert [o.message for o in outcomes[:3]] == [
        "done",
        "no such report: ***",
        "start: answered 404 Status: <h1>nothing here</h1>",
    ]
    assert "whether it was begun is not known" in outcomes[3].message
    plain = {"message": None, "output_tables": None, "state": None}
    assert (await harness.run(**alone, result=plain)).status is JobStatus.SUCCESS
    assert len(harness.service.received) == 5


async def test_a_start_whose_answer_is_lost_is_not_sent_again(harness: HttpHarness) -> None:
    harness.runs.starts = [Reply(cut=True)]
    outcome = await harness.run()
    assert (outcome.status, outcome.error_kind) == (JobStatus.ERROR, ErrorKind.INTERNAL)
    assert "whether it was begun is not known, so it was not sent again" in outcome.message
    assert len(harness.service.asked("POST")) == 1
    assert "the run's id is not known: it cannot be cancelled" in harness.lines[-1]


@pytest.mark.parametrize("safe", ["idempotent", "rerun"])
@pytest.mark.parametrize("loss", [Reply(cut=True), Reply(502, {}), Reply(hang=True)])
async def test_a_safe_start_is_sent_again_with_the_same_key(
    harness: HttpHarness, safe: str, loss: Reply
) -> None:
    harness.runs.starts = [loss, Reply(cut=True)]
    start = {"idempotent": safe == "idempotent", "timeout": 1, "give_up_after": 3600}
    outcome = await harness.run(start=start, fields={"safe_to_rerun": safe == "rerun", "attempt": 3})
    assert outcome.status is JobStatus.SUCCESS
    keys = [request.headers["idempotency-key"] for request in harness.service.asked("POST")]
    assert keys == [f"{JOB}-3"] * 3
    assert harness.pace.waits[:2] == [2.0, 4.0]


async def test_a_start_that_never_left_is_tried_again(harness: HttpHarness) -> None:
    await harness.service.stop()
    run = asyncio.create_task(harness.run(start={"give_up_after": 3600}))
    await harness.log.wait_for("stderr", b"again in 4s")
    assert b"cannot connect to 127.0.0.1" in harness.log.text("stderr")
    await harness.service.start()
    assert (await run).status is JobStatus.SUCCESS
    assert len(harness.service.asked("POST")) == 1


async def test_a_start_that_never_gets_through_is_given_up(harness: HttpHarness) -> None:
    await harness.service.stop()
    outcome = await harness.run(start={"give_up_after": 20})
    await harness.service.start()
    assert (outcome.status, outcome.error_kind) == (JobStatus.ERROR, ErrorKind.INTERNAL)
    assert outcome.message.startswith("gave up: start: cannot connect to 127.0.0.1")
    assert sum(harness.pace.waits) <= 20


async def test_too_many_requests_are_waited_out(harness: HttpHarness) -> None:
    harness.runs.starts = [Reply(429, {}, {"Retry-After": "17"})]
    busy = [Reply(429, {}, {"Retry-After": "30"}), Reply(429, {}), Reply(503, {}, {"Retry-After": "40"})]
    harness.runs.states = [*busy, Reply(503, {}, {"Retry-After": "999999999"}), "ok"]
    assert (await harness.run(poll={"give_up_after": 3600})).status is JobStatus.SUCCESS
    assert harness.pace.waits == [17.0, 1.0, 30.0, 0, 10.0, 0, 40.0, 0, 300.0, 0]
    assert len(harness.service.asked("POST")) == 2


async def test_a_service_that_restarts_is_waited_for(harness: HttpHarness) -> None:
    harness.runs.states = ["running"]
    run = asyncio.create_task(harness.run(poll={"give_up_after": 3600}))
    await harness.log.wait_for("stderr", b"state running")
    await harness.service.stop()
    await harness.log.wait_for("stderr", b"again in 10s")
    harness.runs.states = ["ok"]
    await harness.service.start()
    assert (await run).status is JobStatus.SUCCESS
    assert len(harness.service.asked("POST")) == 1


BAD_ANSWERS = [
    Reply(200, b"{not json"),
    Reply(200, b"\xff\xfe"),
    Reply(200, b"[" * 100_000),
    Reply(200, [1]),
    Reply(200, {"data": None}),
    Reply(200, {"data": {"status": {"of": "what"}}}),
    Reply(200, {"data": {"status": None}}),
    Reply(200, {"data": {"status": "\0"}}),
    Reply(200, b"\x1f\x8b", {"Content-Encoding": "gzip"}),
    Reply(500, b"trouble t0ken-of-ours"),
    Reply(raw=b"\x00\x01 not http\r\n\r\n"),
    Reply(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nshort"),
    Reply(raw=b"HTTP/1.1 200 OK\r\nX: " + b"y" * 300_000),
    Reply(raw=b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
    Reply(raw=b"HTTP/1.1 200 OK\r\n\r\n", endless=b" " * 65_536),
    Reply(cut=True),
]


async def test_a_bad_answer_is_not_believed_but_asked_again(harness: HttpHarness) -> None:
    for bad in BAD_ANSWERS:
        harness.runs.states = [bad, "running", bad, "ok"]
        assert (await harness.run(poll={"every": 1})).status is JobStatus.SUCCESS, bad
    assert sum("again in" in line for line in harness.lines) == 2 * len(BAD_ANSWERS)
    assert b"t0ken" not in harness.log.text("stderr")
    assert b"is larger than 1048576 bytes" in harness.log.text("stderr")
    assert b"is compressed" in harness.log.text("stderr")


async def test_slow_answers_end_at_the_timeout(harness: HttpHarness) -> None:
    """Each byte comes in time, and the whole never does."""
    slow = Reply(raw=b"HTTP/1.1 200 OK\r\n", endless=b"X: y\r\n", pause=0.05)
    dripping = Reply(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", endless=b" ", pause=0.05)
    continuing = Reply(raw=b"", endless=b"HTTP/1.1 100 Continue\r\n\r\n", pause=0.05)
    harness.runs.states = [Reply(hang=True), slow, dripping, continuing, "ok"]
    assert (await harness.run(poll={"timeout": 1, "give_up_after": 86_400})).status is JobStatus.SUCCESS
    assert sum("poll: no answer within 1 s; again in" in line for line in harness.lines) == 4


async def test_an_unknown_state_is_named_and_the_run_cancelled(harness: HttpHarness) -> None:
    harness.runs.states = ["running", "exploded"]
    outcome = await harness.run()
    assert (outcome.status, outcome.error_kind) == (JobStatus.ERROR, ErrorKind.INTERNAL)
    assert "'exploded', which the component's states do not list" in outcome.message
    assert harness.runs.cancelled == ["41"]


async def test_states_may_flap_and_be_numbers(harness: HttpHarness) -> None:
    harness.runs.states = ["running", "1", "running", "1", "ok"]
    assert (await harness.run()).status is JobStatus.SUCCESS
    assert [line for line in harness.lines if line.startswith("state")] == [
        "state running",
        "state 1",
        "state running",
        "state 1",
        "state ok",
    ]


async def test_refusals_are_not_asked_for_ever(harness: HttpHarness) -> None:
    harness.runs.states = [Reply(403, {"data": {"message": "go away"}})]
    outcome = await harness.run()
    assert outcome.message.startswith("gave up: poll: answered 403")
    assert outcome.error_kind is ErrorKind.INTERNAL
    assert len(harness.service.asked("GET")) == 5 + 1  # the last one looks whether the cancelled run ended
    assert harness.runs.cancelled == ["41"]


async def test_the_time_limit_cancels_the_run_and_sees_it_end(harness: HttpHarness) -> None:
    harness.runs.states, harness.runs.cancel_takes = ["running"], 2
    outcome = await harness.run(fields={"timeout_seconds": 0.3})
    assert outcome.message == "timed out after 0.3s"
    assert harness.runs.cancelled == ["41"]
    assert harness.runs.cancel_takes == 0
    assert harness.lines[-1] == "state stopped"


async def test_a_stop_during_the_start_waits_for_the_id_to_cancel(harness: HttpHarness) -> None:
    answered, stop = asyncio.Event(), asyncio.Event()
    at_once: Callable[[Received], Reply] = harness.runs.handle

    async def late(request: Received) -> Reply:
        if request.target == "/runs":
            await answered.wait()
        return at_once(request)

    harness.service.handle = late
    run = asyncio.create_task(harness.run(stop=stop))
    await eventually(lambda: harness.service.received)
    stop.set()
    await asyncio.sleep(0)
    answered.set()
    assert (await run).status is JobStatus.TERMINATED
    assert harness.runs.cancelled == ["41"]


async def test_a_cancel_that_is_never_answered_holds_nobody_up(harness: HttpHarness) -> None:
    harness.runs.states, stop = ["running"], asyncio.Event()
    handle = harness.runs.handle
    harness.service.handle = lambda request: (
        Reply(hang=True) if request.target.endswith("/cancel") else handle(request)
    )
    run = asyncio.create_task(harness.run(stop=stop))
    await harness.log.wait_for("stderr", b"state running")
    stop.set()
    assert (await asyncio.wait_for(run, 5)).status is JobStatus.TERMINATED
    assert harness.lines[-1] == "the run may go on at the service: no time left"


async def test_losing_the_attempt_cancels_the_run(harness: HttpHarness) -> None:
    harness.runs.states = ["running"]
    run = asyncio.create_task(harness.run())
    await harness.log.wait_for("stderr", b"state running")
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert harness.runs.cancelled == ["41"]


async def test_an_executor_that_closes_cancels_and_loses_its_attempts(harness: HttpHarness) -> None:
    harness.runs.states = ["running"]
    client = HttpClient(internal=InternalHosts.parse("127.0.0.1"))
    log = RecordingLog()
    async with HttpExecutor.open(client, HttpSettings(1.0), harness.pace) as executor:
        run = asyncio.create_task(executor.run(harness.execution(), log, asyncio.Event()))
        await log.wait_for("stderr", b"state running")
    with pytest.raises(ExecutionLost):
        await run
    assert harness.runs.cancelled == ["41"]
    with pytest.raises(ExecutionRefused):
        await executor.run(harness.execution(), log, asyncio.Event())


async def test_a_log_that_cannot_be_stored_ends_the_run(harness: HttpHarness) -> None:
    class BrokenLog(RecordingLog):
        async def write(self, *part: Any) -> None:
            await super().write(*part)
            if b"state" in part[2]:
                raise RuntimeError("the log is full")

    harness.runs.states = ["running"]
    with pytest.raises(RuntimeError, match="the log is full"):
        await harness.executor.run(harness.execution(), BrokenLog(), asyncio.Event())
    assert harness.runs.cancelled == ["41"]


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        ({"start": {"url": "http://127.0.0.1:{{ parameters.none }}/"}}, "{{ parameters.none }} is not set"),
        ({"start": {"url": "ftp://x/"}}, "the component cannot be used"),
        ({"start": {"headers": {"X": "{{ parameters.behaviour }}\u017e\u0001"}}}, "control character"),
        ({"states": {"success": []}}, "the component cannot be used"),
    ],
)
async def test_what_cannot_be_sent_is_the_users_error(
    harness: HttpHarness, sections: dict[str, Any], message: str
) -> None:
    outcome = await harness.run(**sections)
    assert (outcome.status, outcome.error_kind) == (JobStatus.ERROR, ErrorKind.USER)
    assert message in outcome.message
    assert outcome.message.startswith("http.")
    assert harness.service.received == []


async def test_many_runs_at_once(harness: HttpHarness) -> None:
    outcomes = await asyncio.gather(*(harness.run(fields={"job_id": uuid4()}) for _ in range(40)))
    assert {outcome.status for outcome in outcomes} == {JobStatus.SUCCESS}
    assert len({request.target for request in harness.service.asked("GET")}) == 40


async def test_proxies_of_the_environment_are_not_asked(
    harness: HttpHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    assert (await harness.run()).status is JobStatus.SUCCESS


async def test_secrets_in_addresses_and_headers_are_not_told(harness: HttpHarness) -> None:
    """What the executor writes is masked by `LogCapture`; queries and headers do not even get there."""
    secret = "p@ss w0rd/+"
    config = {"parameters": {"#key": secret}}
    fields = {"config": config, "secrets": frozenset({secret, "t0ken-of-ours"})}
    url = f"{harness.service.url}/runs?key={{{{ parameters.#key }}}}"
    start = {"url": url, "headers": {"X": "{{ parameters.#key }}"}}
    answers = [
        Reply(201, {"data": {"id": 41}}),
        Reply(500, f"bad key {secret}, p%40ss%20w0rd%2F%2B".encode()),
        Reply(200, {"data": {"status": "failed", "message": f"no such key: {secret}"}}),
    ]
    harness.service.handle = lambda _: answers.pop(0)
    outcome = await harness.run(start=start, fields=fields)
    assert outcome.message == "no such key: ***"
    assert "p%40ss%20w0rd%2F%2B" in harness.service.received[0].target
    told = harness.log.text("stderr").decode()
    assert "bad key ***, ***" in told
    assert "p@ss" not in told
    assert "p%40ss" not in told


class Kept:
    """A `Journal` that remembers in order what it was told; and the service's requests between."""

    def __init__(self, service: HttpService, *, fails: bool = False) -> None:
        self.service = service
        self.fails = fails
        self.handle: Any = None
        self.asked_before = 0

    async def keep(self, handle: Any) -> None:
        self.asked_before = len(self.service.asked("GET"))
        if self.fails:
            raise ExecutionLost("the job has a new owner")
        self.handle = handle

    async def expect_callbacks(self) -> None:
        assert not self.service.received

    async def callbacks(self) -> list[bytes]:
        await asyncio.Event().wait()
        return []


async def test_the_run_is_kept_before_anything_is_asked(harness: HttpHarness) -> None:
    journal = Kept(harness.service)
    poll = {"url": f"{harness.service.url}/runs/{{{{ start.data.id }}}}"}
    assert (await harness.run(poll=poll, fields={"journal": journal})).status is JobStatus.SUCCESS
    assert (journal.asked_before, journal.handle) == (0, {"id": 41, "start": {"data": {"id": 41}}})
    again = await harness.run(poll=poll, fields={"journal": journal, "handle": journal.handle})
    assert again.status is JobStatus.SUCCESS
    assert len(harness.service.asked("POST")) == 1


async def test_a_run_that_could_not_be_kept_is_cancelled(harness: HttpHarness) -> None:
    harness.runs.states = ["running"]
    with pytest.raises(ExecutionLost):
        await harness.run(fields={"journal": Kept(harness.service, fails=True)})
    assert harness.runs.cancelled == ["41"]


@pytest.mark.parametrize("way", ["leave", "close", "cancel"])
async def test_a_run_that_is_kept_is_left_to_others(harness: HttpHarness, way: str) -> None:
    harness.runs.states = ["running"]
    client = HttpClient(internal=InternalHosts.parse("127.0.0.1"))
    execution = harness.execution(journal=Kept(harness.service))
    async with HttpExecutor.open(client, HttpSettings(1.0), harness.pace) as executor:
        run = asyncio.create_task(executor.run(execution, harness.log, asyncio.Event()))
        await harness.log.wait_for("stderr", b"state running")
        if way == "leave":
            executor.leave()
            with pytest.raises(ExecutionLeft):
                await asyncio.wait_for(run, BOUND)
        elif way == "cancel":
            run.cancel()
    with pytest.raises(asyncio.CancelledError if way == "cancel" else ExecutionLeft):
        await run
    assert harness.runs.cancelled == []


@pytest.mark.parametrize("owns", [True, False])
async def test_only_the_owner_cancels_a_run_that_is_kept(harness: HttpHarness, owns: bool) -> None:
    harness.runs.states, stop = ["running"], asyncio.Event()
    client = HttpClient(internal=InternalHosts.parse("127.0.0.1"))
    execution = harness.execution(journal=Kept(harness.service))
    async with HttpExecutor.open(client, HttpSettings(1.0), harness.pace, owns=lambda: owns) as executor:
        run = asyncio.create_task(executor.run(execution, harness.log, stop))
        await harness.log.wait_for("stderr", b"state running")
        stop.set()
        if owns:
            assert (await run).status is JobStatus.TERMINATED
        else:
            with pytest.raises(ExecutionLeft):
                await run
    assert harness.runs.cancelled == (["41"] if owns else [])
