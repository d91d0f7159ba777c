"""The pods that a rendering leads to, also those that operators make."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from tests.support.manifests.documents import WORKLOADS, Document, Manifests, namespace_of, pod_of, ports_of


@dataclass(frozen=True)
class Pod:
    """What selectors and network policies see of a pod."""

    name: str
    namespace: str
    labels: Mapping[str, str] = field(hash=False)
    ports: Mapping[str, int] = field(default_factory=dict, hash=False)


POSTGRES_PORTS = {"postgresql": 5432, "status": 8000, "metrics": 9187}
RABBITMQ_PORTS = {
    "amqp": 5672,
    "amqps": 5671,
    "epmd": 4369,
    "distribution": 25672,
    "management": 15672,
    "prometheus": 15692,
}
TASK = Pod("task", "orchestrator-tasks", {"job": "one"})


def pods_of(manifests: Manifests) -> list[Pod]:
    """One of each workload; tasks have their own namespace."""
    made = [_pod(each) for each in manifests.of_kind(*WORKLOADS)]
    return [*made, *_of_operators(manifests), TASK]


def _pod(workload: Document) -> Pod:
    labels = pod_of(workload)["metadata"]["labels"]
    return Pod(workload["metadata"]["name"], namespace_of(workload) or "", labels, ports_of(workload))


def _of_operators(manifests: Manifests) -> Iterator[Pod]:
    for each in manifests.of_kind("Cluster"):
        name = each["metadata"]["name"]
        yield Pod(name, namespace_of(each) or "", {"cnpg.io/cluster": name}, POSTGRES_PORTS)
    for each in manifests.of_kind("RabbitmqCluster"):
        name = each["metadata"]["name"]
        labels = {"app.kubernetes.io/name": name, "app.kubernetes.io/component": "rabbitmq"}
        yield Pod(name, namespace_of(each) or "", labels, RABBITMQ_PORTS)
