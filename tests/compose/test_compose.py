"""docker compose as people use it: all comes up, works, and goes on whatever happens to its containers."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
import yaml
from tests.support.compose_stack import CONTAINER_USER, IMAGES, SERVICES, TOKEN, ComposeStack, compose_stack
from tests.support.documentation import ROOT

from orchestrator_local.servers.processes import free_port

COMMAND = ROOT / "components/src/orchestrator_components/definitions/command.yaml"
SERVERS = ("postgres", "rabbitmq")
FAULTS = ("kill", "restart", "pause", "disconnect")
RUN_SECONDS = 120
pytestmark = [pytest.mark.timeout(900)]
NUMBERS = count(1)


@pytest.fixture(scope="module")
def stack() -> Iterator[ComposeStack]:
    with compose_stack() as built:
        print(f"\nup --wait: {built.up(profile='core'):.1f} s")
        built.ask("POST", "/v1/projects", {"id": "demo", "name": "Demo"})
        document = yaml.safe_load(COMMAND.read_text())
        built.ask("PUT", "/v1/components/command", {**document, "after_crash": "rerun"})
        yield built


def run(stack: ComposeStack, argv: list[str]) -> str:
    """Request a job of its own configuration; returns the job's id. May be repeated: it is one request."""
    name = f"job-{next(NUMBERS)}"
    path = f"/v1/projects/demo/configurations/command/{name}"
    stack.ask_until_answered("PUT", path, {"name": name, "parameters": {"argv": argv}})
    jobs = f"/v1/projects/demo/jobs?component=command&configuration={name}"
    try:
        return str(stack.ask("POST", f"{path}/runs")["job_id"])
    except OSError:  # it may have arrived all the same
        found = stack.ask_until_answered("GET", jobs)["items"]
        return str(found[0]["id"] if found else stack.ask_until_answered("POST", f"{path}/runs")["job_id"])


def ended(stack: ComposeStack, job: str) -> dict[str, Any]:
    deadline = time.monotonic() + RUN_SECONDS
    while True:
        found: dict[str, Any] = stack.ask_until_answered("GET", f"/v1/projects/demo/jobs/{job}")
        if found["status"] in ("success", "warning", "error", "terminated", "cancelled"):
            return found
        assert time.monotonic() < deadline, found
        time.sleep(0.3)


def test_a_job_runs(stack: ComposeStack) -> None:
    assert ended(stack, run(stack, ["true"]))["status"] == "success"


def test_no_container_has_a_secret_in_its_environment(stack: ComposeStack) -> None:
    for service in (*SERVICES, *SERVERS):
        shown = stack.engine.docker("inspect", "--format={{json .Config}}", stack.container(service)).stdout
        assert "trial-only" not in shown, service


def test_services_have_no_rights(stack: ComposeStack) -> None:
    for service in SERVICES:
        script = "id -u; touch /x 2>/dev/null || echo read-only; ls /run/secrets | wc -l"
        told = stack.run("exec", "-T", service, "sh", "-c", script).split()
        assert told[:2] == ["10001", "read-only"], service


def test_three_runners(stack: ComposeStack) -> None:
    stack.up("--scale", "runner=3")
    jobs = [run(stack, ["sleep", "0.2"]) for _ in range(12)]
    assert {ended(stack, job)["status"] for job in jobs} == {"success"}
    wanted = {*SERVICES, "rabbitmq", "rabbitmq-queues", "postgresql"}
    deadline = time.monotonic() + 60
    while True:
        targets = stack.ask("GET", "/api/v1/targets", port="PROMETHEUS")["data"]["activeTargets"]
        up = [each["labels"]["job"] for each in targets if each["health"] == "up"]
        if wanted <= set(up) and up.count("runner") == 3:
            break
        assert time.monotonic() < deadline, targets
        time.sleep(1)
    rules = stack.ask("GET", "/api/v1/rules", port="PROMETHEUS")["data"]["groups"]
    assert {rule["health"] for group in rules for rule in group["rules"]} <= {"ok", "unknown"}
    (heard,) = stack.ask("GET", "/api/v1/query?query=pg_up", port="PROMETHEUS")["data"]["result"]
    assert heard["value"][1] == "1", "the exporter reads no statistics"


def test_an_alert_becomes_a_mail(stack: ComposeStack) -> None:
    stack.up()
    (receiver,) = stack.ask("GET", "/api/v1/alertmanagers", port="PROMETHEUS")["data"]["activeAlertmanagers"]
    assert receiver["url"] == "http://alertmanager:9093/api/v2/alerts"
    alert = {
        "labels": {"alertname": "OrchestratorTried", "severity": "page"},
        "annotations": {"summary": "x"},
    }
    stack.ask("POST", "/api/v2/alerts", [alert], port="ALERTMANAGER")
    deadline = time.monotonic() + 120
    while not any("OrchestratorTried" in mail["Subject"] for mail in mails(stack)):
        assert time.monotonic() < deadline, mails(stack)
        time.sleep(1)


def mails(stack: ComposeStack) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = stack.ask("GET", "/api/v1/messages", port="MAIL")["messages"]
    return found


