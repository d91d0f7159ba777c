"""Every selector takes the pods that it is meant for."""

from collections.abc import Iterator

from tests.support.manifests.documents import (
    SERVICES,
    WORKLOADS,
    Document,
    Manifests,
    label_of,
    matches,
    namespace_of,
    pod_of,
)
from tests.support.manifests.pods import Pod, pods_of


def check_selectors(manifests: Manifests) -> Iterator[str]:
    pods = pods_of(manifests)
    for workload in manifests.of_kind(*WORKLOADS):
        labels = pod_of(workload)["metadata"]["labels"]
        spreads = pod_of(workload)["spec"].get("topologySpreadConstraints", [])
        selectors = [workload["spec"].get("selector"), *(each["labelSelector"] for each in spreads)]
        if not all(matches(selector, labels) for selector in selectors):
            yield f"{label_of(workload)}: a selector does not take its own pods"
        if sum(matches(workload["spec"].get("selector"), pod.labels) for pod in pods) > 1 and selectors[0]:
            yield f"{label_of(workload)}: its selector takes the pods of others"
    for document in manifests.of_kind("Service", "PodDisruptionBudget", "NetworkPolicy", "PodMonitor"):
        if not any(pod.namespace == namespace_of(document) for pod in _selected(document, pods)):
            yield f"{label_of(document)}: selects no pod"
    yield from _budgets(manifests, pods)


def _selected(document: Document, pods: list[Pod]) -> list[Pod]:
    spec = document["spec"]
    selector = {"matchLabels": spec["selector"]} if document["kind"] == "Service" else spec.get("selector")
    if document["kind"] == "NetworkPolicy":
        selector = spec["podSelector"]
    return [pod for pod in pods if matches(selector, pod.labels)]


def _budgets(manifests: Manifests, pods: list[Pod]) -> Iterator[str]:
    budgets = manifests.of_kind("PodDisruptionBudget")
    protected = [pod.name for each in budgets for pod in _selected(each, pods)]
    for name in SERVICES:
        if protected.count(name) != 1:
            yield f"Deployment {name}: has {protected.count(name)} PodDisruptionBudgets"
    for each in budgets:
        if each["spec"].get("maxUnavailable") != 1:
            yield f"{label_of(each)}: with one replica, anything but maxUnavailable: 1 blocks drains"
