"""Every name that a document refers to exists."""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from tests.support.manifests.documents import (
    WORKLOADS,
    Document,
    Manifests,
    containers,
    label_of,
    matches,
    namespace_of,
    pod_of,
    ports_of,
)
from tests.support.manifests.pods import pods_of

OF_OTHERS = frozenset({("Secret", "orchestrator-tls")})
"""Made by other means, such as cert-manager."""
OPERATED = {"postgres-rw": "Cluster", "rabbitmq": "RabbitmqCluster"}
"""Services that an operator makes for a document of this kind."""
_HOST_SETTINGS = ("ORCHESTRATOR_DATABASE_URL", "ORCHESTRATOR_AMQP_URL", "ORCHESTRATOR_API_URL")


def check_references(manifests: Manifests) -> Iterator[str]:
    for workload in manifests.of_kind(*WORKLOADS):
        for problem in (*_of_pod(manifests, workload), *_of_addresses(manifests, workload)):
            yield f"{label_of(workload)}: {problem}"
    for document in manifests.documents:
        for problem in _of_document(manifests, document):
            yield f"{label_of(document)}: {problem}"


def _of_pod(manifests: Manifests, workload: Document) -> Iterator[str]:
    namespace, spec = namespace_of(workload) or "", pod_of(workload)["spec"]
    if not manifests.has("ServiceAccount", spec.get("serviceAccountName", "default"), namespace):
        yield f"there is no ServiceAccount {spec.get('serviceAccountName')}"
    for container in containers(workload):
        for source in container.get("envFrom", []):
            name = source["configMapRef"]["name"]
            if manifests.keys_of("ConfigMap", name, namespace) is None:
                yield f"there is no ConfigMap {name}"
    files = manifests.files(workload)
    for setting, value in manifests.variables(workload).items():
        if setting.endswith("_FILE") and value not in files:
            yield f"{setting}: make-secrets writes no {value}"
    yield from _of_volumes(manifests, workload)


def _of_volumes(manifests: Manifests, workload: Document) -> Iterator[str]:
    namespace, spec = namespace_of(workload) or "", pod_of(workload)["spec"]
    declared = {each["name"]: each for each in spec.get("volumes", [])}
    claimed = {each["metadata"]["name"] for each in workload["spec"].get("volumeClaimTemplates", [])}
    mounted = [mount for each in containers(workload) for mount in each.get("volumeMounts", [])]
    if unused := declared.keys() - {mount["name"] for mount in mounted}:
        yield f"volumes that no container mounts: {', '.join(sorted(unused))}"
    for mount in mounted:
        volume = declared.get(mount["name"])
        if volume is None and mount["name"] not in claimed:
            yield f"there is no volume {mount['name']}"
        for kind, source, key in (("ConfigMap", "configMap", "name"), ("Secret", "secret", "secretName")):
            if volume and source in volume:
                known = manifests.keys_of(kind, volume[source][key], namespace)
                wanted = {each["key"] for each in volume[source].get("items", [])}
                wanted |= {mount["subPath"]} if "subPath" in mount else set()
                if known is None or not wanted <= known:
                    what = ", ".join(sorted(wanted)) or "data"
                    yield f"there is no {kind} {volume[source][key]} with {what}"


def _of_addresses(manifests: Manifests, workload: Document) -> Iterator[str]:
    """The hosts in settings are Services, with these ports."""
    environment = manifests.environment(workload)
    addresses = {setting: environment[setting] for setting in _HOST_SETTINGS if setting in environment}
    if (source := environment.get("DATA_SOURCE_URI")) is not None:
        addresses["DATA_SOURCE_URI"] = f"//{source}"
    for setting, address in addresses.items():
        parts = urlsplit(address)
        name, _, namespace = (parts.hostname or "").partition(".")
        if not _serves(manifests, name, namespace, parts.port):
            yield f"{setting}: there is no Service {name} in {namespace} with port {parts.port}"
    tasks = environment.get("ORCHESTRATOR_KUBERNETES_NAMESPACE")
    if tasks is not None and not manifests.has_namespace(tasks):
        yield f"ORCHESTRATOR_KUBERNETES_NAMESPACE: there is no Namespace {tasks}"
    host, port = (
        environment.get("ORCHESTRATOR_SMTP_HOST", "."),
        environment.get("ORCHESTRATOR_SMTP_PORT", "25"),
    )
    if "." not in host and not _serves(manifests, host, "orchestrator", int(port)):
        yield f"ORCHESTRATOR_SMTP_HOST: there is no Service {host} with port {port}"


