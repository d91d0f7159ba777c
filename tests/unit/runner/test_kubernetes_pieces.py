"""The pure parts of the kubernetes executor."""

import base64
import gzip
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from pydantic import ValidationError
from tests.support.kubernetes.traces import Row, recorded
from tests.support.manifests.schemas import problems_of

from orchestrator_runner.executors.kubernetes.documents import Terms, job_document, secret_document
from orchestrator_runner.executors.kubernetes.follow_log import Position, parse_line
from orchestrator_runner.executors.kubernetes.place import Place
from orchestrator_runner.executors.kubernetes.report import Reports, read_message
from orchestrator_runner.executors.kubernetes.verdict import (
    Ended,
    Running,
    Starting,
    TimedOut,
    Vanished,
    judge,
)
from orchestrator_runner.executors.kubernetes.views import JobView, PodView, job_view, pod_view
from orchestrator_runner.executors.kubernetes.warnings import worst_warning
from orchestrator_runner.executors.port import Execution, LogMark
from orchestrator_shared.definitions.kubernetes_component import KubernetesComponent
from orchestrator_shared.domain.errors import UserError

IMAGE = "registry.example.com/team/loader@sha256:" + "a1" * 32
AT = datetime(2026, 11, 21, 8, 29, 35, 776547, UTC)


def execution(**fields: object) -> Execution:
    given = {"job_id": UUID(int=7), "attempt": 2, "argv": (), "environment": {}, "config": {}, **fields}
    return Execution(**given)  # type: ignore[arg-type]


def told(case: str) -> list[str]:
    """The verdicts of a recorded case, one after the other, without repetitions."""
    job: JobView | None = None
    pods: dict[str, PodView] = {}
    verdicts: list[str] = []
    for row in recorded(case):
        if row.resource == "jobs":
            job = job_view(row.object)
        elif row.resource == "pods":
            pod = pod_view(row.object, is_gone=row.type == "DELETED")
            pods[pod.uid] = pod
        if job is None:
            continue  # events of an earlier Job of this name
        now = judge(job, list(pods.values()))
        name = type(now).__name__ + (" late" if isinstance(now, Vanished) and now.is_late else "")
        if verdicts[-1:] != [name]:
            verdicts.append(name)
    return verdicts


@pytest.mark.parametrize(
    ("case", "verdicts"),
    [
        ("ok", ["Starting", "Running", "Ended"]),
        ("fail7", ["Starting", "Ended"]),
        ("oom", ["Starting", "Ended"]),
        ("deadline", ["Starting", "Running", "TimedOut"]),
        ("evicted-ignore", ["Starting", "Running", "Vanished"]),
        ("evicted-plain", ["Starting", "Running", "Vanished"]),
        ("poddeleted", ["Starting", "Running", "Vanished late"]),
        ("psa-denied", ["Starting", "TimedOut"]),
        ("noimage", ["Starting", "TimedOut"]),
        ("unschedulable", ["Starting"]),
    ],
)
def test_the_verdicts_of_a_recorded_case(case: str, verdicts: list[str]) -> None:
    assert told(case) == verdicts


def test_what_never_began_timed_out_without_having_begun() -> None:
    for case, has_begun in (("deadline", True), ("psa-denied", False), ("noimage", False)):
        rows = recorded(case)
        job = job_view(_last(rows, "jobs").object)
        pods = [pod_view(row.object) for row in rows if row.resource == "pods"][-1:]
        verdict = judge(job, pods)
        assert isinstance(verdict, TimedOut), case
        assert verdict.has_begun is has_begun, case


def test_a_pod_killed_by_its_own_deadline_timed_out() -> None:
    """Told by the recordings' table; no stream of it was kept."""
    data = dict(_last(recorded("fail7"), "pods").object)
    pod = pod_view({**data, "status": {**data["status"], "reason": "DeadlineExceeded"}})
    assert isinstance(judge(None, [pod]), TimedOut)


