"""Pods: restricted, read-only, probed, and ended with enough time."""

from collections.abc import Iterator
from typing import Any

from tests.support.manifests.documents import (
    SERVICES,
    WORKLOADS,
    Document,
    Manifests,
    container_of,
    containers,
    label_of,
    pod_of,
)

from orchestrator_runner.settings import RunnerSettings
from orchestrator_shared.runtime.service import WATCHDOG_EXTRA_SECONDS
from orchestrator_shared.settings import ServiceSettings

OWN = (*SERVICES, "migrate")
PROBES = {"startupProbe": "/livez", "livenessProbe": "/livez", "readinessProbe": "/readyz"}
WITH_TOKEN = {"runner"}
"""The only pods that may call the API server."""


def check_workloads(manifests: Manifests) -> Iterator[str]:
    for document in manifests.of_kind("Namespace"):
        if document["metadata"]["labels"].get("pod-security.kubernetes.io/enforce") != "restricted":
            yield f"{label_of(document)}: does not enforce restricted pods"
    for workload in manifests.of_kind(*WORKLOADS):
        problems = [*restricted(workload), *_sized(workload), *_tokens(manifests, workload)]
        problems += _keys(manifests, workload)
        if workload["metadata"]["name"] in OWN:
            problems += _read_only(workload)
        if workload["metadata"]["name"] in SERVICES:
            problems += [*_probes(workload), *_grace(manifests, workload), *_writable(manifests, workload)]
        yield from (f"{label_of(workload)}: {problem}" for problem in problems)


def restricted(workload: Document) -> Iterator[str]:
    """The Pod Security Standard `restricted`, as far as our pods could break it."""
    spec = pod_of(workload)["spec"]
    security = spec.get("securityContext", {})
    if not security.get("runAsNonRoot") or security.get("runAsUser") == 0:
        yield "runs as root"
    if security.get("seccompProfile") != {"type": "RuntimeDefault"}:
        yield "has no seccomp profile"
    if any(spec.get(each) for each in ("hostNetwork", "hostPID", "hostIPC")):
        yield "shares namespaces of its node"
    kinds = {kind for volume in spec.get("volumes", []) for kind in volume if kind != "name"}
    if refused := kinds - {"emptyDir", "configMap", "secret", "projected", "persistentVolumeClaim"}:
        yield f"mounts {', '.join(sorted(refused))}"
    for container in containers(workload):
        own = container.get("securityContext", {})
        if own.get("allowPrivilegeEscalation") is not False:
            yield "may escalate privileges"
        if own.get("capabilities") != {"drop": ["ALL"]}:
            yield "keeps capabilities"


def _keys(manifests: Manifests, workload: Document) -> Iterator[str]:
    """The key of an authority is nobody's business."""
    if any(path.endswith("ca.key") for path in manifests.files(workload)):
        yield "can sign certificates for the database"


def _read_only(workload: Document) -> Iterator[str]:
    for container in containers(workload):
        if container["securityContext"].get("readOnlyRootFilesystem") is not True:
            yield "can write to its image"
        if "/tmp" not in [mount["mountPath"] for mount in container.get("volumeMounts", [])]:
            yield "has no /tmp to write to"


def _sized(workload: Document) -> Iterator[str]:
    for container in containers(workload):
        resources = container.get("resources", {})
        if not {"cpu", "memory"} <= resources.get("requests", {}).keys() or "memory" not in resources.get(
            "limits", {}
        ):
            yield "does not say what it needs"


def _tokens(manifests: Manifests, workload: Document) -> Iterator[str]:
    spec, name = pod_of(workload)["spec"], workload["metadata"]["name"]
    if spec.get("automountServiceAccountToken") is not (name in WITH_TOKEN):
        yield "mounts a token of its service account, or lacks one"
    account = manifests.find("ServiceAccount", spec["serviceAccountName"])
    if account.get("automountServiceAccountToken") is not False:
        yield "its service account mounts tokens everywhere"


def _probes(workload: Document) -> Iterator[str]:
    container = container_of(workload)
    ports = [port["name"] for port in container["ports"]]
    for probe, path in PROBES.items():
        get: dict[str, Any] = container.get(probe, {}).get("httpGet", {})
        if get.get("path") != path or get.get("port") not in ports:
            yield f"{probe} does not get {path} from a port of the container"


def _grace(manifests: Manifests, workload: Document) -> Iterator[str]:
    """Kubernetes must not kill what is still ending: preStop, the grace period, and the watchdog after it."""
    default = ServiceSettings.model_fields["shutdown_grace_seconds"].default
    shutdown = float(manifests.environment(workload).get("ORCHESTRATOR_SHUTDOWN_GRACE_SECONDS", default))
    hook = container_of(workload).get("lifecycle", {}).get("preStop", {}).get("exec", {}).get("command", [])
    pause = float(hook[1]) if hook[:1] == ["sleep"] else 0.0
    if workload["metadata"]["name"] == "api" and not pause:
        yield "ends before the nodes know that it takes no more connections"
    needed = pause + shutdown + WATCHDOG_EXTRA_SECONDS
    if pod_of(workload)["spec"].get("terminationGracePeriodSeconds", 30) < needed:
        yield f"needs {needed:g} seconds to end"


def _writable(manifests: Manifests, workload: Document) -> Iterator[str]:
    """The images set the runner's work directory below this one."""
    if workload["metadata"]["name"] != "runner":
        return
    default = str(RunnerSettings.model_fields["work_dir"].default)
    place = manifests.environment(workload).get("ORCHESTRATOR_WORK_DIR", "/var/lib/orchestrator")
    mounts = [mount["mountPath"] for mount in container_of(workload)["volumeMounts"]]
    if not any(place.startswith(mount) for mount in mounts):
        yield f"cannot write to {place} (outside of images: {default})"
