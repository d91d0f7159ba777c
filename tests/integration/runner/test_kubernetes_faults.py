"""The kubernetes executor while the API, the runner, the pod or the namespace goes away."""

import asyncio
import base64
import gzip
import json
import random
from collections.abc import Collection, Mapping
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.support.certificates import Authority
from tests.support.executor_conformance import BOUND, Behaviour, RecordingLog
from tests.support.http_service import Received, Reply, http_service
from tests.support.kubernetes.api import NAMESPACE, TOKEN, KubernetesApi
from tests.support.kubernetes.pods import Replay, Running
from tests.support.kubernetes.store import Store
from tests.support.kubernetes.traces import answer
from tests.support.kubernetes_harness import JOB, NAME, Kept, KubernetesHarness
from tests.support.waiting import eventually

from orchestrator_runner.executors.kubernetes.attempt import PodLost
from orchestrator_runner.executors.kubernetes.client import PODS, KubernetesClient, Refused
from orchestrator_runner.executors.kubernetes.executor import KubernetesExecutor
from orchestrator_runner.executors.kubernetes.place import Place
from orchestrator_runner.executors.kubernetes.verbs import VERBS
from orchestrator_runner.executors.port import (
    AttemptId,
    Execution,
    ExecutionLeft,
    ExecutionLost,
    LogMark,
    Outcome,
)
from orchestrator_shared.domain.statuses import JobStatus
from orchestrator_shared.http_transport.answers import NoAnswer

LINES = {"behaviour": "lines", "count": 30, "pause": 0.005}
ALL_LINES = "".join(f"line {number}\n" for number in range(30)).encode()


def lines_of(execution: dict[str, Any]) -> dict[str, Any]:
    return {**execution, "config": {"parameters": LINES}}


async def hanging(kubernetes: KubernetesHarness, **fields: Any) -> "asyncio.Task[Outcome]":
    """An attempt whose program runs until it is released."""
    run = asyncio.create_task(kubernetes.run(behaviour=Behaviour.HANG, **fields))
    await kubernetes.log.wait_for("stdout", b"hanging")
    return run


class Dying:
    """A runner that ends at once and cleans nothing up: only its requests and its record remain."""

    def __init__(self, executor: KubernetesExecutor, execution: Execution, log: RecordingLog) -> None:
        self.attempt = executor._attempt(execution, None, log)
        self.work = asyncio.create_task(self.attempt.work())

    async def dies(self) -> None:
        self.work.cancel()
        await asyncio.wait({self.work})
        await self.attempt._log.close()


async def test_the_api_server_is_killed_during_the_watch(kubernetes: KubernetesHarness) -> None:
    run = await hanging(kubernetes)
    await kubernetes.api.stop()
    kubernetes.release()
    pod = kubernetes.api.pod_of(NAME)
    await eventually(lambda: pod.log.is_ended)
    await kubernetes.api.start()
    assert (await run).status is JobStatus.SUCCESS
    assert kubernetes.log.text("stdout") == b"hanging\n"
    assert kubernetes.api.count("list", "jobs") == 1, "it continued where the watch was cut"


async def test_a_watch_that_is_too_old_begins_anew(kubernetes: KubernetesHarness) -> None:
    """410: what happened meanwhile is learned from a list."""
    run = await hanging(kubernetes)
    await kubernetes.api.stop()
    kubernetes.release()
    await eventually(lambda: kubernetes.api.pod_of(NAME).log.is_ended)
    await asyncio.sleep(0)
    kubernetes.api.store.forget_history()
    await kubernetes.api.start()
    assert (await run).status is JobStatus.SUCCESS
    await eventually(lambda: kubernetes.api.count("list", "jobs") == 2)
    await eventually(lambda: kubernetes.api.count("list", "pods") == 2)


