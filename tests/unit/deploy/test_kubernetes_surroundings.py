"""What goes with deploy/kubernetes: Jobs of tasks, rules of Prometheus, the broker, `make-secrets`."""

import json
import re
import subprocess
from uuid import UUID

import yaml
from tests.support.documentation import ROOT
from tests.support.manifests import documents
from tests.support.manifests.documents import KUBERNETES, make_secrets, manifests
from tests.support.manifests.schemas import problems_of
from tests.support.manifests.workloads import restricted
from tests.support.stack_settings import RIGHTS

from orchestrator_runner.executors.kubernetes.documents import Terms, job_document, secret_document
from orchestrator_runner.executors.port import Execution
from orchestrator_shared.definitions.kubernetes_component import KubernetesComponent


def test_the_jobs_of_tasks_are_valid_and_restricted() -> None:
    """What the runner creates in the namespace of tasks."""
    execution = Execution(
        job_id=UUID(int=1),
        attempt=1,
        argv=(),
        environment={},
        config={"component": "c", "parameters": {}},
        timeout_seconds=60,
    )
    image = f"registry.example.com/orchestrator-components@sha256:{'0' * 64}"
    section = KubernetesComponent.model_validate(
        {
            "image": image,
            "command": ["python", "-m", "orchestrator_components.csv_extractor"],
            "resources": {"requests": {"cpu": "500m"}, "limits": {"memory": "1Gi"}},
            "node_selector": {"disk": "fast"},
            "tolerations": [{"key": "batch", "operator": "Exists"}],
            "service_account": "loader",
            "volumes": [{"claim": "files", "path": "/files"}],
        }
    )
    job = job_document(execution, section, Terms(grace_seconds=10, keep_seconds=600))
    created = {**job, "metadata": {**job["metadata"], "namespace": "orchestrator-tasks", "uid": "1"}}
    secret = secret_document(execution, created, callback_url="http://api.orchestrator:8080/v1/callbacks/x")

    assert [problem for each in (job, secret) for problem in problems_of(each)] == []
    assert list(restricted(job)) == []


def test_the_rules_of_prometheus_become_documents_for_its_operator() -> None:
    done = subprocess.run(
        ["sh", str(KUBERNETES / "make-rules")], capture_output=True, text=True, check=True, timeout=60
    )
    made = list(yaml.safe_load_all(done.stdout))
    files = sorted((ROOT / "deploy" / "prometheus" / "rules").glob("*.yml"))
    assert [each["spec"] for each in made] == [yaml.safe_load(file.read_text()) for file in files]
    assert [problem for each in made for problem in problems_of(each)] == []
    assert len({each["metadata"]["name"] for each in made}) == len(files) > 0


def test_the_rules_and_the_pod_monitor_agree_on_the_names_of_jobs() -> None:
    """An alert that names its services by `job` needs the label as docker compose gives it."""
    (endpoint,) = manifests("production").find("PodMonitor", "services")["spec"]["podMetricsEndpoints"]
    assert endpoint["relabelings"] == [
        {"sourceLabels": ["__meta_kubernetes_pod_label_app_kubernetes_io_name"], "targetLabel": "job"}
    ]
    rules = (ROOT / "deploy" / "prometheus" / "rules" / "orchestrator.alerts.yml").read_text()
    assert set(documents.SERVICES) == {
        name for found in re.findall(r'job=~"([^"]+)"', rules) for name in found.split("|")
    }


def test_the_broker_is_set_up_as_in_docker_compose() -> None:
    lines = (ROOT / "deploy" / "rabbitmq" / "orchestrator.conf").read_text().splitlines()
    production = manifests("production").find("RabbitmqCluster", "rabbitmq")["spec"]["rabbitmq"]
    local = (KUBERNETES / "overlays" / "local" / "rabbitmq.conf").read_text().splitlines()
    assert local[: len(lines)] == lines, "and TLS after them"
    assert set(lines) <= set(production["additionalConfig"].splitlines())


def test_the_users_of_the_broker_have_the_rights_of_docker_compose() -> None:
    wanted = json.loads((ROOT / "deploy" / "trial-secrets" / "rabbitmq-users.json").read_text())
    (secret,) = [each for each in make_secrets() if each["metadata"]["name"] == "rabbitmq-users"]
    written = json.loads(secret["stringData"]["orchestrator-users.json"])
    assert written["vhosts"] == wanted["vhosts"]
    assert written["permissions"] == wanted["permissions"]
    assert [each["name"] for each in written["users"]] == [each["name"] for each in wanted["users"]]


def test_the_hardened_users_of_the_broker_have_the_rights_with_which_the_services_are_tested() -> None:
    (secret,) = [each for each in make_secrets() if each["metadata"]["name"] == "rabbitmq-users"]
    first, hardened = (
        json.loads(secret["stringData"][key]) for key in ("orchestrator-users.json", "hardened-users.json")
    )
    administrator, *services = hardened["permissions"]
    assert (hardened["users"], administrator) == (first["users"], first["permissions"][0])
    assert {
        each["user"].removeprefix("orchestrator_").replace("_", "-"): tuple(
            each[right] for right in ("configure", "write", "read")
        )
        for each in services
    } == RIGHTS


def test_make_secrets_makes_each_password_once() -> None:
    values = [
        value for each in make_secrets() for key, value in each["stringData"].items() if key.endswith("-url")
    ]
    assert len(set(values)) == len(values) == 11
    (exporter,) = [each for each in make_secrets() if each["metadata"]["name"] == "postgres-exporter"]
    (owner,) = [each for each in make_secrets() if each["metadata"]["name"] == "migrate"]
    password = exporter["stringData"]["database-password"]
    assert owner["stringData"]["database-password-exporter"] == password
    environment = manifests("local").environment
    urls = [
        environment(manifests("local").find("Deployment", name))["ORCHESTRATOR_DATABASE_URL"]
        for name in documents.SERVICES
    ]
    migrate = environment(manifests("local").find("Job", "migrate"))
    for name, url in zip(documents.SERVICES, urls, strict=True):
        password = migrate[f"ORCHESTRATOR_DATABASE_PASSWORD_{name.upper().replace('-', '_')}"]
        assert f"://orchestrator_{name.replace('-', '_')}:{password}@" in url
