"""What a real cluster was recorded to do in each case, and what the executor makes of it."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import pytest
from tests.support.kubernetes.pods import Replay
from tests.support.kubernetes.store import Store
from tests.support.kubernetes.traces import RECORDED, Row
from tests.support.kubernetes_harness import NAME, Kept, KubernetesHarness

from orchestrator_runner.executors.kubernetes.attempt import PodLost
from orchestrator_runner.executors.port import Outcome
from orchestrator_shared.domain.statuses import ErrorKind, JobStatus

REPORTED = json.dumps(
    {"orchestrator": {"exit": 0, "line": "", "whole": True, "result": '{"message": "two lines"}'}}
)
LATE_START: Mapping[str, Any] = {"handle": {"uid": None, "callback_url": None}, "ran_seconds": 599.8}
"""An attempt whose time to start is nearly over."""


def replay(kubernetes: KubernetesHarness, case: str, **options: Any) -> None:
    """The next Jobs do what this recording tells."""

    def make(store: Store, job: Mapping[str, Any]) -> Replay:
        return Replay(store, job, case, **options)

    kubernetes.api.make_pod = make


def recorded_lines() -> tuple[tuple[str, bytes], ...]:
    lines = (RECORDED / "log.timestamps.txt").read_text().splitlines()
    return tuple((line.split(" ")[0], line.split(" ")[1].encode() + b"\n") for line in lines)


def internal_error(outcome: Outcome) -> str:
    assert (outcome.status, outcome.error_kind) == (JobStatus.ERROR, ErrorKind.INTERNAL)
    return outcome.message


async def test_success(kubernetes: KubernetesHarness) -> None:
    replay(kubernetes, "ok", message=REPORTED, lines=recorded_lines())
    outcome = await kubernetes.run()
    assert (outcome.status, outcome.message) == (JobStatus.SUCCESS, "two lines")
    stdout = [(at.isoformat(), data) for stream, at, data in kubernetes.log.parts if stream == "stdout"]
    assert stdout == [
        ("2026-11-21T08:29:35.776547+00:00", b"a\n"),
        ("2026-11-21T08:29:36.782740+00:00", b"b\n"),
    ]
    assert kubernetes.api.store.get("secrets", NAME) is None
    assert kubernetes.api.store.get("jobs", NAME) is not None, "it stays to be looked at"


async def test_exit_7_of_a_pod_that_never_showed_running(kubernetes: KubernetesHarness) -> None:
    replay(kubernetes, "fail7")
    assert internal_error(await kubernetes.run()) == "exited with 7: boom"


async def test_out_of_memory(kubernetes: KubernetesHarness) -> None:
    replay(kubernetes, "oom")
    message = internal_error(await kubernetes.run())
    assert message == "exited with 137 (SIGKILL): ran out of memory (OOMKilled)"


async def test_the_jobs_own_deadline_deletes_the_pod(kubernetes: KubernetesHarness) -> None:
    replay(kubernetes, "deadline")
    outcome = await kubernetes.run(timeout_seconds=30)
    assert (outcome.status, outcome.error_kind) == (JobStatus.ERROR, ErrorKind.USER)
    assert outcome.message == "timed out after 30s"


async def test_the_pods_deadline_keeps_the_pod(kubernetes: KubernetesHarness) -> None:
    """Of this case the table tells, and no stream was kept: reason DeadlineExceeded, the log is readable."""

    class KilledByDeadline(Replay):
        def tell(self, row: Row, **container: Any) -> None:
            if row.resource == "pods" and "terminated" in row.container:
                status = {**row.object["status"], "reason": "DeadlineExceeded"}
                row = Row(row.resource, row.type, {**row.object, "status": status})
            super().tell(row, **container)

    def make(store: Store, job: Mapping[str, Any]) -> Replay:
        return KilledByDeadline(store, job, "fail7", lines=recorded_lines())

    kubernetes.api.make_pod = make
    outcome = await kubernetes.run(timeout_seconds=30)
    assert outcome.message == "timed out after 30s"
    assert kubernetes.log.text("stdout") == b"a\nb\n"


async def test_eviction_with_a_rule_does_not_run_the_task_a_second_time(
    kubernetes: KubernetesHarness,
) -> None:
    """Someone's webhook added `Ignore: DisruptionTarget`: a second pod was recorded. It is not waited for."""
    evicted = asyncio.Event()

    def second_pod(row: Row) -> bool:
        return row.resource == "pods" and row.type == "ADDED" and evicted.is_set()

    def until(row: Row) -> bool:
        if row.type == "DELETED":
            evicted.set()
        return second_pod(row)

    replay(kubernetes, "evicted-ignore", until=until)
    with pytest.raises(PodLost, match="removed from its node: EvictionByEvictionAPI: Eviction API: evicting"):
        await kubernetes.run()
    assert kubernetes.api.store.get("jobs", NAME) is None
    assert not kubernetes.api.store.find("pods", lambda _: True)