async def test_an_expired_version_is_told_as_recorded(kubernetes: KubernetesHarness) -> None:
    kubernetes.api.store.forget_history()
    client = kubernetes.executor._client
    async with aclosing(client.watch(PODS, "1")) as changes:
        with pytest.raises(Refused) as refused:
            await anext(changes)
    assert refused.value.is_expired
    assert str(refused.value) == answer("watch.410.jsonl")["object"]["message"]


async def test_a_pod_that_went_while_nobody_watched(kubernetes: KubernetesHarness) -> None:
    """Neither its end nor its deletion was told: only the list lacks it."""
    run = await hanging(kubernetes)
    await kubernetes.api.stop()
    kubernetes.api.delete_pod(NAME)
    await eventually(lambda: kubernetes.api.pod_of(NAME).ended.is_set())
    kubernetes.api.store.forget_history()
    await kubernetes.api.start()
    with pytest.raises(PodLost, match=r"its pod (is gone|was deleted)"):
        await run


async def test_a_pod_deleted_under_way_has_its_last_words_in_the_log(kubernetes: KubernetesHarness) -> None:
    run = await hanging(kubernetes)
    kubernetes.api.delete_pod(NAME, evicted=True)
    with pytest.raises(PodLost, match="Eviction API: evicting"):
        await run


@pytest.mark.parametrize("point", ["before create", "after create", "before secret", "after secret"])
async def test_a_runner_dies_while_it_creates(kubernetes: KubernetesHarness, point: str) -> None:
    when, resource = point.split(" ")
    reached, never = asyncio.Event(), asyncio.Event()

    async def hold(verb: str, asked: str) -> None:
        wanted = "secrets" if resource == "secret" else "jobs"
        if (verb, asked) == ("create", wanted) and not reached.is_set():
            reached.set()
            await never.wait()

    setattr(kubernetes.api, when, hold)
    record = Kept()
    execution = kubernetes.execution(**lines_of({"record": record}))
    dying = Dying(kubernetes.executor, execution, kubernetes.log)
    await asyncio.wait_for(reached.wait(), BOUND)
    await dying.dies()
    kubernetes.api.kill_connections()
    async with kubernetes.successor() as executor:
        outcome = await kubernetes.run(
            **lines_of({"record": record}), handle=record.handles[-1], executor=executor
        )
    assert outcome.status is JobStatus.SUCCESS
    assert kubernetes.log.text("stdout") == ALL_LINES
    assert list(kubernetes.api.pods) == [NAME]


async def test_a_runner_dies_before_its_handle_has_the_job(kubernetes: KubernetesHarness) -> None:
    record = Kept()
    execution = kubernetes.execution(Behaviour.HANG, record=record)
    dying = Dying(kubernetes.executor, execution, kubernetes.log)
    await asyncio.wait_for(dying.attempt.kept.wait(), BOUND)
    await kubernetes.log.wait_for("stdout", b"hanging")
    await dying.dies()
    kubernetes.release()
    async with kubernetes.successor() as executor:
        outcome = await kubernetes.run(
            behaviour=Behaviour.HANG, record=record, handle=record.handles[0], executor=executor
        )
    assert outcome.status is JobStatus.SUCCESS
    assert list(kubernetes.api.pods) == [NAME]


async def test_a_runner_dies_after_the_pod_has_started(kubernetes: KubernetesHarness) -> None:
    """The next one takes the log up where it is stored: no line is missing, and none is there twice."""
    record = Kept()
    execution = kubernetes.execution(**lines_of({"record": record}))
    dying = Dying(kubernetes.executor, execution, kubernetes.log)
    await kubernetes.log.wait_for("stdout", b"line 7\n")
    await dying.dies()
    stored = [part for part in kubernetes.log.parts if part[0] == "stdout"]
    mark = LogMark(stored[-3][1], 3)  # as if the last three lines were stored as one part
    heir = Kept(mark=mark)
    async with kubernetes.successor() as executor:
        outcome = await kubernetes.run(
            **lines_of({"record": heir}), handle=record.handles[-1], executor=executor
        )
    assert outcome.status is JobStatus.SUCCESS
    assert kubernetes.log.text("stdout") == ALL_LINES


