"""A furnished api and schemathesis held against it: short in `make test`, long in `make soak`."""

import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

import httpx
from tests.integration.api.conftest import ADMIN_EMAIL, ADMIN_TOKEN, COMPONENT, KEY, Client, orchestration
from tests.integration.api.test_api_jobs import Runner
from tests.integration.api.test_api_retries import failed_run
from tests.support.brokers import BrokerVhost
from tests.support.databases import Database
from tests.support.servers import REPOSITORY
from tests.support.service_process import ServiceProcess
from tests.support.stack_settings import LINK_KEY

from orchestrator_shared.domain.ids import new_id
from orchestrator_shared.security import hash_token, new_token

SETTINGS = Path(__file__).parent / "schemathesis.toml"
HOOKS = Path(__file__).parent / "fuzzing_hooks.py"
SEED = os.environ.get("TEST_SEED", "8")
CALLBACK = new_token()[1]
OPEN = {"type": "application", "command": ["x"], "parameters": {"type": "object"}}
"""A component that takes any parameters."""


@dataclass(frozen=True)
class Furnished:
    """An api with one of everything, and what the paths' parameters may say of it."""

    url: str
    places: Mapping[str, str]
    token_ids: Mapping[str, str]
    token: str = ADMIN_TOKEN
    scopes: Sequence[str] = ()
    """Of the token; none: an administrator's."""

    async def asked_by(self, *scopes: str, components: Sequence[str] = ()) -> "Furnished":
        """The same for a new token."""
        wish = {"name": "lesser", "scopes": scopes, "components": components}
        async with bearer(self.url, ADMIN_TOKEN) as admin:
            made = await admin.post("tokens", wish)
        return replace(self, token=made["token"], scopes=scopes)

    async def whose_run_failed(self, database: Database) -> "Furnished":
        """The same with a run of the token's own: one that may only run knows of no other."""
        async with bearer(self.url, self.token) as runner:
            asked = await runner.post("orchestrations/daily/runs")
        job = await failed_run(database, number=2, id=asked["job_id"])
        return replace(self, places={**self.places, "job": str(job), "number": "2"})


@asynccontextmanager
async def bearer(url: str, token: str) -> AsyncIterator[Client]:
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=url, headers=headers, trust_env=False, timeout=30) as http:
        yield Client(http)


async def furnish(
    database: Database, broker: BrokerVhost, launch: Callable[[str, Mapping[str, str]], ServiceProcess]
) -> Furnished:
    """Start the api and make one of everything in the project demo."""
    environment = {
        "ORCHESTRATOR_DATABASE_URL": database.url_for("api"),
        "ORCHESTRATOR_AMQP_URL": broker.url,
        "ORCHESTRATOR_ENCRYPTION_KEYS": KEY,
        "ORCHESTRATOR_LINK_KEY": LINK_KEY,
        "ORCHESTRATOR_ADMIN_EMAIL": ADMIN_EMAIL,
        "ORCHESTRATOR_ADMIN_TOKEN": ADMIN_TOKEN,
        "ORCHESTRATOR_WRONG_TOKENS_PER_MINUTE": "10000",
    }
    service = launch("orchestrator_api", environment)
    await service.ready()
    async with bearer(service.url, ADMIN_TOKEN) as admin:
        await _define(admin)
        places = await _started(admin, database)
        member = await admin.post("members", {"email": "ada@example.com", "role": "viewer"})
        places["person"] = member["person_id"]
        spare = await admin.post("tokens", {"name": "spare", "scopes": ["read"]})
        kept = await admin.post("tokens", {"name": "kept", "scopes": ["read"]})
    token_ids = {
        "revoke_token": spare["id"],
        **dict.fromkeys(("get_token", "change_token", "refresh_token"), kept["id"]),
        **dict.fromkeys(
            ("get_administrator_token", "revoke_administrator_token"), await _administrator(database)
        ),
        "revoke_own_token": await _administrator(database),
    }
    return Furnished(service.url, places, token_ids)


