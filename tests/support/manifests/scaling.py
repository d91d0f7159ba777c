"""KEDA counts with a metric that exists, and leaves the runners some room; nothing else sets their number."""

import re
from collections.abc import Iterator

from tests.support.documentation import REFERENCE, names_in, table_rows
from tests.support.manifests.documents import Manifests, label_of


def check_scaling(manifests: Manifests) -> Iterator[str]:
    for scaled in manifests.of_kind("ScaledObject"):
        spec = scaled["spec"]
        target = manifests.find("Deployment", spec["scaleTargetRef"]["name"])
        if "replicas" in target["spec"]:
            yield f"{label_of(target)}: applying it would undo what KEDA decided"
        slots = int(manifests.environment(target).get("ORCHESTRATOR_RUNNER_SLOTS", "8"))
        for trigger in spec["triggers"]:
            if int(trigger["metadata"]["threshold"]) >= slots:
                yield f"{label_of(scaled)}: with {slots} slots, a runner can never exceed the threshold"
            for problem in _query(trigger["metadata"]["query"]):
                yield f"{label_of(scaled)}: {problem}"
        if not 1 < spec["minReplicaCount"] <= spec["fallback"]["replicas"] <= spec["maxReplicaCount"]:
            yield f"{label_of(scaled)}: fewer than two runners, or bounds that contradict each other"


def _query(query: str) -> Iterator[str]:
    told = {name: labels for name, _, labels, _ in table_rows(REFERENCE / "metrics.md", columns=4)}
    for name, selector in re.findall(r"(orchestrator_\w+)\{([^}]*)\}", query):
        if name not in told:
            yield f"there is no metric {name}"
        for label in re.findall(r"(\w+)=", selector):
            if label not in names_in(told.get(name, "")):
                yield f"{name} has no label {label}"
