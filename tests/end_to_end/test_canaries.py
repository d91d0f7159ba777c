"""A secret in every place that takes one: none comes out anywhere, and each can be encrypted anew."""

import base64
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import httpx
import pytest
from tests.support.canaries import (
    Canaries,
    Seen,
    Spy,
    environment_of,
    may,
    messages_of,
    processes,
    streams_of,
)
from tests.support.http_service import HttpService, Received, Reply, http_service
from tests.support.pipelines import ENCRYPTION_KEY
from tests.support.sealed_columns import everything_in, sealed_columns
from tests.support.stack import PROJECT, Stack, open_stack
from tests.support.stack_settings import ADMIN_TOKEN, LINK_KEY
from tests.support.waiting import eventually

from orchestrator_local.servers.processes import free_port
from orchestrator_shared.database.key_rotation import KeyRotation
from orchestrator_shared.database.rotated_tables import TABLES
from orchestrator_shared.security import Encryption

pytestmark = pytest.mark.xdist_group("canaries")
OWN_PAGE = {"Sec-Fetch-Site": "same-origin"}
NEW_KEY = bytes(range(64, 96))

PROGRAM = """
import json, os, sys, time
directory, folder = os.environ["ORCHESTRATOR_DATA_DIR"], os.environ["FOLDER"]
parameters = json.load(open(directory + "/config.json"))["parameters"]
told = {"parameters": parameters, "key": os.environ["API_KEY"], "token": os.environ["ORCHESTRATOR_TOKEN"]}
open(f"{folder}/told-{os.environ['ORCHESTRATOR_JOB_ID']}", "w").write(json.dumps(told))
for stream in (sys.stdout, sys.stderr):
    print(json.dumps(told), *told.values(), file=stream, flush=True)
while not os.path.exists(folder + "/go"):
    time.sleep(0.02)
open(directory + "/state.json", "w").write(json.dumps({"session": open(folder + "/state").read()}))
if parameters.get("fail"):
    sys.exit(f"failed with {parameters} {told['key']} {told['token']}")
json.dump({"message": f"done with {parameters}"}, open(directory + "/result.json", "w"))
"""
"""Says all it knows, waits to be looked at, and keeps a secret of its own."""

MAY_BE_SEEN = {
    # What a component's document sets is not encrypted: docs/reference/component-contract.md says so.
    **dict.fromkeys(
        ("component environment", "component header"),
        r"database: catalog\.components\..*|answer: (GET|PUT) /v1/components/(teller|remote)"
        r"|answer: GET /v1/components",
    ),
    "token": r"answer: POST /v1/projects/demo/tokens",
    "refreshed token": r"answer: POST /v1/projects/demo/tokens/[^/]+/refresh",
    "link": r"mail",
    "session": r"answer: POST /v1/sessions",
}
"""Where a person is shown the secret, and the one documented exception."""


@dataclass
class World:
    """What runs, the secrets in it, and what was seen of them."""

    stack: Stack
    service: HttpService
    folder: Path
    canaries: Canaries = field(default_factory=Canaries)
    spy: Spy = field(default_factory=Spy)
    seen: list[Seen] = field(default_factory=list)

    def answer(self, request: Received) -> Reply:
        if request.target == "/runs":
            self.canaries.note("callback", request.json["notify"].rpartition("/")[2])
            return Reply(201, {"id": "r1", "ticket": self.canaries["ticket of a run elsewhere"]})
        is_over = (self.folder / "go").exists()
        return Reply(
            200, {"state": "ok" if is_over else "going", "keep": {"at": self.canaries["remote state"]}}
        )

    async def run(self, path: str, **given: Any) -> str:
        answer = await self.stack.robot.post(f"{path}/runs", given)
        return str(answer["job_id"])


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    api_port, metrics_port = free_port(), free_port()
    async with http_service(lambda request: made.answer(request)) as service:
        settings = {
            "api": {"ORCHESTRATOR_HTTP_PORT": str(api_port), "ORCHESTRATOR_METRICS_PORT": str(metrics_port)},
            "runner": {
                "ORCHESTRATOR_INTERNAL_HOSTS": f"127.0.0.1:{service.port}",
                "ORCHESTRATOR_API_URL": f"http://127.0.0.1:{api_port}",
                "FOLDER": str(tmp_path),
            },
            "all": {"ORCHESTRATOR_LOG_LEVEL": "debug"},
        }
        async with open_stack(tmp_path, settings=settings) as stack:
            made = World(stack, service, tmp_path)
            for client in stack.clients:
                made.spy.watch(client)
            (tmp_path / "state").write_text(made.canaries["state"])
            for name, text in (
                ("administrator's token", ADMIN_TOKEN),
                ("encryption key", ENCRYPTION_KEY),
                ("link key", LINK_KEY),
                *(
                    (f"database of {name}", told["ORCHESTRATOR_DATABASE_URL"])
                    for name, told in stack.environment.items()
                ),
                *(
                    (f"broker of {name}", told["ORCHESTRATOR_AMQP_URL"])
                    for name, told in stack.environment.items()
                ),
            ):
                made.canaries.note(name, urlsplit(text).password or text)
            yield made