async def _define(admin: Client) -> None:
    for project in ("demo", "other", "pruned"):
        await admin.post("/v1/projects", {"id": project})
    await admin.put("/v1/components/demo-extractor", COMPONENT)
    await admin.put("/v1/components/open", OPEN)
    for path in ("demo-extractor/one", "demo-extractor/two", "open/one"):
        await admin.put(f"configurations/{path}", {})
    daily = "orchestrations/daily"
    await admin.put(daily, orchestration("one", "two"))
    await admin.put("orchestrations/drafted", orchestration("one", "two"))
    free = [{"component": "open", "configuration": "one"}]
    await admin.put("orchestrations/free", {"phases": [{"name": "Only", "tasks": free}]})
    await admin.put(f"{daily}/schedules/hourly", {"cron": "0 * * * *"})
    await admin.put(f"{daily}/triggers/crm", {"tables": ["in.c-crm.contacts"]})
    subscriptions = [{"event": "error", "address": "data-team@example.com"}]
    await admin.put(f"{daily}/notifications", {"subscriptions": subscriptions})
    await admin.put("variables/region", {"value": "eu"})
    await admin.put("buckets/in.c-crm/shares/other", None)


async def _started(admin: Client, database: Database) -> dict[str, str]:
    """Runs by hand, one that failed, and one underway that a callback may report on."""
    for key in ("a", "b", "c"):
        await admin.post("orchestrations/daily/runs", key=key)
    failed = await failed_run(database)
    runner = Runner(database)
    await runner.connect()
    underway = await runner.job("two", 1, "processing")
    await database.execute(
        "INSERT INTO jobs.attempts (job_id, attempt, replica_id, callback_hash) VALUES ($1, 1, $2, $3)",
        underway,
        uuid4(),
        hash_token(CALLBACK),
    )
    shown = await admin.get("orchestrations/daily")
    return {
        "job": str(failed),
        "underway": str(underway),
        "schedule_id": shown["schedules"][0]["id"],
        "trigger_id": shown["triggers"][0]["id"],
        "callback": CALLBACK,
    }


async def _administrator(database: Database) -> str:
    """Another token of an administrator, to be revoked."""
    made = new_id()
    await database.execute(
        "INSERT INTO catalog.tokens (id, kind, name, person_id, secret_hash, scopes, components)"
        " SELECT $1, 'person', 'spare', id, $2, ARRAY['admin'], ARRAY['*'] FROM catalog.people"
        " WHERE is_administrator",
        made,
        hash_token(f"orc_{made.hex}"),
    )
    return str(made)


def _seed() -> tuple[str, ...]:
    given = os.environ.get("TEST_SEED")
    return ("--seed", given) if given else ()


def fuzzed(
    furnished: Furnished,
    folder: Path,
    *,
    examples: int,
    seconds: int,
    phases: str = "examples,coverage,fuzzing",
    repeats: bool = True,
) -> subprocess.CompletedProcess[str]:
    """One bounded run, which leaves its files in the folder."""
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(SETTINGS)),
        *("run", f"{furnished.url}/v1/openapi.json"),
        *("--header", f"Authorization: Bearer {furnished.token}"),
        *("--checks", "all", "--phases", phases),
        *("--max-examples", str(examples)),
        *(("--seed", SEED, "--generation-deterministic") if repeats else _seed()),
        *("--no-color", "--no-shrink", "--continue-on-failure"),
        *("--suppress-health-check", "all", "--request-timeout", "30"),
    ]
    told = {"url": furnished.url, "token": ADMIN_TOKEN, "scopes": list(furnished.scopes)}
    environment = {
        # For each call, `requests` looks through all variables for proxies; there are few to look through.
        "PATH": os.environ.get("PATH", os.defpath),
        # What hypothesis finds out about Unicode once is kept where our other properties keep it.
        "HYPOTHESIS_STORAGE_DIRECTORY": str(REPOSITORY / ".hypothesis"),
        "PYTHONPATH": str(REPOSITORY),
        "SCHEMATHESIS_HOOKS": str(HOOKS),
        "FUZZING": json.dumps(
            {**told, "places": dict(furnished.places), "token_ids": dict(furnished.token_ids)}
        ),
    }
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=seconds, check=False
    )