async def test_a_runner_dies_before_its_result_is_written(kubernetes: KubernetesHarness) -> None:
    """All of it had ended, and the Secret was still there: the next one comes to the same result."""
    record = Kept()
    execution = kubernetes.execution(Behaviour.REPORT, record=record)
    dying = Dying(kubernetes.executor, execution, kubernetes.log)
    first = await asyncio.wait_for(dying.work, BOUND)
    async with kubernetes.successor() as executor:
        again = await kubernetes.run(
            behaviour=Behaviour.REPORT, record=record, handle=record.handles[-1], executor=executor
        )
    assert again == first
    assert again.message == "3 rows"
    assert list(kubernetes.api.pods) == [NAME]


async def test_two_runners_adopt_at_once(kubernetes: KubernetesHarness) -> None:
    """The one whose writes are fenced leaves the Job to the other."""

    class Fenced(RecordingLog):
        async def write(self, stream: Any, at: datetime, data: bytes) -> None:
            raise ExecutionLost("the job has a new owner")

    record = Kept()
    execution = kubernetes.execution(Behaviour.HANG, record=record)
    dying = Dying(kubernetes.executor, execution, kubernetes.log)
    await kubernetes.log.wait_for("stdout", b"hanging")
    await dying.dies()
    adopting: dict[str, Any] = {"behaviour": Behaviour.HANG, "record": record, "handle": record.handles[-1]}
    async with kubernetes.successor() as loser, kubernetes.successor() as winner:
        won = asyncio.create_task(kubernetes.run(**adopting, executor=winner))
        with pytest.raises(ExecutionLeft):
            await kubernetes.run(**adopting, executor=loser, log=Fenced())
        assert kubernetes.api.store.get("jobs", NAME) is not None
        kubernetes.release()
        assert (await won).status is JobStatus.SUCCESS


async def test_the_namespace_is_deleted(kubernetes: KubernetesHarness) -> None:
    run = await hanging(kubernetes)
    kubernetes.api.delete_namespace()
    with pytest.raises(PodLost):
        await run
    outcome = await kubernetes.run(attempt=2)
    assert outcome.message == 'the cluster refused the Job (404): namespaces "tasks" not found'


async def test_the_log_is_resumed_where_it_was_cut(kubernetes: KubernetesHarness) -> None:
    kubernetes.api.cut_logs_after = [1, 4, 9, 2]
    outcome = await kubernetes.run(**lines_of({}))
    assert outcome.status is JobStatus.SUCCESS
    assert kubernetes.log.text("stdout") == ALL_LINES
    assert kubernetes.api.count("get", "pods/log") >= 5


async def test_a_token_that_was_replaced_is_read_again(kubernetes: KubernetesHarness) -> None:
    run = await hanging(kubernetes)
    kubernetes.api.tokens = {"the-next-one"}
    kubernetes.token_file.write_text("the-next-one")
    kubernetes.api.kill_connections()
    kubernetes.release()
    assert (await run).status is JobStatus.SUCCESS


async def test_only_the_clusters_own_authority_is_trusted(tmp_path: Path) -> None:
    own, other = (Authority(tmp_path, name) for name in ("own", "other"))
    token = tmp_path / "token"
    token.write_text(TOKEN)
    cluster = KubernetesApi()
    await cluster.start(own.serving("localhost"))
    try:
        url = cluster.url.replace("http://127.0.0.1", "https://localhost")
        client = KubernetesClient(Place(NAMESPACE, url, token, own.file))
        assert (await client.list(PODS))[0] == []
        with pytest.raises(NoAnswer, match="certificate verify failed"):
            await KubernetesClient(Place(NAMESPACE, url, token, other.file)).list(PODS)
    finally:
        await cluster.close()


