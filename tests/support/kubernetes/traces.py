"""What a real Kubernetes 1.35 answered, recorded case by case, and put onto the objects of a test."""

import json
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

RECORDED = Path(__file__).parent / "recorded"


@dataclass(frozen=True, slots=True)
class Row:
    """One change that a watch told."""

    resource: str
    type: str
    object: Mapping[str, Any]

    @property
    def container(self) -> Mapping[str, Any]:
        """The state of the container, for pods."""
        statuses: Any = self.object.get("status", {}).get("containerStatuses") or ({},)
        state: Mapping[str, Any] = statuses[0].get("state") or {}
        return state


@cache
def recorded(case: str) -> Sequence[Row]:
    """The changes of one case, in the order of their versions."""
    lines = (RECORDED / f"{case}.jsonl").read_text().splitlines()
    return tuple(Row(data["resource"], data["type"], data["object"]) for data in map(json.loads, lines))


def answer(name: str) -> Any:
    """A single recorded answer."""
    return json.loads((RECORDED / name).read_text())


class Retargeted:
    """The rows of a case as they would have been for another Job."""

    def __init__(self, job: Mapping[str, Any], case: str) -> None:
        self.job = job
        self.rows = recorded(case)
        self._case = case
        self._uids: dict[str, str] = {}

    def pod_name(self, recorded_name: str) -> str:
        """The pod's name, which begins with its Job's."""
        return f"{self.job['metadata']['name']}{recorded_name.removeprefix(self._case)}"

    def object(self, row: Row, current: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The row's object; `current` is the one that it replaces."""
        if row.resource == "jobs":
            return self._job(row, current or self.job)
        return self._pod(row) if row.resource == "pods" else self._event(row)

    def _job(self, row: Row, current: Mapping[str, Any]) -> dict[str, Any]:
        made = deepcopy(dict(current))
        made["status"] = deepcopy(row.object.get("status", {}))
        return made

    def _pod(self, row: Row) -> dict[str, Any]:
        meta, template = row.object["metadata"], self.job["spec"]["template"]
        own = self.job["metadata"]
        metadata = {
            key: deepcopy(meta[key])
            for key in ("finalizers", "deletionTimestamp", "deletionGracePeriodSeconds", "creationTimestamp")
            if key in meta
        }
        owner = {"apiVersion": "batch/v1", "kind": "Job", "name": own["name"], "uid": own["uid"]}
        metadata |= {
            "name": self.pod_name(meta["name"]),
            "uid": self._uids.setdefault(meta["uid"], str(uuid4())),
            "namespace": own["namespace"],
            "labels": {**template["metadata"]["labels"], "batch.kubernetes.io/job-name": own["name"]},
            "ownerReferences": [{**owner, "controller": True, "blockOwnerDeletion": True}],
        }
        status = deepcopy(row.object["status"])
        return {"metadata": metadata, "spec": template["spec"], "status": status}

    def _event(self, row: Row) -> dict[str, Any]:
        made = deepcopy(dict(row.object))
        about = made["involvedObject"]
        is_job = about["kind"] == "Job"
        old = about["name"]
        about["name"] = self.job["metadata"]["name"] if is_job else self.pod_name(old)
        about["uid"] = (
            self.job["metadata"]["uid"]
            if is_job
            else self._uids.setdefault(row.object["involvedObject"]["uid"], str(uuid4()))
        )
        made["metadata"]["name"] = f"{about['name']}.{made['metadata']['name'].rpartition('.')[2]}"
        made["message"] = made["message"].replace(self._case, self.job["metadata"]["name"])
        return made