def test_a_node_that_runs_out_of_disk_evicts_without_a_container_state() -> None:
    pod = PodView("p", "u", "j", phase="Failed", reason="Evicted", message="The node was low on resource")
    verdict = judge(None, [pod])
    assert isinstance(verdict, Vanished)
    assert verdict.reason == "its pod failed: Evicted: The node was low on resource"


def test_an_end_that_is_good_counts_whatever_became_of_the_pod() -> None:
    data = _last(recorded("ok"), "pods").object
    pod = pod_view({**data, "metadata": {**data["metadata"], "deletionTimestamp": "now"}}, is_gone=True)
    assert isinstance(judge(None, [pod]), Ended)


def test_a_second_pod_does_not_hide_the_first() -> None:
    rows = recorded("evicted-ignore")
    pods = {row.object["metadata"]["uid"]: pod_view(row.object) for row in rows if row.resource == "pods"}
    assert len(pods) == 2
    assert isinstance(judge(job_view(_last(rows, "jobs").object), list(pods.values())), Vanished)


def test_a_running_pod_whose_job_is_gone_is_waited_for() -> None:
    assert isinstance(judge(None, [PodView("p", "u", "j", is_running=True)]), Running)
    assert judge(None, []) == Vanished("its Job was deleted")
    assert judge(JobView("j", "u", "", ""), []) == Starting(has_pod=False)


def _last(rows: Sequence[Row], resource: str) -> Row:
    return [row for row in rows if row.resource == resource][-1]


def test_the_pod_is_restricted_and_runs_once() -> None:
    section = KubernetesComponent.model_validate(
        {"image": IMAGE, "command": ["loader"], "resources": {"limits": {"cpu": 1}}, "user": 1000}
    )
    job = job_document(execution(timeout_seconds=90.5), section, Terms(10.0, 600))
    spec, pod = job["spec"], job["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert job["metadata"]["name"] == f"task-{UUID(int=7)}-2"
    assert (spec["backoffLimit"], pod["restartPolicy"]) == (0, "Never")
    assert pod["activeDeadlineSeconds"] == 91
    assert spec["activeDeadlineSeconds"] > 91 + section.start_timeout_seconds
    assert spec["ttlSecondsAfterFinished"] == 600
    assert "podFailurePolicy" not in spec
    assert container["terminationMessagePolicy"] == "FallbackToLogsOnError"
    assert container["command"] == ["orchestrator-task", "--", "loader"]
    assert container["resources"]["limits"] == {"cpu": "1"}
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"] == {
        "runAsNonRoot": True,
        "runAsUser": 1000,
        "runAsGroup": 1000,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
        "runAsNonRoot": True,
    }


def test_the_documents_are_valid() -> None:
    section = KubernetesComponent.model_validate(
        {
            "image": IMAGE,
            "command": ["loader"],
            "resources": {"requests": {"cpu": "250m", "example.com/gpu": 1}, "limits": {"memory": "1Gi"}},
            "node_selector": {"disktype": "ssd"},
            "tolerations": [{"key": "batch", "operator": "Exists", "effect": "NoSchedule"}],
            "service_account": "loader",
            "user": 1000,
        }
    )
    job = job_document(execution(timeout_seconds=90), section, Terms(10.0, 600))
    secret = secret_document(execution(), {"metadata": {"name": "n", "uid": "u"}}, callback_url=None)
    assert not problems_of(job)
    assert not problems_of(secret)
    job["spec"]["backofLimit"] = 0
    assert problems_of(job)


def test_a_task_chooses_a_profile_of_the_component() -> None:
    section = KubernetesComponent.model_validate(
        {
            "image": IMAGE,
            "resources": {"limits": {"memory": "512Mi"}},
            "service_account": "loader",
            "profiles": {
                "large": {"resources": {"limits": {"memory": "8Gi"}}, "node_selector": {"disktype": "ssd"}},
                "bare": {
                    "node_selector": {},
                    "tolerations": [{"operator": "Exists"}],
                    "service_account": "x",
                },
            },
            "profile_parameter": "size",
        }
    )
    pods = {}
    for name in (None, "large", "bare"):
        chosen = section.chosen_by({"profile": "bare", "size": name})
        job = job_document(execution(), chosen, Terms(10.0, 600))
        assert not problems_of(job)
        pods[name] = job["spec"]["template"]["spec"]
    limits = [pod["containers"][0]["resources"]["limits"]["memory"] for pod in pods.values()]
    assert limits == ["512Mi", "8Gi", "512Mi"]
    assert [pod.get("nodeSelector") for pod in pods.values()] == [None, {"disktype": "ssd"}, None]
    assert [pod["serviceAccountName"] for pod in pods.values()] == ["loader", "loader", "x"]
    assert [len(pod.get("tolerations", ())) for pod in pods.values()] == [0, 0, 1]


