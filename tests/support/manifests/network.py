"""Who talks to whom: the network policies allow the connections of this table, and no others."""

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.support.manifests.documents import SERVICES, Document, Manifests, matches, namespace_of
from tests.support.manifests.pods import Pod, pods_of


@dataclass(frozen=True)
class Address:
    """Something outside that has no pod here."""

    name: str
    ip: str


End = Pod | Address
PUBLIC, PRIVATE, METADATA = (
    Address("internet", "93.184.216.34"),
    Address("private network", "10.96.0.1"),
    Address("metadata of the cloud", "169.254.169.254"),
)
DNS = Pod("dns", "kube-system", {"k8s-app": "kube-dns"}, {"dns": 53})
FRONT = (Pod("ingress", "ingress-nginx", {}), Pod("gateway", "envoy-gateway-system", {}))
PROMETHEUS = Pod("prometheus", "monitoring", {})
OPERATORS = (Pod("cnpg", "cnpg-system", {}), Pod("rabbitmq-operator", "rabbitmq-system", {}))
STRANGER = Pod("stranger", "somewhere", {"app.kubernetes.io/name": "api"})
OUTSIDE_PORTS = (25, 80, 443, 465, 587, 1025, 5432, 6443)
CLUSTER_API = (443, 6443)
MAIL = (25, 465, 587)

Connection = tuple[str, str, int]
"""From, to, port."""


def expected(manifests: Manifests) -> set[Connection]:
    """The table: derived from what the settings of each workload make it connect to."""
    found: set[Connection] = set()
    for workload in manifests.of_kind("Deployment", "Job"):
        name, environment = workload["metadata"]["name"], manifests.environment(workload)
        if {"ORCHESTRATOR_DATABASE_URL", "DATA_SOURCE_URI"} & environment.keys():
            found.add((name, "postgres", 5432))
        if "ORCHESTRATOR_AMQP_URL" in environment:
            found.add((name, "rabbitmq", 5671))
        if "ORCHESTRATOR_SMTP_HOST" in environment:
            found |= {(name, place.name, port) for place in (PUBLIC, PRIVATE, METADATA) for port in MAIL}
        if "ORCHESTRATOR_KUBERNETES_NAMESPACE" in environment:
            found |= _to_cluster_api(name)
        if environment.get("ORCHESTRATOR_SMTP_HOST") == "mail":
            found.add((name, "mail", 1025))
    # Callbacks and job tokens; components behind HTTP; an identity provider; what tasks load and write.
    found |= {("task", "api", 8080), ("runner", PUBLIC.name, 80), ("api", PUBLIC.name, 443)}
    found |= {("task", PUBLIC.name, port) for port in OUTSIDE_PORTS}
    return found | _of_overlay(manifests)


def _to_cluster_api(name: str) -> set[Connection]:
    """Its address is not known beforehand."""
    return {(name, place.name, port) for place in (PUBLIC, PRIVATE, METADATA) for port in CLUSTER_API}


def _of_overlay(manifests: Manifests) -> set[Connection]:
    found: set[Connection] = set()
    if manifests.of_kind("PodMonitor"):
        found |= {("prometheus", name, 9090) for name in SERVICES}
        found |= {("prometheus", "postgres-exporter", 9187), ("prometheus", "rabbitmq", 15692)}
    if manifests.of_kind("Ingress"):
        found.add(("ingress", "api", 8080))
    if manifests.of_kind("Gateway"):
        found.add(("gateway", "api", 8080))
    if manifests.of_kind("Cluster"):
        found |= {(name, "postgres", port) for name in ("postgres", "cnpg") for port in (5432, 8000)}
        found |= _to_cluster_api("postgres")
    if manifests.of_kind("RabbitmqCluster"):
        found |= {("rabbitmq", "rabbitmq", 4369), ("rabbitmq", "rabbitmq", 25672)}
        found |= {("rabbitmq-operator", "rabbitmq", 15672)} | _to_cluster_api("rabbitmq")
    return found


def check_network(manifests: Manifests) -> Iterator[str]:
    for namespace in manifests.of_kind("Namespace"):
        if not _is_closed(manifests, namespace["metadata"]["name"]):
            yield f"{namespace['metadata']['name']} has no policy that denies everything"
    allowed, wanted = _allowed(manifests), expected(manifests)
    for source, target, port in sorted(wanted - allowed):
        yield f"{source} cannot reach {target}:{port}"
    for source, target, port in sorted(allowed - wanted):
        yield f"{source} can reach {target}:{port}, which is in no table"
    for pod in pods_of(manifests):
        if not _permits(manifests, pod, "egress", DNS, 53):
            yield f"{pod.name} cannot resolve names"


def _is_closed(manifests: Manifests, namespace: str) -> bool:
    """Also to pods that no other policy selects."""
    denies = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    policies = [each for each in manifests.of_kind("NetworkPolicy") if namespace_of(each) == namespace]
    return any(each["spec"] == denies for each in policies)


def _allowed(manifests: Manifests) -> set[Connection]:
    pods = pods_of(manifests)
    ends: list[End] = [*pods, *FRONT, PROMETHEUS, *OPERATORS, STRANGER, PUBLIC, PRIVATE, METADATA]
    found: set[Connection] = set()
    for source in ends:
        for target in ends:
            if source not in pods and target not in pods:
                continue
            ports = OUTSIDE_PORTS if isinstance(target, Address) else target.ports.values()
            found |= {
                (source.name, target.name, port)
                for port in ports
                if _permits(manifests, source, "egress", target, port)
                and _permits(manifests, target, "ingress", source, port)
            }
    return found


def _permits(manifests: Manifests, end: End, direction: str, other: End, port: int) -> bool:
    """Whether the policies at this end allow it; ends elsewhere are not ours to restrict."""
    if isinstance(end, Address):
        return True
    policies = [each for each in manifests.of_kind("NetworkPolicy") if _applies(each, end, direction)]
    if not policies:
        return True
    rules = [rule for each in policies for rule in each["spec"].get(direction, [])]
    return any(_rule_permits(rule, direction, end.namespace, other, port) for rule in rules)


def _applies(policy: Document, pod: Pod, direction: str) -> bool:
    spec = policy["spec"]
    is_here = namespace_of(policy) == pod.namespace and direction.capitalize() in spec["policyTypes"]
    return is_here and matches(spec["podSelector"], pod.labels)


def _rule_permits(rule: Mapping[str, Any], direction: str, namespace: str, other: End, port: int) -> bool:
    peers = rule.get("from" if direction == "ingress" else "to")
    is_peer = peers is None or any(_is_peer(peer, namespace, other) for peer in peers)
    ports = rule.get("ports")
    return is_peer and (
        ports is None or any(each["port"] <= port <= each.get("endPort", each["port"]) for each in ports)
    )


def _is_peer(peer: Mapping[str, Any], namespace: str, other: End) -> bool:
    if "ipBlock" in peer:
        return isinstance(other, Address) and _contains(peer["ipBlock"], other.ip)
    if isinstance(other, Address):
        return False
    labels = {"kubernetes.io/metadata.name": other.namespace}
    is_namespace = (
        matches(peer["namespaceSelector"], labels)
        if "namespaceSelector" in peer
        else other.namespace == namespace
    )
    return is_namespace and matches(peer.get("podSelector"), other.labels)


def _contains(block: Mapping[str, Any], ip: str) -> bool:
    networks = [ipaddress.ip_network(block["cidr"]), *map(ipaddress.ip_network, block.get("except", []))]
    inside = [ipaddress.ip_address(ip) in network for network in networks]
    return inside[0] and not any(inside[1:])