async def define(world: World) -> None:
    """Components, configurations, variables and orchestrations, each with secrets of its own."""
    put, canaries = world.stack.person.put, world.canaries
    await put(
        "/v1/components/teller",
        {
            "name": "Teller",
            "type": "application",
            "command": ["{python}", "-S", "-c", PROGRAM],
            "environment": {"FOLDER": None, "API_KEY": canaries["component environment"]},
        },
    )
    url = world.service.url
    await put(
        "/v1/components/remote",
        {
            "name": "Remote",
            "type": "application",
            "executor": "http",
            "http": {
                "headers": {"Authorization": "Bearer {{ parameters.#token }}"},
                "start": {"url": f"{url}/runs", "body": {"notify": "{{ callback_url }}"}},
                "callback": {"state": "state"},
                "id": "id",
                "poll": {
                    "url": f"{url}/runs/{{{{ id }}}}",
                    "every": 1,
                    "state": "state",
                    "headers": {"X-Ticket": "{{ start.ticket }}", "X-Key": canaries["component header"]},
                },
                "states": {"success": ["ok"], "running": ["going"]},
                "result": {"state": "keep"},
                "cancel": {"url": f"{url}/runs/{{{{ id }}}}/cancel"},
            },
        },
    )
    await put("variables/warehouse", {"value": f"postgresql://u:{canaries['variable']}@h/d", "secret": True})
    one = {
        "#password": canaries["configuration"],
        "#dsn": "{{ vars.warehouse }}",
        "hosts": [{"#password": canaries["list"]}, {"#keys": {"a": [canaries["object"]]}}],
    }
    await put("configurations/teller/one", {"parameters": {**one, "#old": canaries["earlier version"]}})
    await put("configurations/teller/one", {"parameters": one})
    await put("configurations/teller/two", {"parameters": {"fail": True, "#password": canaries["failing"]}})
    await put("configurations/remote/one", {"parameters": {"#token": canaries["header"]}})
    await world.stack.apply(
        "configuration: teller/applied\n"
        f"parameters: {{'#password': {canaries['applied']}}}\n---\n"
        f"variables: {{'#applied': {canaries['applied variable']}}}\n"
    )
    below = {"parameters": {"parameters": {"#task": canaries["task"]}}}
    nested = {"parameters": {"parameters": {"one": {"#nested": canaries["nested task"]}}}}
    for name, tasks in (
        ("inner", [{"id": "one", "component": "teller", "configuration": "one", **below}]),
        (
            "outer",
            [
                {"id": "inner", "component": "orchestrator", "configuration": "inner", **nested},
                {"id": "two", "component": "teller", "configuration": "two", **below},
                {"id": "remote", "component": "remote", "configuration": "one"},
            ],
        ),
    ):
        await put(f"orchestrations/{name}", {"phases": [{"name": "Only", "tasks": tasks}]})
    drafted = {"parameters": {"parameters": {"#task": canaries["drafted task"]}}}
    step = {"operations": [{"operation": "set_tasks", "tasks": ["two"], "values": drafted}]}
    await world.stack.person.post("orchestrations/outer/draft/steps", step)
    listeners = [{"event": "error", "address": "oncall@example.com"}]
    await put("orchestrations/outer/notifications", {"subscriptions": listeners})


async def use_tokens(world: World) -> None:
    """Tokens that are made, refreshed and wrong."""
    canaries, person = world.canaries, world.stack.person
    made = await person.post("tokens", {"name": "canary", "scopes": ["read"]})
    canaries.note("token", made["token"])
    refreshed = await person.post(f"tokens/{made['id']}/refresh")
    canaries.note("refreshed token", refreshed["token"])
    for token, status in ((canaries["token"], 401), (canaries["refreshed token"], 200)):
        caller = world.stack.caller(token)
        world.spy.watch(caller.http)
        await caller.get("variables", status=status)
    wrong = world.stack.caller(canaries.note("wrong token", f"orc_wrong_{canaries['wrong']}"))
    world.spy.watch(wrong.http)
    await wrong.get("variables", status=401)