@pytest.mark.parametrize("name", ["huge", "", 3, ["large"], {"service_account": "admin"}])
def test_a_task_chooses_no_other_profile(name: object) -> None:
    section = KubernetesComponent.model_validate({"image": IMAGE, "profiles": {"large": {}, "small": {}}})
    message = "is not a profile of the component: choose one of large, small"
    with pytest.raises(UserError, match=message) as caught:
        section.chosen_by({"profile": name})
    assert caught.value.field == "parameters.profile"


def test_without_profiles_the_parameter_is_the_programs_own() -> None:
    section = KubernetesComponent.model_validate({"image": IMAGE})
    assert section.chosen_by({"profile": "anything"}) is section


def test_no_secret_is_in_the_job_and_the_runners_path_is_in_neither() -> None:
    given = execution(
        environment={"PATH": "/of/the/runner", "KEY": "s3cret-of-ours"}, config={"#k": "s3cret-of-ours"}
    )
    job = job_document(given, KubernetesComponent.model_validate({"image": IMAGE}), Terms(10.0, 600))
    assert "s3cret-of-ours" not in json.dumps(job)
    made = {"metadata": {"name": "n", "uid": "u"}}
    secret = secret_document(given, made, callback_url="https://api/v1/callbacks/t")
    content = json.loads(gzip.decompress(base64.b64decode(secret["data"]["input.json.gz"])))
    assert content == {
        "environment": {"KEY": "s3cret-of-ours"},
        "config": {"#k": "s3cret-of-ours"},
        "state": None,
        "report": "https://api/v1/callbacks/t",
    }
    assert secret["metadata"]["ownerReferences"][0]["uid"] == "u"


def test_a_termination_message_of_something_else_is_no_report() -> None:
    for text in ("", "boom\n", "[]", "{}", '{"orchestrator": 1}', '{"orchestrator": {"exit": "0"}}'):
        assert read_message(text) is None, text


def test_reports_ignore_what_is_no_part() -> None:
    reports = Reports()
    for body in (b"", b"[]", b"{}", b'{"pod": "p", "part": 2, "parts": 2, "data": ""}', b'{"pod": 1}'):
        reports.add(body)
    reports.add(b'{"pod": "p", "part": 0, "parts": 1, "data": "bm90IGpzb24="}')
    assert reports.of("p") is None
    assert reports.any_success() is None


def test_lines_have_the_time_of_the_cluster() -> None:
    assert parse_line(b"2026-11-21T08:29:35.776547622Z a b\n") == (AT, b"a b\n")
    assert parse_line(b"2026-11-21T08:29:35Z \n") == (AT.replace(microsecond=0), b"\n")
    assert parse_line(b"2026-11-21T08:29:35.776547622Z unfinished") == (AT, b"unfinished\n")
    assert parse_line(b"failed to get the log\n") is None


def test_lines_of_the_same_instant_are_told_apart_by_their_number() -> None:
    position = Position()
    position.begin()
    assert [position.is_new(AT, b"same\n") for _ in range(3)] == [True] * 3
    assert position.since == "2026-11-21T08:29:34Z"
    position.begin()
    assert [position.is_new(AT, b"same\n") for _ in range(5)] == [False] * 3 + [True] * 2


