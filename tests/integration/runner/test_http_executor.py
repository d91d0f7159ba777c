"""The http executor: the conformance suite, how runs are begun and followed, and what is kept of them."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest
from tests.support.executor_conformance import ExecutorConformance
from tests.support.http_harness import JOB, HttpHarness, Kept
from tests.support.http_service import Reply

from orchestrator_runner.executors.http import run as http_run
from orchestrator_runner.executors.http.client import HttpClient
from orchestrator_runner.executors.http.executor import HttpExecutor
from orchestrator_runner.executors.http.handle import callback_url_of
from orchestrator_runner.executors.port import ExecutionLost, ExecutionRefused
from orchestrator_shared.domain.internal_hosts import InternalHosts
from orchestrator_shared.domain.statuses import ErrorKind, JobStatus


class TestHttp(ExecutorConformance):
    """Run at a service on a real port."""

    @pytest.fixture
    def harness(self, http: HttpHarness) -> HttpHarness:
        return http


async def test_the_requests_follow_the_component(http: HttpHarness) -> None:
    http.runs.states = ["running", "running", "ok"]
    outcome = await http.run()
    assert outcome.status is JobStatus.SUCCESS
    start, *polls = http.service.received
    assert (start.method, start.target) == ("POST", "/runs")
    assert start.headers["idempotency-key"] == f"{JOB}-1"
    assert start.headers["authorization"] == "Bearer t0ken-of-ours"
    assert start.headers["host"] == f"127.0.0.1:{http.service.port}"
    assert start.headers["content-type"] == "application/json"
    assert start.json["behaviour"] == "succeed"
    assert start.json["state"] is None
    assert [(poll.method, poll.target, poll.body) for poll in polls] == [("GET", "/runs/41", b"")] * 3
    assert http.pace.waits == [1.0, 5, 5]
    assert http.lines == [
        f"POST {http.service.url}/runs: answered 201 Status",
        "state running",
        "state ok",
    ]
    assert http.runs.cancelled == []


async def test_without_poll_the_answer_is_the_outcome(http: HttpHarness) -> None:
    alone = {"poll": None, "states": None, "id": None, "cancel": None}
    result = {"message": "text", "output_tables": "tables"}
    http.runs.starts = [
        Reply(200, {"text": "done", "tables": ["out.c-a.b"]}),
        Reply(422, {"text": "no such report: t0ken-of-ours"}),
        Reply(404, b"<h1>nothing here</h1>"),
        Reply(500, {"text": "oops"}),
        Reply(204, b""),
    ]
    outcomes = [await http.run(**alone, result={**result, "state": None}) for _ in range(4)]
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
    assert "not known whether the run was started" in outcomes[3].message
    plain = {"message": None, "output_tables": None, "state": None}
    assert (await http.run(**alone, result=plain)).status is JobStatus.SUCCESS
    assert len(http.service.received) == 5


async def test_a_start_whose_answer_is_lost_is_not_sent_again(http: HttpHarness) -> None:
    http.runs.starts = [Reply(cut=True)]
    outcome = await http.run()
    assert (outcome.status, outcome.error_kind) == (JobStatus.ERROR, ErrorKind.INTERNAL)
    assert "it is not known whether the run was started, so the start was not sent again" in outcome.message
    assert len(http.service.asked("POST")) == 1
    assert "the run's id is not known, so it cannot be cancelled" in http.lines[-1]


@pytest.mark.parametrize("safe", ["idempotent", "rerun"])
@pytest.mark.parametrize("loss", [Reply(cut=True), Reply(502, {}), Reply(hang=True)])
async def test_a_safe_start_is_sent_again_with_the_same_key(
    http: HttpHarness, safe: str, loss: Reply
) -> None:
    http.runs.starts = [loss, Reply(cut=True)]
    start = {"idempotent": safe == "idempotent", "timeout": 1, "give_up_after": 3600}
    outcome = await http.run(start=start, fields={"safe_to_rerun": safe == "rerun", "attempt": 3})
    assert outcome.status is JobStatus.SUCCESS
    keys = [request.headers["idempotency-key"] for request in http.service.asked("POST")]
    assert keys == [f"{JOB}-3"] * 3
    assert http.pace.waits[:2] == [2.0, 4.0]


async def test_a_start_that_never_left_is_tried_again(http: HttpHarness) -> None:
    await http.service.stop()
    run = asyncio.create_task(http.run(start={"give_up_after": 3600}))
    await http.log.wait_for("stderr", b"again in 4s")
    assert b"cannot connect to 127.0.0.1" in http.log.text("stderr")
    await http.service.start()
    assert (await run).status is JobStatus.SUCCESS
    assert len(http.service.asked("POST")) == 1


async def test_a_start_that_never_gets_through_is_given_up(http: HttpHarness) -> None:
    await http.service.stop()
    outcome = await http.run(start={"give_up_after": 20})
    await http.service.start()
    assert (outcome.status, outcome.error_kind) == (JobStatus.ERROR, ErrorKind.INTERNAL)
    assert outcome.message.startswith("gave up: start: cannot connect to 127.0.0.1")
    assert sum(http.pace.waits) <= 20


async def test_too_many_requests_are_waited_out(http: HttpHarness) -> None:
    http.runs.starts = [Reply(429, {}, {"Retry-After": "17"})]
    busy = [Reply(429, {}, {"Retry-After": "30"}), Reply(429, {}), Reply(503, {}, {"Retry-After": "40"})]
    http.runs.states = [*busy, Reply(503, {}, {"Retry-After": "999999999"}), "ok"]
    assert (await http.run(poll={"give_up_after": 3600})).status is JobStatus.SUCCESS
    assert http.pace.waits == [17.0, 1.0, 30.0, 0, 10.0, 0, 40.0, 0, 300.0, 0]
    assert len(http.service.asked("POST")) == 2


async def test_a_service_that_restarts_is_waited_for(http: HttpHarness) -> None:
    http.runs.states = ["running"]
    run = asyncio.create_task(http.run(poll={"give_up_after": 3600}))
    await http.log.wait_for("stderr", b"state running")
    await http.service.stop()
    await http.log.wait_for("stderr", b"again in 10s")
    http.runs.states = ["ok"]
    await http.service.start()
    assert (await run).status is JobStatus.SUCCESS
    assert len(http.service.asked("POST")) == 1


async def test_states_may_flap_and_be_numbers(http: HttpHarness) -> None:
    http.runs.states = ["running", "1", "running", "1", "ok"]
    assert (await http.run()).status is JobStatus.SUCCESS
    assert [line for line in http.lines if line.startswith("state")] == [
        "state running",
        "state 1",
        "state running",
        "state 1",
        "state ok",
    ]


async def test_refusals_are_not_asked_for_ever(http: HttpHarness) -> None:
    http.runs.states = [Reply(403, {"data": {"message": "go away"}})]
    outcome = await http.run()
    assert outcome.message.startswith("gave up: poll: answered 403")
    assert outcome.error_kind is ErrorKind.INTERNAL
    assert len(http.service.asked("GET")) == 5 + 1  # the last one looks whether the cancelled run ended
    assert http.runs.cancelled == ["41"]


async def test_many_runs_at_once(http: HttpHarness) -> None:
    outcomes = await asyncio.gather(*(http.run(fields={"job_id": uuid4()}) for _ in range(40)))
    assert {outcome.status for outcome in outcomes} == {JobStatus.SUCCESS}
    assert len({request.target for request in http.service.asked("GET")}) == 40


async def test_the_run_is_kept_before_anything_is_asked(http: HttpHarness) -> None:
    record = Kept(http.service)
    poll = {"url": f"{http.service.url}/runs/{{{{ start.data.id }}}}"}
    assert (await http.run(poll=poll, fields={"record": record})).status is JobStatus.SUCCESS
    kept = {"id": 41, "start": {"data": {"id": 41}}}
    assert (record.asked_before, record.handles) == ([1], [kept])
    again = await http.run(poll=poll, fields={"record": record, "handle": kept})
    assert again.status is JobStatus.SUCCESS
    assert len(http.service.asked("POST")) == 1


CALLED_BACK: dict[str, Any] = {"callback": {"state": "status"}, "poll": None}
NOTIFY = {"body": {"notify": "{{ callback_url }}"}}


async def test_a_start_that_may_be_sent_again_is_sent_again_by_the_next_runner(http: HttpHarness) -> None:
    url = "https://api.test/v1/callbacks/t0ken-for-them"
    record = Kept(http.service, url)
    fields = {"record": record}
    start = {**NOTIFY, "idempotent": True}
    record.reports.put_nowait({"status": "ok"})
    sections = {**CALLED_BACK, "start": start}
    assert (await http.run(**sections, fields=fields)).status is JobStatus.SUCCESS
    assert record.asked_before == [0, 1]

    # Its runner was lost before the answer: the next one has what was kept first, and the same address.
    lost = record.handles[0]
    assert callback_url_of(lost) == url
    http.service.received.clear()
    record.reports.put_nowait({"status": "ok"})
    again = await http.run(**sections, fields={**fields, "handle": lost})

    assert again.status is JobStatus.SUCCESS
    (sent,) = http.service.asked("POST")
    assert (sent.headers["idempotency-key"], sent.json) == (f"{JOB}-1", {"notify": url})
    assert "sending it again with the same key" in "".join(http.lines)
    with pytest.raises(ExecutionLost):  # the component's document has changed meanwhile
        await http.run(**CALLED_BACK, start=NOTIFY, fields={**fields, "handle": lost})


async def test_a_repeated_start_waits_until_the_first_one_is_answered(http: HttpHarness) -> None:
    http.runs.starts = [Reply(cut=True), Reply(409, {}), Reply(409, {}, {"Retry-After": "9"})]
    outcome = await http.run(start={"idempotent": True})
    assert outcome.status is JobStatus.SUCCESS
    assert http.pace.waits[:3] == [2.0, 4.0, 9.0]


async def test_a_run_named_by_its_start_is_found_without_an_id(http: HttpHarness) -> None:
    named = f"{http.service.url}/runs/{{{{ job_id }}}}-{{{{ attempt }}}}"
    answers = {"PUT": [Reply(cut=True), Reply(409, {})], "GET": [Reply(200, {"data": {"status": "ok"}})]}
    http.service.handle = lambda request: answers[request.method].pop(0)
    start = {"url": named, "method": "PUT", "expect": [201, 409], "idempotent": True}
    outcome = await http.run(start=start, id=None, poll={"url": named}, cancel={"url": named})
    assert outcome.status is JobStatus.SUCCESS
    assert {request.target for request in http.service.received} == {f"/runs/{JOB}-1"}


async def test_the_wait_for_a_report_goes_on_where_the_lost_runner_left_it(
    http: HttpHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_run, "LATE_CALLBACK_SECONDS", 0.2)
    record = Kept(http.service)
    handle = {"id": 41, "start": {}}
    fields = {"record": record, "handle": handle, "ran_seconds": 3600.0}
    sections = {**CALLED_BACK, "callback": {"state": "status", "give_up_after": "1h"}, "start": NOTIFY}
    late = await http.run(**sections, fields=fields)
    assert late.message == "gave up: no callback reported the end within 1h"
    monkeypatch.setattr(http_run, "LATE_CALLBACK_SECONDS", 3600.0)
    record.reports.put_nowait({"status": "ok"})
    assert (await http.run(**sections, fields=fields)).status is JobStatus.SUCCESS


async def test_no_run_is_begun_without_a_lease(http: HttpHarness) -> None:
    """A runner that was frozen between its claim and the start: another one may have begun the job anew."""
    client = HttpClient(internal=InternalHosts.parse("127.0.0.1"))
    async with HttpExecutor.open(client, owns=lambda: False) as executor:
        with pytest.raises(ExecutionRefused, match="lease"):
            await executor.run(http.execution(), http.log, asyncio.Event())
    assert not http.service.received
