"""What the runner may do in the cluster: what its executor does, there, and nothing else."""

from collections.abc import Iterator, Mapping

from tests.support.manifests.documents import Document, Manifests, label_of, namespace_of

VERBS: Mapping[tuple[str, str], frozenset[str]] = {
    ("batch", "jobs"): frozenset({"create", "delete", "get", "list", "watch"}),
    ("", "pods"): frozenset({"list", "watch"}),
    ("", "pods/log"): frozenset({"get"}),
    ("", "secrets"): frozenset({"create", "delete"}),
    ("", "events"): frozenset({"list"}),
}
TASKS = "orchestrator-tasks"
RUNNER = {"kind": "ServiceAccount", "name": "runner", "namespace": "orchestrator"}


def check_rights(manifests: Manifests) -> Iterator[str]:
    for each in manifests.of_kind("ClusterRole", "ClusterRoleBinding"):
        yield f"{label_of(each)}: nothing needs rights in the whole cluster"
    for role in manifests.of_kind("Role"):
        if namespace_of(role) != TASKS:
            yield f"{label_of(role)}: only {TASKS} may be changed"
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
