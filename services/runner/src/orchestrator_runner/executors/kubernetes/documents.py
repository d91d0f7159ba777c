"""The documents of one attempt: its Job, and the Secret with what the program is given."""

import base64
import gzip
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator_runner.executors.kubernetes.views import (
    ATTEMPT_LABEL,
    CONTAINER,
    JOB_LABEL,
    MANAGED_BY,
    NAME_LABEL,
)
from orchestrator_runner.executors.port import Execution
from orchestrator_shared.definitions.kubernetes_component import KubernetesComponent
from orchestrator_shared.domain.errors import UserError

WRAPPER = "orchestrator-task"
INPUT_FOLDER = "/orchestrator/input"
INPUT_FILE = "input.json.gz"
DATA_FOLDER = "/orchestrator/data"
MAX_SECRET_BYTES = 1024 * 1024 - 16 * 1024
"""A Secret may have 1 MiB in all."""
NET_SECONDS = 120
"""The Job's own deadline comes this much later than the pod's could: it loses the exit code and the log."""
_RUNNERS_OWN = frozenset({"PATH"})
"""Variables of the runner's own file system."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What this installation sets for all Jobs."""

    grace_seconds: float
    keep_seconds: int
    """How long an ended Job stays to be looked at."""


def job_name(execution: Execution) -> str:
    """The same for every try of this attempt, so that it is created once."""
    return f"task-{execution.job_id}-{execution.attempt}"


def labels_of(execution: Execution) -> dict[str, str]:
    """How the Job and its pod are found."""
    return {
        MANAGED_BY[0]: MANAGED_BY[1],
        JOB_LABEL: str(execution.job_id),
        ATTEMPT_LABEL: str(execution.attempt),
        NAME_LABEL: job_name(execution),
    }


def job_document(execution: Execution, section: KubernetesComponent, terms: Terms) -> dict[str, Any]:
    """A Job that runs the program at most once."""
    spec: dict[str, Any] = {
        "backoffLimit": 0,
        "completions": 1,
        "parallelism": 1,
        "ttlSecondsAfterFinished": terms.keep_seconds,
        "template": {
            "metadata": {"labels": labels_of(execution)},
            "spec": _pod(execution, section, terms),
        },
    }
    if execution.timeout_seconds is not None:
        longest = section.start_timeout_seconds + execution.timeout_seconds + terms.grace_seconds
        spec["activeDeadlineSeconds"] = math.ceil(longest) + NET_SECONDS
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": job_name(execution), "labels": labels_of(execution)},
        "spec": spec,
    }


def _pod(execution: Execution, section: KubernetesComponent, terms: Terms) -> dict[str, Any]:
    security: dict[str, Any] = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    if section.user is not None:
        security |= {"runAsUser": section.user, "runAsGroup": section.user}
    pod: dict[str, Any] = {
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": max(math.ceil(terms.grace_seconds), 1),
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": security,
        "containers": [_container(section)],
        "volumes": [
            {"name": "input", "secret": {"secretName": job_name(execution)}},
            {"name": "data", "emptyDir": {}},
            {"name": "tmp", "emptyDir": {}},
            *_claims(section),
        ],
    }
    if execution.timeout_seconds is not None:
        pod["activeDeadlineSeconds"] = max(math.ceil(execution.timeout_seconds), 1)
    if section.service_account is not None:
        pod["serviceAccountName"] = section.service_account
    if section.node_selector:
        pod["nodeSelector"] = section.node_selector
    if section.tolerations:
        pod["tolerations"] = [each.model_dump(exclude_none=True) for each in section.tolerations]
    return pod


def _container(section: KubernetesComponent) -> dict[str, Any]:
    container: dict[str, Any] = {
        "name": CONTAINER,
        "image": section.image,
        "imagePullPolicy": "IfNotPresent",
        "env": [
            {"name": "ORCHESTRATOR_DATA_DIR", "value": DATA_FOLDER},
            {"name": "ORCHESTRATOR_TASK_INPUT", "value": f"{INPUT_FOLDER}/{INPUT_FILE}"},
            {"name": "ORCHESTRATOR_TASK_POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        ],
        "workingDir": DATA_FOLDER,
        "resources": section.resources.model_dump(),
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
            "runAsNonRoot": True,
        },
        "volumeMounts": [
            {"name": "input", "mountPath": INPUT_FOLDER, "readOnly": True},
            {"name": "data", "mountPath": DATA_FOLDER},
            {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108  the container's own
            *_mounts(section),
        ],
    }
    if section.command:
        container["command"] = [WRAPPER, "--", *section.command]
    return container


def _claims(section: KubernetesComponent) -> list[dict[str, Any]]:
    """One volume for each claim, however often it is mounted; read-only unless something writes to it."""
    written = {each.claim: False for each in section.volumes}
    written |= {each.claim: True for each in section.volumes if not each.read_only}
    return [
        {"name": f"claim-{number}", "persistentVolumeClaim": {"claimName": claim, "readOnly": not is_written}}
        for number, (claim, is_written) in enumerate(written.items())
    ]


def _mounts(section: KubernetesComponent) -> list[dict[str, Any]]:
    names = {each["persistentVolumeClaim"]["claimName"]: each["name"] for each in _claims(section)}
    return [
        {"name": names[each.claim], "mountPath": each.path, "readOnly": each.read_only}
        for each in section.volumes
    ]


def secret_document(
    execution: Execution, job: Mapping[str, Any], *, callback_url: str | None
) -> dict[str, Any]:
    """What the program is given; raises UserError if that is more than a Secret can hold.

    The Job owns it, so that it goes when the Job goes.
    """
    environment = {name: value for name, value in execution.environment.items() if name not in _RUNNERS_OWN}
    given = {
        "environment": environment,
        "config": execution.config,
        "state": execution.state,
        "report": callback_url,
    }
    encoder = json.JSONEncoder(ensure_ascii=True, default=dict)
    content = gzip.compress(encoder.encode(given).encode(), mtime=0)
    if len(content) > MAX_SECRET_BYTES:
        raise UserError(
            "the parameters and the state are larger than a Kubernetes Secret can hold (1 MiB compressed): "
            "keep large data in the warehouse or in files"
        )
    meta = job["metadata"]
    owner = {"apiVersion": "batch/v1", "kind": "Job", "name": meta["name"], "uid": meta["uid"]}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "Opaque",
        "immutable": True,
        "metadata": {
            "name": meta["name"],
            "labels": labels_of(execution),
            "ownerReferences": [{**owner, "controller": True, "blockOwnerDeletion": False}],
        },
        "data": {INPUT_FILE: base64.b64encode(content).decode()},
    }