async def use_passwords(world: World) -> None:
    """A person who is invited by mail, chooses a password, signs in and changes it."""
    canaries, stack = world.canaries, world.stack
    await stack.person.post("members", {"email": "ada@example.com", "role": "editor"})

    def link() -> str:
        texts = [str(mail.message) for mail in stack.mails.messages if "ada@example.com" in mail.recipients]
        found = re.search(r"/links/([\w.=-]+)", "".join(texts).replace("=\n", ""))
        return found[1] if found else ""

    canaries.note("link", str(await eventually(link, 30)))
    anybody = stack.caller("")
    world.spy.watch(anybody.http)
    place = f"/v1/links/{canaries['link']}"
    await anybody.get(place)
    await anybody.post(place, {"password": canaries["password"]})
    signing_in = {"email": "ada@example.com", "password": canaries["wrong password"]}
    await anybody.call("POST", "/v1/sessions", signing_in, status=401)
    signing_in["password"] = canaries["password"]
    response = await anybody.http.post("/v1/sessions", json=signing_in, headers=OWN_PAGE)
    assert response.status_code == 201, response.text
    cookie = response.headers["set-cookie"].partition(";")[0]
    canaries.note("session", cookie.partition("=")[2])
    headers = {**OWN_PAGE, "Cookie": cookie, "X-CSRF-Token": response.json()["csrf_token"]}
    changing = {"current_password": canaries["password"], "new_password": canaries["new password"]}
    changed = await anybody.http.put("/v1/me/password", json=changing, headers=headers)
    assert changed.is_success, changed.text


async def run_everything(world: World) -> dict[str, str]:
    """Runs by hand and by robots with parameters of their own, looked at while they run, then retried."""
    canaries, stack = world.canaries, world.stack
    given = {
        "two": {"#run": canaries["run"]},
        "inner": {"one": {"#run": canaries["nested run"]}},
        "remote": {"#unused": canaries["run elsewhere"]},
    }
    jobs = {"outer": await world.run("orchestrations/outer", parameters=given)}
    given = {"#run": canaries["job"], "fail": True}
    jobs["applied"] = await world.run("configurations/teller/applied", parameters=given)
    await eventually(lambda: len(list(world.folder.glob("told-*"))) >= 3, 30)
    await eventually(lambda: "callback" in canaries.texts, 30)
    world.seen += [*processes(), *(environment_of(service.pid) for service in stack.services.values())]
    (world.folder / "go").touch()
    for job in jobs.values():
        assert (await stack.ended(job))["status"] == "error"
    for name, job in list(jobs.items()):
        plan = await stack.robot.get(f"jobs/{job}/retry-plan")
        retried = await stack.robot.post(f"jobs/{job}/retries", {"plan_id": plan["id"]})
        jobs[f"retry of {name}"] = retried["job_id"]
        await stack.ended(retried["job_id"])
    for file in world.folder.glob("told-*"):
        canaries.note(f"job token {file.name}", json.loads(file.read_text())["token"])
    return jobs


def check_that_secrets_arrived(world: World) -> None:
    """Otherwise the test would prove nothing: each program had the secrets that were meant for it."""
    told = "".join(file.read_text() for file in world.folder.glob("told-*"))
    got = ("configuration", "variable", "list", "object", "failing", "applied", "task", "nested task", "run")
    for name in (*got, "nested run", "job", "component environment"):
        assert world.canaries[name] in told, name
    asked = [request.headers for request in world.service.received]
    assert any(world.canaries["header"] in headers.get("authorization", "") for headers in asked)
    assert any(world.canaries["component header"] == headers.get("x-key") for headers in asked)
    assert any(world.canaries["ticket of a run elsewhere"] == headers.get("x-ticket") for headers in asked)