async def test_the_result_is_reported_in_parts_to_the_attempts_address(kubernetes: KubernetesHarness) -> None:
    filling = base64.b64encode(bytes(range(256)) * 1200).decode()
    parameters = {"filling": filling}

    def take(request: Received) -> Reply:
        record.reports.put_nowait(request.body)
        return Reply(200, {"accepted": True})

    async with http_service(take) as service:
        record = Kept(f"{service.url}/v1/callbacks/token-of-attempt-1")
        outcome = await kubernetes.run(
            behaviour=Behaviour.COUNT_RUNS, config={"parameters": parameters}, record=record
        )
        parts = [json.loads(request.body) for request in service.received]
    assert outcome.state == {"runs": 1, "filling": filling}
    assert len(parts) == parts[0]["parts"] > 1
    message = next(iter(kubernetes.api.store.find("pods", lambda _: True)))
    assert filling[:50] not in json.dumps(message), "what the api took is not in the pod's status"


async def test_a_report_that_is_refused_arrives_with_the_pod_if_it_is_short(
    kubernetes: KubernetesHarness,
) -> None:
    """404: the address is no longer valid, as for a late pod of an attempt that is over."""
    async with http_service(lambda _: Reply(404, {})) as service:
        record = Kept(f"{service.url}/v1/callbacks/x")
        outcome = await kubernetes.run(behaviour=Behaviour.REPORT, record=record)
        assert outcome.message == "3 rows"
        assert len(service.received) == 1
        parameters = {"filling": "x" * 5000}
        long = await kubernetes.run(
            behaviour=Behaviour.COUNT_RUNS, config={"parameters": parameters}, record=record, attempt=2
        )
    assert "set ORCHESTRATOR_API_URL on the runner to an address that pods reach" in long.message


async def test_the_report_of_another_pod_does_not_count(kubernetes: KubernetesHarness) -> None:
    """A cluster may start a pod twice in rare cases: what counts is what the pod that ended well reported."""
    short = json.dumps({"orchestrator": {"exit": 0, "line": "", "reported": True}})
    report = {"exit": 0, "line": "", "result": '{"message": "of the other one"}'}
    data = base64.b64encode(json.dumps(report).encode()).decode()
    own = base64.b64encode(json.dumps({**report, "result": '{"message": "its own"}'}).encode()).decode()
    record = Kept()
    record.url = "http://127.0.0.1:9/v1/callbacks/x"
    for pod, text in (("task-other", data), (f"{NAME}-p6lds", own)):
        record.reports.put_nowait(json.dumps({"pod": pod, "part": 0, "parts": 1, "data": text}).encode())

    def make(store: Store, job: Mapping[str, Any]) -> Replay:
        return Replay(store, job, "ok", message=short)

    kubernetes.api.make_pod = make
    assert (await kubernetes.run(record=record)).message == "its own"


async def test_jobs_of_attempts_that_are_over_are_deleted(kubernetes: KubernetesHarness) -> None:
    record = Kept()
    dying = Dying(kubernetes.executor, kubernetes.execution(Behaviour.HANG, record=record), kubernetes.log)
    await kubernetes.log.wait_for("stdout", b"hanging")
    await dying.dies()
    asked: list[AttemptId] = []

    async def none_of_them(attempts: Collection[AttemptId]) -> Collection[AttemptId]:
        asked.extend(attempts)
        return ()

    async with kubernetes.successor() as executor:
        await executor.reconcile(none_of_them)
        await eventually(lambda: kubernetes.api.store.get("jobs", NAME) is None)
    assert asked == [(JOB, 1)]
    await eventually(lambda: kubernetes.api.pod_of(NAME).ended.is_set())


