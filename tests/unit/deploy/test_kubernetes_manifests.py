"""deploy/kubernetes, rendered by the kustomize of kubectl: every check holds, and each of them can fail."""

import base64
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.support.manifests.documents import Manifests, container_of, manifests, pod_of
from tests.support.manifests.encryption import check_encryption
from tests.support.manifests.images import check_images
from tests.support.manifests.network import check_network
from tests.support.manifests.parts import (
    container,
    deployment,
    egress,
    secret,
    settings,
    volume,
    with_,
    without,
)
from tests.support.manifests.references import check_references
from tests.support.manifests.rights import check_rights
from tests.support.manifests.scaling import check_scaling
from tests.support.manifests.schemas import check_schemas
from tests.support.manifests.selectors import check_selectors
from tests.support.manifests.settings import check_nothing_secret, check_settings
from tests.support.manifests.workloads import check_workloads

Check = Callable[[Manifests], Iterator[str]]
Break = Callable[[Manifests], Any]
CHECKS: tuple[Check, ...] = (
    check_schemas,
    check_references,
    check_selectors,
    check_network,
    check_encryption,
    check_settings,
    check_nothing_secret,
    check_workloads,
    check_rights,
    check_images,
    check_scaling,
)
OVERLAYS = ("local", "production", "gateway")


@pytest.mark.parametrize("overlay", OVERLAYS)
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_it_holds(overlay: str, check: Check) -> None:
    assert list(check(manifests(overlay))) == []


