"""The images are those of docker compose and the Dockerfile, in the version of this repository."""

import json
import re
import tomllib
from collections.abc import Iterator

import yaml
from tests.support.documentation import ROOT
from tests.support.manifests.documents import WORKLOADS, Manifests, containers, label_of

REGISTRY = "registry.example.com/"


def check_images(manifests: Manifests) -> Iterator[str]:
    known, built = _of_compose(), _of_dockerfile()
    for workload in manifests.of_kind(*WORKLOADS):
        for container in containers(workload):
            yield from (
                f"{label_of(workload)}: {each}" for each in _problems(container["image"], known, built)
            )
    for cluster in manifests.of_kind("RabbitmqCluster"):
        if cluster["spec"]["image"] not in known:
            yield f"{label_of(cluster)}: docker compose has no {cluster['spec']['image']}"
    version = known["postgres"].partition(":")[2]
    for cluster in manifests.of_kind("Cluster"):
        if cluster["spec"]["imageName"].partition(":")[2] != version:
            yield f"{label_of(cluster)}: docker compose has PostgreSQL {version}"
    yield from _allowed(manifests, built)


def _problems(image: str, known: dict[str, str], built: set[str]) -> Iterator[str]:
    name, _, tag = image.removeprefix(REGISTRY).partition(":")
    if name.startswith("orchestrator-") and name not in built:
        yield f"the Dockerfile builds no {name}"
    elif not name.startswith("orchestrator-") and image not in known:
        yield f"docker compose has no {image}"
    if image.startswith(REGISTRY) and tag != version_of_code():
        yield f"{image} is not version {version_of_code()}"


def _allowed(manifests: Manifests, built: set[str]) -> Iterator[str]:
    """What tasks may run."""
    allowed = manifests.environment(manifests.find("Deployment", "runner"))["ORCHESTRATOR_ALLOWED_IMAGES"]
    for image in json.loads(allowed):
        if image.removeprefix(REGISTRY) not in built:
            yield f"ORCHESTRATOR_ALLOWED_IMAGES: the Dockerfile builds no {image}"


def _of_compose() -> dict[str, str]:
    """Every image of docker compose, by itself and by its name without a tag."""
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"].values()
    images = [re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", each["image"]) for each in services]
    return {key: image for image in images for key in (image, image.partition(":")[0])}


def _of_dockerfile() -> set[str]:
    """What its first line names."""
    first = (ROOT / "Dockerfile").read_text().splitlines()[0]
    named = re.findall(r"SERVICE=(\w+)", first) + re.split(r", ", first.partition("(")[2].partition(")")[0])
    return {f"orchestrator-{name}" for name in named}


def version_of_code() -> str:
    found: str = tomllib.loads((ROOT / "shared" / "pyproject.toml").read_text())["project"]["version"]
    return found
