"""The parts of manifests that tests break."""

from typing import Any

import yaml
from tests.support.manifests.documents import Document, Manifests, container_of, pod_of


def deployment(found: Manifests, name: str) -> Document:
    return found.find("Deployment", name)


def container(found: Manifests, name: str) -> Document:
    return container_of(deployment(found, name))


def settings(found: Manifests, name: str) -> dict[str, Any]:
    """The data of a generated ConfigMap, whose name ends with a digest."""
    data: dict[str, Any] = next(
        each["data"]
        for each in found.of_kind("ConfigMap")
        if each["metadata"]["name"].rpartition("-")[0] == name
    )
    return data


def volume(found: Manifests, service: str, name: str) -> dict[str, Any]:
    """The Secret of a pod's volume."""
    volumes = pod_of(deployment(found, service))["spec"]["volumes"]
    mounted: dict[str, Any] = next(each["secret"] for each in volumes if each["name"] == name)
    return mounted


def secret(found: Manifests, name: str) -> dict[str, str]:
    data: dict[str, str] = next(
        each["stringData"] for each in found.secrets if each["metadata"]["name"] == name
    )
    return data


def without(found: Manifests, kind: str, name: str, namespace: str = "orchestrator") -> Manifests:
    gone = found.find(kind, name, namespace)
    return Manifests([each for each in found.documents if each is not gone], found.secrets)


def with_(found: Manifests, document: str) -> Manifests:
    return Manifests([*found.documents, yaml.safe_load(document)], found.secrets)


def egress(found: Manifests, policy: str) -> dict[str, Any]:
    rule: dict[str, Any] = found.find("NetworkPolicy", policy)["spec"]["egress"][0]
    return rule