BREAKS: tuple[tuple[Check, Break, str], ...] = (
    (check_schemas, lambda m: deployment(m, "api")["spec"].update(replica=2), "'replica'"),
    (check_schemas, lambda m: deployment(m, "api")["spec"].update(replicas="2"), "is not of type 'integer'"),
    (
        check_schemas,
        lambda m: settings(m, "runner-settings").update(ORCHESTRATOR_PROCESS_EXECUTOR=False),
        "False",
    ),
    (check_schemas, lambda m: m.find("Cluster", "postgres")["spec"].update(replicas=3), "'replicas'"),
    (check_schemas, lambda m: m.find("Cluster", "postgres")["spec"]["storage"].update(size="big"), "'big'"),
    (check_schemas, lambda m: m.find("RabbitmqCluster", "rabbitmq")["spec"].update(nodes=3), "'nodes'"),
    (check_schemas, lambda m: m.find("ScaledObject", "runner")["spec"].pop("triggers"), "'triggers'"),
    (check_schemas, lambda m: m.find("PodMonitor", "services")["spec"].update(ports=[]), "'ports'"),
    (check_schemas, lambda m: with_(m, "{apiVersion: x/v1, kind: Lamp, metadata: {name: l}}"), "Lamp"),
    (
        check_references,
        lambda m: pod_of(deployment(m, "api"))["spec"].update(serviceAccountName="apu"),
        "apu",
    ),
    (
        check_references,
        lambda m: container(m, "api")["envFrom"][0]["configMapRef"].update(name="s"),
        "ConfigMap s",
    ),
    (
        check_references,
        lambda m: settings(m, "settings").update(ORCHESTRATOR_AMQP_URL_FILE="/run/secrets/orchestrator/url"),
        "make-secrets writes no /run/secrets/orchestrator/url",
    ),
    (check_references, lambda m: container(m, "runner")["volumeMounts"][0].update(name="w"), "no volume w"),
    (
        check_references,
        lambda m: pod_of(deployment(m, "api"))["spec"]["volumes"].append({"name": "v"}),
        "mounts: v",
    ),
    (
        check_references,
        lambda m: m.find("Service", "api")["spec"]["ports"][0].update(targetPort="web"),
        "port web",
    ),
    (check_references, lambda m: without(m, "Service", "api"), "no Service api"),
    (check_references, lambda m: without(m, "Role", "runner", "orchestrator-tasks"), "no Role runner"),
    (check_references, lambda m: without(m, "ServiceAccount", "runner"), "no ServiceAccount runner"),
    (check_references, lambda m: without(m, "Cluster", "postgres"), "no Service postgres-rw"),
    (check_references, lambda m: without(m, "Deployment", "runner"), "no Deployment runner"),
    (
        check_references,
        lambda m: settings(m, "runner-settings").update(ORCHESTRATOR_API_URL="http://api.orchestrator:80"),
        "no Service api in orchestrator with port 80",
    ),
    (
        check_references,
        lambda m: settings(m, "notifier-settings").update(ORCHESTRATOR_SMTP_HOST="post"),
        "Service post",
    ),
    (
        check_references,
        lambda m: m.find("Cluster", "postgres")["spec"]["bootstrap"]["initdb"]["secret"].update(name="pw"),
        "make-secrets writes no pw",
    ),
    (
        check_references,
        lambda m: m.find("Ingress", "api")["spec"]["tls"][0].update(secretName="t"),
        "Secret t",
    ),
    (
        check_references,
        lambda m: m.find("PodMonitor", "services")["spec"]["podMetricsEndpoints"][0].update(port="m"),
        "have no port m",
    ),
    (check_selectors, lambda m: pod_of(deployment(m, "api"))["metadata"].update(labels={}), "its own pods"),
    (
        check_selectors,
        lambda m: deployment(m, "api")["spec"].update(
            selector={"matchLabels": {"app.kubernetes.io/part-of": "orchestrator"}}
        ),
        "takes the pods of others",
    ),
    (check_selectors, lambda m: m.find("Service", "api")["spec"]["selector"].update(x="y"), "selects no pod"),
    (
        check_selectors,
        lambda m: m.find("NetworkPolicy", "notifier-to-mail")["spec"].update(
            podSelector={"matchLabels": {"a": "b"}}
        ),
        "selects no pod",
    ),
    (check_selectors, lambda m: without(m, "PodDisruptionBudget", "runner"), "runner: has 0"),
    (
        check_selectors,
        lambda m: m.find("PodDisruptionBudget", "api").update(
            spec={"minAvailable": 1, "selector": {"matchLabels": {"app.kubernetes.io/name": "api"}}}
        ),
        "blocks drains",
    ),
    (
        check_network,
        lambda m: without(m, "NetworkPolicy", "default-deny"),
        "orchestrator has no policy that denies everything",
    ),
    (check_network, lambda m: without(m, "NetworkPolicy", "names"), "api cannot resolve names"),
    (
        check_network,
        lambda m: without(m, "NetworkPolicy", "to-broker"),
        "scheduler cannot reach rabbitmq:5671",
    ),
    (check_network, lambda m: egress(m, "to-database").pop("to"), "api can reach internet:5432"),
    (
        check_network,
        lambda m: egress(m, "to-database")["ports"][0].update(port=6432),
        "cannot reach postgres:5432",
    ),
    (
        check_network,
        lambda m: without(m, "NetworkPolicy", "tasks-to-api", "orchestrator-tasks"),
        "task cannot reach api:8080",
    ),
    (
        check_network,
        lambda m: egress(m, "runner-to-http")["to"][0]["ipBlock"].pop("except"),
        "runner can reach metadata of the cloud:80",
    ),
    (
        check_network,
        lambda m: without(m, "NetworkPolicy", "prometheus-to-services"),
        "prometheus cannot reach api",
    ),
    (check_network, lambda m: without(m, "NetworkPolicy", "people-to-api"), "ingress cannot reach api:8080"),
    (
        check_network,
        lambda m: [
            rule["ports"].append({"port": 5672})
            for rule in (egress(m, "to-broker"), m.find("NetworkPolicy", "rabbitmq")["spec"]["ingress"][0])
        ],
        "rabbitmq:5672, which is in no table",
    ),
    (
        check_encryption,
        lambda m: secret(m, "api").update({"amqp-url": "amqp://a:b@rabbitmq.orchestrator:5671/"}),
        "without encryption",
    ),
    (check_encryption, lambda m: settings(m, "settings").pop("ORCHESTRATOR_AMQP_CA_FILE"), "any certificate"),
    (
        check_encryption,
        lambda m: secret(m, "rabbitmq-tls").update(secret(m, "postgres-tls")),
        "rabbitmq.orchestrator is for another host",
    ),
    (
        check_encryption,
        lambda m: secret(m, "notifier").update({"ca.crt": secret(m, "rabbitmq-tls")["tls.crt"]}),
        "signed by another authority",
    ),
    (
        check_encryption,
        lambda m: container(m, "postgres-exporter")["env"][0].update(value="postgres-rw.orchestrator:5432/o"),
        "postgres-exporter: any certificate will do",
    ),
    (
        check_references,
        lambda m: container(m, "postgres-exporter")["env"][0].update(value="postgres.orchestrator:5432/o"),
        "DATA_SOURCE_URI: there is no Service postgres",
    ),
    (
        check_network,
        lambda m: without(m, "NetworkPolicy", "postgres-exporter"),
        "reach postgres-exporter:9187",
    ),
    (
        check_encryption,
        lambda m: m.find("RabbitmqCluster", "rabbitmq")["spec"].pop("tls"),
        "rabbitmq.orchestrator has no certificate",
    ),
    (
        check_settings,
        lambda m: settings(m, "api-settings").pop("ORCHESTRATOR_LINK_KEY_FILE"),
        "ORCHESTRATOR_LINK_KEY: is not set",
    ),
    (
        check_settings,
        lambda m: settings(m, "settings").update(ORCHESTRATOR_LOG_LEVEL="loud"),
        "ORCHESTRATOR_LOG_LEVEL",
    ),
    (
        check_settings,
        lambda m: settings(m, "settings").update(ORCHESTRATOR_LOUD="1"),
        "ORCHESTRATOR_LOUD is no setting",
    ),
    (
        check_settings,
        lambda m: settings(m, "api-settings").update(ORCHESTRATOR_PUBLIC_URL="https://other.example.com"),
        "ORCHESTRATOR_PUBLIC_URL must be the same",
    ),
    (
        check_settings,
        lambda m: secret(m, "notifier").update({"link-key": base64.b64encode(bytes(32)).decode()}),
        "ORCHESTRATOR_LINK_KEY must be the same",
    ),
    (
        check_settings,
        lambda m: container_of(m.find("Job", "migrate"))["env"].clear(),
        "ORCHESTRATOR_DATABASE_PASSWORD_EXPORTER, ORCHESTRATOR_DATABASE_PASSWORD_NOTIFIER",
    ),
    (
        check_settings,
        lambda m: settings(m, "api-settings").update(ORCHESTRATOR_ADMIN_TOKEN="t" * 40),
        "ORCHESTRATOR_ADMIN_TOKEN: secrets come from files",
    ),
    (check_nothing_secret, lambda m: with_(m, "{kind: Secret, metadata: {name: s}}"), "do not belong"),
    (
        check_nothing_secret,
        lambda m: settings(m, "settings").update(ORCHESTRATOR_LINK_KEY="k"),
        "is a secret",
    ),
    (
        check_workloads,
        lambda m: m.find("Namespace", "orchestrator", None)["metadata"].update(labels={}),
        "restricted",
    ),
    (check_workloads, lambda m: pod_of(deployment(m, "api"))["spec"].pop("securityContext"), "runs as root"),
    (
        check_workloads,
        lambda m: container(m, "api")["securityContext"].pop("capabilities"),
        "keeps capabilities",
    ),
    (
        check_workloads,
        lambda m: container(m, "api")["securityContext"].pop("allowPrivilegeEscalation"),
        "escalate",
    ),
    (
        check_workloads,
        lambda m: container(m, "api")["securityContext"].update(readOnlyRootFilesystem=False),
        "can write to its image",
    ),
    (
        check_workloads,
        lambda m: pod_of(deployment(m, "api"))["spec"]["volumes"].append(
            {"name": "h", "hostPath": {"path": "/"}}
        ),
        "mounts hostPath",
    ),
    (check_workloads, lambda m: container(m, "api").pop("resources"), "does not say what it needs"),
    (check_workloads, lambda m: container(m, "api").update(ports=[]), "startupProbe does not get /livez"),
    (
        check_workloads,
        lambda m: container(m, "api").pop("readinessProbe"),
        "readinessProbe does not get /readyz",
    ),
    (
        check_workloads,
        lambda m: pod_of(deployment(m, "runner"))["spec"].update(terminationGracePeriodSeconds=30),
        "needs 40 seconds to end",
    ),
    (check_workloads, lambda m: volume(m, "api", "database-ca").pop("items"), "can sign certificates"),
    (check_references, lambda m: volume(m, "api", "database-ca").update(secretName="ca"), "no Secret ca"),
    (check_references, lambda m: volume(m, "api", "secrets").update(secretName="scheduler"), "/admin-token"),
    (check_workloads, lambda m: container(m, "api").pop("lifecycle"), "takes no more connections"),
    (
        check_workloads,
        lambda m: pod_of(deployment(m, "api"))["spec"].update(automountServiceAccountToken=True),
        "mounts a token",
    ),
    (check_workloads, lambda m: container(m, "runner")["volumeMounts"].clear(), "cannot write to /var/lib"),
    (check_rights, lambda m: m.find("Role", "runner", "orchestrator-tasks")["rules"].pop(), "lacks"),
    (
        check_rights,
        lambda m: m.find("Role", "runner", "orchestrator-tasks")["rules"][0]["verbs"].append("patch"),
        "may patch jobs",
    ),
    (
        check_rights,
        lambda m: m.find("RoleBinding", "runner", "orchestrator-tasks")["subjects"][0].update(name="api"),
        "others than the runner",
    ),
    (
        check_rights,
        lambda m: m.find("Role", "runner", "orchestrator-tasks")["metadata"].update(namespace="x"),
        "only",
    ),
    (check_rights, lambda m: with_(m, "{kind: ClusterRole, metadata: {name: c}}"), "the whole cluster"),
    (
        check_images,
        lambda m: container(m, "api").update(image="orchestrator-apu"),
        "builds no orchestrator-apu",
    ),
    (check_images, lambda m: container(m, "api").update(image="nginx:1"), "docker compose has no nginx:1"),
    (
        check_images,
        lambda m: container(m, "api").update(image="registry.example.com/orchestrator-api:9.9"),
        "is not version",
    ),
    (
        check_images,
        lambda m: m.find("RabbitmqCluster", "rabbitmq")["spec"].update(image="rabbitmq:3"),
        "rabbitmq:3",
    ),
    (
        check_images,
        lambda m: m.find("Cluster", "postgres")["spec"].update(imageName="postgres:15"),
        "PostgreSQL",
    ),
    (
        check_images,
        lambda m: settings(m, "runner-settings").update(ORCHESTRATOR_ALLOWED_IMAGES='["orchestrator-x"]'),
        "builds no orchestrator-x",
    ),
    (check_scaling, lambda m: deployment(m, "runner")["spec"].update(replicas=2), "undo what KEDA decided"),
    (
        check_scaling,
        lambda m: settings(m, "runner-settings").update(ORCHESTRATOR_RUNNER_SLOTS="8"),
        "can never exceed",
    ),
    (
        check_scaling,
        lambda m: m.find("ScaledObject", "runner")["spec"]["triggers"][0]["metadata"].update(
            query='sum(orchestrator_queue{x="y"})'
        ),
        "no metric orchestrator_queue",
    ),
    (
        check_scaling,
        lambda m: m.find("ScaledObject", "runner")["spec"].update(minReplicaCount=0),
        "two runners",
    ),
)


