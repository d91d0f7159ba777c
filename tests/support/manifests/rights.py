"""What the runner may do in the cluster: what its executor does, there, and nothing else."""

from collections.abc import Iterator

from tests.support.manifests.documents import Document, Manifests, label_of, namespace_of

from orchestrator_runner.executors.kubernetes.verbs import VERBS

RUNNER = {"kind": "ServiceAccount", "name": "runner", "namespace": "orchestrator"}


def check_rights(manifests: Manifests) -> Iterator[str]:
    runner = manifests.find("Deployment", "runner")
    tasks = manifests.environment(runner)["ORCHESTRATOR_KUBERNETES_NAMESPACE"]
    for each in manifests.of_kind("ClusterRole", "ClusterRoleBinding"):
        yield f"{label_of(each)}: nothing needs rights in the whole cluster"
    for role in manifests.of_kind("Role"):
        if namespace_of(role) != tasks:
            yield f"{label_of(role)}: only {tasks} may be changed"
        found = _verbs(role)
        for (group, resource), verbs in VERBS.items():
            if lacking := verbs - found.get((group, resource), frozenset()):
                yield f"{label_of(role)}: lacks {', '.join(sorted(lacking))} of {resource}"
        for (group, resource), verbs in found.items():
            if needless := verbs - VERBS.get((group, resource), frozenset()):
                yield f"{label_of(role)}: may {', '.join(sorted(needless))} {resource}, which no code does"
    for binding in manifests.of_kind("RoleBinding"):
        if binding["subjects"] != [RUNNER]:
            yield f"{label_of(binding)}: gives the rights to others than the runner"


def _verbs(role: Document) -> dict[tuple[str, str], frozenset[str]]:
    found: dict[tuple[str, str], frozenset[str]] = {}
    for rule in role["rules"]:
        for group in rule["apiGroups"]:
            for resource in rule["resources"]:
                key = (group, resource)
                found[key] = found.get(key, frozenset()) | frozenset(rule["verbs"])
    return found