async def test_eviction_without_a_rule(kubernetes: KubernetesHarness) -> None:
    replay(kubernetes, "evicted-plain")
    with pytest.raises(PodLost, match="Eviction API: evicting"):
        await kubernetes.run()


async def test_a_pod_deleted_by_hand(kubernetes: KubernetesHarness) -> None:
    replay(kubernetes, "poddeleted")
    with pytest.raises(PodLost, match=r"its pod was deleted \(exit code 143\)"):
        await kubernetes.run()


async def test_a_pod_that_pod_security_denies(kubernetes: KubernetesHarness) -> None:
    replay(kubernetes, "psa-denied", until=lambda row: row.object.get("reason") == "FailedCreate")
    message = internal_error(await kubernetes.run(**LATE_START))
    assert message.startswith("did not start within 10m: FailedCreate: Error creating: pods ")
    assert 'violates PodSecurity "restricted:latest": runAsNonRoot != true' in message


async def test_a_pod_that_pod_security_denies_until_the_deadline(kubernetes: KubernetesHarness) -> None:
    replay(kubernetes, "psa-denied")
    message = internal_error(await kubernetes.run())
    assert message.startswith("did not start before its deadline")
    assert "violates PodSecurity" in message


async def test_a_missing_image(kubernetes: KubernetesHarness) -> None:
    replay(kubernetes, "noimage", until=lambda row: "ErrImageNeverPull" in str(row.container))
    message = internal_error(await kubernetes.run(**LATE_START))
    assert message == (
        'did not start within 10m: ErrImageNeverPull: Container image "docker.io/local/absent:1" is not '
        "present with pull policy of Never"
    )
    assert kubernetes.lines[1].startswith("not started yet: ErrImageNeverPull: Container image")


async def test_a_missing_image_until_the_deadline(kubernetes: KubernetesHarness) -> None:
    replay(kubernetes, "noimage")
    assert internal_error(await kubernetes.run()).startswith("did not start before its deadline")


async def test_an_unschedulable_pod(kubernetes: KubernetesHarness) -> None:
    replay(kubernetes, "unschedulable")
    message = internal_error(await kubernetes.run(**LATE_START))
    assert message.startswith(
        "did not start within 10m: Unschedulable: 0/1 nodes are available: 1 Insufficient cpu."
    )
    assert kubernetes.api.store.get("jobs", NAME) is None


async def test_a_job_that_is_there_already_is_adopted(kubernetes: KubernetesHarness) -> None:
    """The answer to its creation was lost: the next try is answered 409."""
    replay(kubernetes, "ok", message=REPORTED)
    kubernetes.api.refusals["create", "jobs"] = [None]
    record = Kept()
    assert (await kubernetes.run(record=record)).status is JobStatus.SUCCESS
    assert kubernetes.api.count("create", "jobs") == 2
    assert kubernetes.api.count("get", "jobs") == 1
    uid = record.handles[-1]["uid"]
    assert [handle["uid"] for handle in record.handles] == [None, uid]


async def test_a_log_that_is_gone(kubernetes: KubernetesHarness) -> None:
    class WithoutLog(Replay):
        def tell(self, row: Row, **container: Any) -> None:
            super().tell(row, **container)
            self.logs.clear()

    def make(store: Store, job: Mapping[str, Any]) -> Replay:
        return WithoutLog(store, job, "ok", message=REPORTED)

    kubernetes.api.make_pod = make
    assert (await kubernetes.run()).status is JobStatus.SUCCESS
    assert kubernetes.lines[-1] == (
        f'the end of the log could not be read: the pod is gone: pods "{NAME}-p6lds" not found'
    )