def test_the_demo_plays_on_it(stack: ComposeStack) -> None:
    """As deploy-with-docker-compose.md says; its data is fetched here: containers reach no registry."""
    example = ROOT / "examples" / "nycflights"
    folder = stack.files / "demo" / "nycflights"
    subprocess.run([sys.executable, str(example / "fetch_data.py"), str(folder)], check=True)
    for each in (stack.files / "demo", folder, *folder.iterdir()):
        os.chown(each, CONTAINER_USER, CONTAINER_USER)
    stack.up(profile="demo")
    warehouse = "postgresql://warehouse:trial-only@{}/warehouse"
    played = subprocess.run(
        [
            *(sys.executable, "-c", "import sys; from orchestrator_cli.main import main; sys.exit(main())"),
            *("demo", "--api-url", f"http://127.0.0.1:{stack.ports['ORCHESTRATOR_API']}"),
            *("--mail-url", f"http://127.0.0.1:{stack.ports['MAIL']}"),
            *("--runner-warehouse-url", warehouse.format("warehouse:5432")),
            *("--warehouse-url", warehouse.format(f"127.0.0.1:{stack.ports['WAREHOUSE']}")),
        ],
        cwd=ROOT,
        env={**os.environ, "ORCHESTRATOR_TOKEN": TOKEN},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    print(played.stdout)
    assert played.returncode == 0, played.stdout + played.stderr
    assert "Every outcome was the expected one." in played.stdout


def test_the_image_of_components_runs_one(stack: ComposeStack) -> None:
    """As a Job of a cluster does: its input in a file, its result in the termination message."""
    script = (
        "set -e; mkdir -p /tmp/in /tmp/data; cat >/tmp/in/input.json; gzip /tmp/in/input.json;"
        "export ORCHESTRATOR_TASK_INPUT=/tmp/in/input.json.gz ORCHESTRATOR_DATA_DIR=/tmp/data;"
        "export ORCHESTRATOR_TASK_POD=p ORCHESTRATOR_TASK_MESSAGE=/tmp/message;"
        "service -- python -m orchestrator_components.command; echo; cat /tmp/message"
    )
    given: dict[str, Any] = {"environment": {"ORCHESTRATOR_ALLOWED_COMMANDS": '[["echo"]]'}}
    given |= {"config": {"parameters": {"argv": ["echo", "hello"]}}, "state": None, "report": None}
    options = ("--rm", "--interactive", "--read-only", "--tmpfs=/tmp", "--network=none", "--entrypoint=sh")
    command = ("run", *options, "orchestrator-components", "-c", script)
    ran = stack.engine.docker(*command, check=False, given=json.dumps(given))
    assert ran.returncode == 0, ran
    assert "hello" in ran.stdout, ran
    assert '"exit": 0' in ran.stdout or '"exit":0' in ran.stdout, ran


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("service", [*SERVICES, *SERVERS])
def test_a_fault_of_one_container_loses_no_job(stack: ComposeStack, service: str, fault: str) -> None:
    """A job requested before, and one requested meanwhile: both end well, once everything is back."""
    before = run(stack, ["sleep", "1"])
    container = stack.container(service)
    break_it(stack, container, fault)
    time.sleep(2)  # the length of the fault
    mend_it(stack, container, fault)
    after = run(stack, ["true"])
    assert ended(stack, after)["status"] == "success"
    first = ended(stack, before)
    assert first["status"] == "success", first


def break_it(stack: ComposeStack, container: str, fault: str) -> None:
    match fault:
        case "kill":
            stack.engine.docker("kill", container)
        case "restart":
            stack.engine.docker("restart", "--time", "20", container)
        case "pause":
            stack.engine.docker("pause", container)
        case "disconnect":
            stack.engine.docker("network", "disconnect", "orchestrator_default", container)


def mend_it(stack: ComposeStack, container: str, fault: str) -> None:
    match fault:
        case "kill":
            stack.engine.docker("start", container)  # the engine restarts only what ended by itself
        case "pause":
            stack.engine.docker("unpause", container)
        case "disconnect":
            alias = container.removeprefix("orchestrator-").removesuffix("-1")
            network = ("network", "connect", "--alias", alias, "orchestrator_default", container)
            stack.engine.docker(*network)


BARE = "import fastapi, uvicorn; uvicorn.run(fastapi.FastAPI(), host='0.0.0.0', port=8080)"


def test_how_long_a_start_takes(stack: ComposeStack) -> None:
    """A figure: from `docker start` to the first good answer, beside a bare FastAPI in the same image."""
    docker, port = stack.engine.docker, free_port()
    stack.ports["BARE"] = port
    docker("stop", stack.container("api"))
    docker("start", stack.container("api"))
    began = time.monotonic()
    stack.ask_until_answered("GET", "/readyz")
    ours = time.monotonic() - began
    options = ("--name=bare", "--network=orchestrator_default", f"--publish=127.0.0.1:{port}:8080")
    docker("create", *options, "--entrypoint=python", "orchestrator-api", "-c", BARE)
    docker("start", "bare")
    began = time.monotonic()
    stack.ask_until_answered("GET", "/openapi.json", port="BARE")
    bare = time.monotonic() - began
    docker("rm", "--force", "bare")
    print(f"\nstart to ready: api {ours:.1f} s, bare FastAPI {bare:.1f} s")
    assert ours > 0


def test_what_images_add_to_their_base(stack: ComposeStack) -> None:
    """The base here is a stand-in: python:3.12-slim has about 130 MB, and with it none may exceed 200."""
    sizes = {}
    for name in ("standin-python", *(f"orchestrator-{each}" for each in IMAGES)):
        size = int(stack.engine.docker("image", "inspect", "--format={{.Size}}", name).stdout)
        sizes[name] = size // 1_000_000
    base = sizes.pop("standin-python")
    print("\n" + "\n".join(f"{name}: {size} MB, {size - base} on its base" for name, size in sizes.items()))
    assert max(sizes.values()) - base <= 70