def test_a_line_out_of_order_is_neither_lost_nor_repeated() -> None:
    early, late = AT, AT + timedelta(milliseconds=40)
    position = Position()
    position.begin()
    assert position.is_new(late, b"of stderr\n")
    assert position.is_new(early, b"of stdout\n")
    position.begin()
    assert not position.is_new(late, b"of stderr\n")
    assert not position.is_new(early, b"of stdout\n")
    assert position.is_new(late, b"and more\n")


def test_a_successor_skips_what_is_stored() -> None:
    position = Position(LogMark(AT, 2))
    assert position.since == "2026-11-21T08:29:35Z"
    position.begin()
    before = AT - timedelta(microseconds=1)
    lines = [(before, b"1"), (AT, b"2"), (AT, b"3"), (AT + timedelta(seconds=1), b"4")]
    assert [position.is_new(*line) for line in lines] == [False, False, False, True]


def test_a_successor_never_asks_for_what_lies_before_its_beginning() -> None:
    """Those lines were not shown to it, so it would take them for new ones."""
    position = Position(LogMark(AT, 1))
    position.begin()
    assert not position.is_new(AT, b"stored")
    assert position.is_new(AT + timedelta(milliseconds=300), b"new")
    assert position.since == "2026-11-21T08:29:35Z"


def test_only_what_lies_in_the_last_seconds_is_remembered() -> None:
    position = Position()
    position.begin()
    for number in range(10_000):
        position.is_new(AT + timedelta(seconds=number), b"x")
    assert len(position._recent) < 10
    assert len(position._known) < 10


def test_the_latest_warning_in_the_clusters_words() -> None:
    events = [dict(row.object) for row in recorded("psa-denied") if row.resource == "events"]
    assert worst_warning(events).startswith('FailedCreate: Error creating: pods "psa-denied-')
    harmless = {"type": "Warning", "reason": "MissingClusterDNS", "message": "m", "lastTimestamp": "9"}
    assert worst_warning([harmless]) == ""


def test_the_own_cluster_is_found_by_its_variables(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "fd00::1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "6443")
    token = tmp_path / "token"
    place = Place.of("tasks", None, token, None)
    assert str(place.address("/api")) == "https://[fd00::1]:6443/api"
    for text in ("first\n", "second\n"):
        token.write_text(text)
        assert place.authorization() == (("Authorization", f"Bearer {text.strip()}"),)


def test_volumes_are_claims_of_the_namespace_and_read_only_unless_said_otherwise() -> None:
    volumes = [
        {"claim": "files", "path": "/files/in"},
        {"claim": "files", "path": "/files/out", "read_only": False},
        {"claim": "models", "path": "/models"},
    ]
    section = KubernetesComponent.model_validate({"image": IMAGE, "volumes": volumes})

    pod = job_document(execution(), section, Terms(grace_seconds=1, keep_seconds=1))["spec"]["template"][
        "spec"
    ]

    assert pod["volumes"][-2:] == [
        {"name": "claim-0", "persistentVolumeClaim": {"claimName": "files", "readOnly": False}},
        {"name": "claim-1", "persistentVolumeClaim": {"claimName": "models", "readOnly": True}},
    ]
    assert pod["containers"][0]["volumeMounts"][-3:] == [
        {"name": "claim-0", "mountPath": "/files/in", "readOnly": True},
        {"name": "claim-0", "mountPath": "/files/out", "readOnly": False},
        {"name": "claim-1", "mountPath": "/models", "readOnly": True},
    ]


@pytest.mark.parametrize(
    "path", ["", "files", "/", "/files/", "/files/../etc", "/tmp/x", "/orchestrator/data", "//a"]
)
def test_a_volume_hides_nothing_of_the_task(path: str) -> None:
    with pytest.raises(ValidationError, match=r"expected an absolute path|used by the task itself"):
        KubernetesComponent.model_validate({"image": IMAGE, "volumes": [{"claim": "c", "path": path}]})


def test_two_volumes_cannot_have_one_path() -> None:
    twice = [{"claim": "a", "path": "/files"}, {"claim": "b", "path": "/files"}]
    with pytest.raises(ValidationError, match="two volumes have the same path"):
        KubernetesComponent.model_validate({"image": IMAGE, "volumes": twice})