@pytest.mark.parametrize(
    ("check", "break_it", "finding"),
    BREAKS,
    ids=[f"{check.__name__}: {finding}" for check, _, finding in BREAKS],
)
def test_it_can_fail(check: Check, break_it: Break, finding: str) -> None:
    found = manifests("production")
    broken = break_it(found)

    findings = list(check(broken if isinstance(broken, Manifests) else found))

    assert any(finding in each for each in findings), findings


@pytest.mark.parametrize(
    ("break_it", "finding"),
    [
        (lambda m: settings(m, "rabbitmq").update({"orchestrator.conf": ""}), "accepts connections without"),
        (lambda m: container_of(m.find("StatefulSet", "postgres"))["args"].pop(0), "accepts connections"),
        (lambda m: container_of(m.find("StatefulSet", "postgres"))["args"].append("--key=/k"), "is no /k"),
        (lambda m: settings(m, "settings").pop("ORCHESTRATOR_DATABASE_CA_FILE"), "any certificate will do"),
        (lambda m: container_of(m.find("Job", "migrate"))["env"].pop(), "any certificate will do"),
    ],
)
def test_the_servers_of_a_trial_are_encrypted(break_it: Break, finding: str) -> None:
    found = manifests("local")
    break_it(found)
    assert any(finding in each for each in check_encryption(found))


def test_every_check_is_broken_at_least_once() -> None:
    assert {check for check, *_ in BREAKS} == set(CHECKS)