async def test_the_cluster_is_away_when_a_job_is_to_be_created(kubernetes: KubernetesHarness) -> None:
    await kubernetes.api.stop()
    run = asyncio.create_task(kubernetes.run())
    await kubernetes.log.wait_for("stderr", b"again in")
    await kubernetes.api.start()
    assert (await run).status is JobStatus.SUCCESS
    assert "the cluster does not answer: cannot connect to 127.0.0.1" in kubernetes.lines[0]


async def test_an_image_that_nobody_allowed_starts_nothing(kubernetes: KubernetesHarness) -> None:
    image = "registry.example.com/other@sha256:" + "b2" * 32
    outcome = await kubernetes.run(section={"image": image})
    assert "an administrator can add it to ORCHESTRATOR_ALLOWED_IMAGES" in outcome.message
    assert kubernetes.api.count("create", "jobs") == 0


async def test_more_than_a_secret_can_hold_starts_nothing(kubernetes: KubernetesHarness) -> None:
    noise = random.Random(1).randbytes(1_500_000).hex()
    outcome = await kubernetes.run(config={"parameters": {"noise": noise}})
    assert "larger than a Kubernetes Secret can hold" in outcome.message
    assert kubernetes.api.count("create", "jobs") == 0


async def test_every_verb_is_used_and_no_other(kubernetes: KubernetesHarness) -> None:
    kubernetes.api.refusals["create", "jobs"] = [None]
    assert (await kubernetes.run()).status is JobStatus.SUCCESS

    def make(store: Store, job: Mapping[str, Any]) -> Replay:
        return Replay(store, job, "psa-denied")

    kubernetes.api.make_pod = make
    assert (await kubernetes.run(attempt=2)).status is JobStatus.ERROR
    used = {(resource, verb) for verb, resource, _ in kubernetes.api.asked}
    assert used == {(resource, verb) for (_, resource), verbs in VERBS.items() for verb in verbs}


async def test_a_job_that_could_not_be_deleted_is_deleted_later(kubernetes: KubernetesHarness) -> None:
    stop = asyncio.Event()
    kubernetes.executor._settings = replace(kubernetes.executor._settings, grace_seconds=-4.7)
    run = await hanging(kubernetes, stop=stop)
    await kubernetes.api.stop()
    stop.set()
    assert (await run).status is JobStatus.TERMINATED
    assert kubernetes.lines[-1] == f"the Job {NAME} may still be running: no time left"
    await kubernetes.api.start()
    await eventually(lambda: kubernetes.api.store.get("jobs", NAME) is None)


async def test_the_token_of_the_first_runner_is_the_one_that_the_program_has(
    kubernetes: KubernetesHarness,
) -> None:
    """A successor has signed another one; what it repeats is the first."""
    environment = {"ORCHESTRATOR_TOKEN": "of-the-second"}
    handle = {"uid": None, "callback_url": None, "token": "of-the-first"}
    seen: list[Any] = []

    async def look(verb: str, resource: str) -> None:
        if (verb, resource) == ("create", "secrets"):
            (secret,) = kubernetes.api.store.find("secrets", lambda _: True)
            seen.append(json.loads(gzip.decompress(base64.b64decode(secret["data"]["input.json.gz"]))))

    kubernetes.api.after = look
    record = Kept()
    await kubernetes.run(environment=environment, handle=handle, record=record)
    assert seen[0]["environment"]["ORCHESTRATOR_TOKEN"] == "of-the-first"
    assert record.handles[-1]["token"] == "of-the-first"


async def test_ends_with_its_last_lines_when_it_is_stopped(kubernetes: KubernetesHarness) -> None:
    stop = asyncio.Event()
    run = await hanging(kubernetes, stop=stop)
    stop.set()
    assert (await run).status is JobStatus.TERMINATED
    pod = kubernetes.api.pod_of(NAME)
    assert isinstance(pod, Running)
    assert pod.process is not None
    assert pod.process.returncode is not None
    assert kubernetes.api.store.get("jobs", NAME) is None
    assert kubernetes.log.parts[-1][1] <= datetime.now(UTC)