async def read_everything(world: World, jobs: dict[str, str]) -> None:
    """Call every GET of the API that the ids at hand make possible, as administrator and as robot."""
    stack = world.stack
    described = await stack.person.get("/v1/openapi.json")
    all_jobs = [str(row["id"]) for row in await stack.database.fetch("SELECT id FROM jobs.jobs")]
    assert set(jobs.values()) <= set(all_jobs)
    ids = {
        "project": [PROJECT],
        "component": ["teller", "remote"],
        "configuration": ["one", "two", "applied"],
        "orchestration": ["inner", "outer"],
        "job": all_jobs,
        "name": ["warehouse", "applied"],
        "token": [str(row["id"]) for row in await stack.database.fetch("SELECT id FROM catalog.tokens")],
        "person": [str(row["id"]) for row in await stack.database.fetch("SELECT id FROM catalog.people")],
    }
    called = 0
    for path, operations in described["paths"].items():
        if "get" not in operations or path.endswith(("/events", "/stream")):
            continue
        for url in _filled(path, ids):
            for caller in (stack.person, stack.robot):
                called += (await caller.http.get(url)).status_code == 200
    assert called > 100


def _filled(path: str, ids: dict[str, list[str]]) -> list[str]:
    """The path with every combination of ids; none where there is no id at hand."""
    found = [path]
    for name in re.findall(r"\{(\w+)\}", path):
        found = [each.replace(f"{{{name}}}", value) for each in found for value in ids.get(name, [])]
    return found


async def collect(world: World, messages: list[Seen]) -> None:
    stack = world.stack
    world.seen += [*messages, *world.spy.answers]
    world.seen += [Seen(f"database: {where}", text) for where, text in await everything_in(stack.database)]
    for name, service in stack.services.items():
        world.seen.append(Seen(f"log of {name}", service.log.read_text(errors="replace")))
        port = int(stack.environment[name].get("ORCHESTRATOR_METRICS_PORT") or service.port)
        async with httpx.AsyncClient(trust_env=False, timeout=30) as http:
            metrics = await http.get(f"http://127.0.0.1:{port}/metrics")
        assert metrics.status_code == 200, name
        world.seen.append(Seen(f"metrics of {name}", metrics.text))
    world.seen += [
        Seen("mail", f"{mail.message.as_string()}\n{mail.subject}\n{mail.text}")
        for mail in stack.mails.messages
    ]


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


async def check_rotation(stack: Stack) -> None:
    """Whatever table holds encrypted values, `rotate-keys` knows it."""
    database, encryption = stack.database, Encryption([NEW_KEY, base64.b64decode(ENCRYPTION_KEY)])
    before = await sealed_columns(database)
    assert {name.rpartition(".")[0] for name in before} == {str(table) for table in TABLES}
    visited: dict[str, int] = {}
    async with connected(database.url) as connection:
        rotation = KeyRotation(connection, encryption)
        await rotation.run(lambda table, rows: visited.update({table: visited.get(table, 0) + rows}))
    assert all(visited[str(table)] for table in TABLES), visited
    after = await sealed_columns(database)
    assert {name: len(texts) for name, texts in after.items()} == {
        name: len(texts) for name, texts in before.items()
    }
    prefix = f"enc:v2:{encryption.key_ids[0]}:"
    assert not [text for texts in after.values() for text in texts if not text.startswith(prefix)]


async def test_no_secret_comes_out_and_each_can_be_encrypted_anew(world: World) -> None:
    stack = world.stack
    listener = stack.caller(stack.robot.http.headers["authorization"].removeprefix("Bearer "))
    async with (
        messages_of(stack.broker) as messages,
        streams_of(listener.http, f"/v1/projects/{PROJECT}/events") as events,
    ):
        await define(world)
        await use_tokens(world)
        await use_passwords(world)
        jobs = await run_everything(world)
        check_that_secrets_arrived(world)
        await stack.at_rest()
        await stack.drained()
        logs = [f"/v1/projects/{PROJECT}/jobs/{job}/log/stream" for job in jobs.values()]
        async with streams_of(listener.http, *logs) as streams:
            await read_everything(world, jobs)
    assert all(seen.text for seen in events)
    assert any("***" in seen.text for seen in streams)
    world.seen += [*events, *streams]
    assert [mail for mail in stack.mails.messages if "oncall@example.com" in mail.recipients]
    await collect(world, messages)
    kinds = {re.split(r"[:\s]", seen.where)[0] for seen in world.seen}
    assert kinds == {
        "answer",
        "database",
        "environment",
        "log",
        "mail",
        "message",
        "metrics",
        "process",
        "stream",
    }
    leaks = sorted(
        {
            (name, where)
            for seen in world.seen
            for name, where in world.canaries.found_in(seen)
            if not may(MAY_BE_SEEN, name, where)
        }
    )
    assert leaks == []
    await check_rotation(stack)
