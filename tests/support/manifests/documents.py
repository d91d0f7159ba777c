"""What kustomize renders of deploy/kubernetes, and the secrets that `make-secrets` writes beside it."""

import copy
import functools
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import certifi
import yaml
from tests.support.documentation import ROOT

Document = dict[str, Any]
KUBERNETES = ROOT / "deploy" / "kubernetes"
KUBECTL = Path(sys.executable).with_name("kubectl")
SERVICES = ("api", "scheduler", "trigger-watcher", "runner", "notifier")
WORKLOADS = ("Deployment", "StatefulSet", "Job")


@dataclass(frozen=True)
class Manifests:
    """One rendering; `secrets` are what an operator applies before it."""

    documents: Sequence[Document]
    secrets: Sequence[Document]

    def of_kind(self, *kinds: str) -> list[Document]:
        return [each for each in self.documents if each["kind"] in kinds]

    def find(self, kind: str, name: str, namespace: str | None = "orchestrator") -> Document:
        """The one document; raises KeyError if there is none."""
        for each in self.documents:
            if (each["kind"], each["metadata"]["name"]) == (kind, name) and namespace_of(each) == namespace:
                return each
        raise KeyError(f"{kind} {namespace}/{name}")

    def has(self, kind: str, name: str, namespace: str) -> bool:
        try:
            self.find(kind, name, namespace)
        except KeyError:
            return False
        return True

    def has_namespace(self, name: str) -> bool:
        return any(each["metadata"]["name"] == name for each in self.of_kind("Namespace"))

    def keys_of(self, kind: str, name: str, namespace: str) -> frozenset[str] | None:
        """The keys of a ConfigMap or Secret; None if there is none."""
        for each in (*self.documents, *self.secrets):
            if (each["kind"], each["metadata"]["name"], namespace_of(each)) == (kind, name, namespace):
                return frozenset(each.get("data", {})) | frozenset(each.get("stringData", {}))
        return None

    def variables(self, workload: Document) -> dict[str, str]:
        """What the containers of a workload get, with the values of ConfigMaps."""
        found: dict[str, str] = {}
        for container in containers(workload):
            for source in container.get("envFrom", []):
                found |= self._data("ConfigMap", source["configMapRef"]["name"], namespace_of(workload))
            for entry in container.get("env", []):
                found[entry["name"]] = str(entry.get("value", entry.get("valueFrom")))
        return found

    def files(self, workload: Document) -> dict[str, str]:
        """The files that its containers find in mounted Secrets, and their content."""
        volumes = {each["name"]: each for each in pod_of(workload)["spec"].get("volumes", [])}
        found: dict[str, str] = {}
        for mount in (each for one in containers(workload) for each in one.get("volumeMounts", [])):
            secret = volumes.get(mount["name"], {}).get("secret")
            if secret is not None:
                data = self._data("Secret", secret["secretName"], namespace_of(workload))
                names = {each["key"]: each["path"] for each in secret.get("items", [])} or dict.fromkeys(data)
                found |= {
                    f"{mount['mountPath']}/{path or key}": data[key]
                    for key, path in names.items()
                    if key in data
                }
        return found

    def environment(self, workload: Document) -> dict[str, str]:
        """Its settings, with what is in the files that they name."""
        files = self.files(workload)
        return {
            name if name.endswith("_CA_FILE") else name.removesuffix("_FILE"): files.get(value, value)
            for name, value in self.variables(workload).items()
        }

    def _data(self, kind: str, name: str, namespace: str | None) -> dict[str, str]:
        for each in (*self.documents, *self.secrets):
            if (each["kind"], each["metadata"]["name"], namespace_of(each)) == (kind, name, namespace):
                return {**each.get("data", {}), **each.get("stringData", {})}
        return {}


def namespace_of(document: Document) -> str | None:
    found: str | None = document["metadata"].get("namespace")
    return found


def label_of(document: Document) -> str:
    """How findings name a document."""
    return f"{document['kind']} {namespace_of(document) or ''}/{document['metadata']['name']}"


def pod_of(workload: Document) -> Document:
    template: Document = workload["spec"]["template"]
    return template


def containers(workload: Document) -> list[Document]:
    spec = pod_of(workload)["spec"]
    return [*spec.get("initContainers", []), *spec["containers"]]


def container_of(workload: Document) -> Document:
    (only,) = containers(workload)
    return only


def ports_of(workload: Document) -> dict[str, int]:
    """Name to number of every port that a workload's containers declare."""
    return {
        port["name"]: port["containerPort"] for each in containers(workload) for port in each.get("ports", [])
    }


def matches(selector: Mapping[str, Any] | None, labels: Mapping[str, str]) -> bool:
    """Whether a label selector takes these labels; an empty one takes all."""
    selector = selector or {}
    if any(labels.get(key) != value for key, value in selector.get("matchLabels", {}).items()):
        return False
    for each in selector.get("matchExpressions", []):
        assert each["operator"] == "In", f"teach the test the operator {each['operator']}"
        if labels.get(each["key"]) not in each["values"]:
            return False
    return True


def walk(value: Any) -> Iterator[Any]:
    """Every value inside a document."""
    yield value
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for child in children:
        yield from walk(child)


def render(folder: Path) -> list[Document]:
    """As `kubectl apply -k` would send it."""
    done = subprocess.run(
        [str(KUBECTL), "kustomize", str(folder)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert not done.stderr, f"{folder}: {done.stderr}"
    return [each for each in yaml.safe_load_all(done.stdout) if each]


@functools.cache
def make_secrets() -> list[Document]:
    with tempfile.TemporaryDirectory() as folder:
        script = shutil.copy(KUBERNETES / "make-secrets", folder)
        subprocess.run(["sh", script], check=True, capture_output=True, timeout=60)
        written = list(yaml.safe_load_all(Path(folder, "secrets.yaml").read_text()))
    return [each for each in written if each["kind"] == "Secret"]


@functools.cache
def _rendered(overlay: str) -> str:
    if overlay == "gateway":
        return json.dumps(_with_gateway())
    return json.dumps(render(KUBERNETES / "overlays" / overlay))


def _with_gateway() -> list[Document]:
    """The production overlay with the other way in."""
    with tempfile.TemporaryDirectory() as folder:
        copied = Path(shutil.copytree(KUBERNETES, Path(folder, "kubernetes")))
        file = copied / "overlays" / "production" / "kustomization.yaml"
        file.write_text(file.read_text().replace("components/ingress", "components/gateway"))
        return render(file.parent)


def manifests(overlay: str) -> Manifests:
    """A fresh copy of a rendering (local, production, gateway), which a test may change."""
    documents = json.loads(_rendered(overlay))
    operated = [_of_operator(each) for each in documents if each["kind"] == "Cluster"]
    return Manifests(documents, [*copy.deepcopy(make_secrets()), *operated])


def _of_operator(cluster: Document) -> Document:
    """The Secret that CloudNativePG makes: its authority, with the key."""
    meta = {"name": f"{cluster['metadata']['name']}-ca", "namespace": namespace_of(cluster)}
    data = {"ca.crt": Path(certifi.where()).read_text(), "ca.key": "secret"}
    return {"kind": "Secret", "metadata": meta, "stringData": data}