def _serves(manifests: Manifests, name: str, namespace: str, port: int | None) -> bool:
    if manifests.has("Service", name, namespace):
        return port in [each["port"] for each in manifests.find("Service", name, namespace)["spec"]["ports"]]
    operated = OPERATED.get(name)
    pods = [pod for pod in pods_of(manifests) if pod.namespace == namespace and port in pod.ports.values()]
    return operated is not None and any(manifests.has(operated, pod.name, namespace) for pod in pods)


def _of_document(manifests: Manifests, document: Document) -> Iterator[str]:
    namespace, kind = namespace_of(document) or "", document["kind"]
    if namespace and not manifests.has_namespace(namespace):
        yield f"there is no Namespace {namespace}"
    if kind == "Service":
        yield from _of_service(manifests, document)
    elif kind == "RoleBinding":
        yield from _of_binding(manifests, document)
    elif kind in ("Ingress", "HTTPRoute"):
        yield from _of_route(manifests, document)
    else:
        yield from _of_spec(manifests, document, namespace)


def _of_spec(manifests: Manifests, document: Document, namespace: str) -> Iterator[str]:
    kind, spec = document["kind"], document.get("spec", {})
    if kind == "StatefulSet" and not manifests.has("Service", spec["serviceName"], namespace):
        yield f"there is no Service {spec['serviceName']}"
    elif kind == "ScaledObject":
        if not manifests.has("Deployment", spec["scaleTargetRef"]["name"], namespace):
            yield f"there is no Deployment {spec['scaleTargetRef']['name']}"
    elif kind in ("Cluster", "RabbitmqCluster"):
        for name in re.findall(r"'secret(?:Name)?': (?:\{'name': )?'([^']+)'", str(spec)):
            if manifests.keys_of("Secret", name, namespace) is None:
                yield f"make-secrets writes no {name}"
    elif kind == "PodMonitor":
        for endpoint in spec["podMetricsEndpoints"]:
            for pod in pods_of(manifests):
                if matches(spec["selector"], pod.labels) and endpoint["port"] not in pod.ports:
                    yield f"the pods of {pod.name} have no port {endpoint['port']}"


def _of_service(manifests: Manifests, service: Document) -> Iterator[str]:
    for workload in manifests.of_kind(*WORKLOADS):
        if matches({"matchLabels": service["spec"]["selector"]}, pod_of(workload)["metadata"]["labels"]):
            for port in service["spec"]["ports"]:
                if port["targetPort"] not in ports_of(workload):
                    yield f"the pods of {workload['metadata']['name']} have no port {port['targetPort']}"


def _of_binding(manifests: Manifests, binding: Document) -> Iterator[str]:
    reference = binding["roleRef"]
    if not manifests.has(reference["kind"], reference["name"], namespace_of(binding) or ""):
        yield f"there is no {reference['kind']} {reference['name']}"
    for subject in binding["subjects"]:
        if not manifests.has(subject["kind"], subject["name"], subject["namespace"]):
            yield f"there is no {subject['kind']} {subject['name']} in {subject['namespace']}"


def _of_route(manifests: Manifests, route: Document) -> Iterator[str]:
    """What stands in front of the api: backends, certificates and the Gateway."""
    spec, namespace = route["spec"], namespace_of(route) or ""
    if route["kind"] == "Ingress":
        named = [path["backend"]["service"] for rule in spec["rules"] for path in rule["http"]["paths"]]
        backends = [(each["name"], each["port"].get("name") or each["port"]["number"]) for each in named]
        certificates = [each["secretName"] for each in spec["tls"]]
    else:
        gateway = manifests.find("Gateway", spec["parentRefs"][0]["name"])
        listeners = {each["name"]: each for each in gateway["spec"]["listeners"]}
        backends = [(each["name"], each["port"]) for rule in spec["rules"] for each in rule["backendRefs"]]
        certificates = [each["name"] for one in listeners.values() for each in one["tls"]["certificateRefs"]]
        if spec["parentRefs"][0]["sectionName"] not in listeners:
            yield f"the Gateway has no listener {spec['parentRefs'][0]['sectionName']}"
    for name, port in backends:
        found = manifests.has("Service", name, namespace) and manifests.find("Service", name, namespace)
        if not found or not any(port in (each["name"], each["port"]) for each in found["spec"]["ports"]):
            yield f"there is no Service {name} with port {port}"
    for name in certificates:
        if ("Secret", name) not in OF_OTHERS:
            yield f"nobody makes the Secret {name}"
