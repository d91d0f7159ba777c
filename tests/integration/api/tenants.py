"""Two projects on one installation, and everyone who might make a request: for the crawl.

`demo` is the callers' own project. `rival` has one of everything whose ids no one in `demo` may learn about;
its name, and the word `theirs`, must never appear in an answer that they get.
"""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from starlette.types import ASGIApp
from tests.integration.api.conftest import ADMIN_TOKEN, KEY, Client, orchestration
from tests.integration.api.crawl import GHOST, Caller, ask
from tests.integration.api.people import OWN_PAGE, person_with_role, token_of_person
from tests.integration.api.test_api_jobs import Runner
from tests.support.databases import Database

from orchestrator_api.access.browser_sessions import BrowserSessions, csrf_token
from orchestrator_shared.job_tokens import JOB_SCOPES, JobToken, job_token_keys, sign_job_token
from orchestrator_shared.security import hash_token
from orchestrator_shared.settings import parse_keys

COMPONENTS = ["demo-extractor", "orchestrator"]
EVERYTHING = {"scopes": ["read", "configure", "run", "publish"], "components": ["*"], "buckets": ["*"]}
TOKENS: Mapping[str, dict[str, Any]] = {
    "read": {"scopes": ["read"]},
    "configure": {"scopes": ["configure"]},
    "configure, its component": {"scopes": ["configure"], "components": COMPONENTS},
    "run": {"scopes": ["run"]},
    "run, a component": {"scopes": ["run"], "components": ["demo-extractor"]},
    "publish": {"scopes": ["publish"], "buckets": ["in.c-x"]},
}
OWN_RUNS = {"run": "orchestrations/daily/runs", "run, a component": "configurations/demo-extractor/one/runs"}
ROLES: Mapping[str, dict[str, Any]] = {
    "viewer": {"role": "viewer"},
    "viewer who may run": {"role": "viewer", "may_run": True},
    "editor": {"role": "editor"},
    "admin": {"role": "admin"},
}
COOKIE = BrowserSessions().cookie_name


@dataclass(frozen=True)
class Tenants:
    """Who there is, and the ids of what there is."""

    app: ASGIApp
    database: Database
    places: Mapping[str, str]
    """What requests in `demo` are about."""
    foreign: Mapping[str, str]
    """By parameter of a path: what has this id in `rival`."""
    callers: dict[str, Caller]
    """By kind of token or role; people also ` by cookie`."""
    ended: dict[str, Caller]
    """Tokens and sessions that are no longer valid, or never were."""
    outsiders: dict[str, Caller]
    """Valid tokens and people of `rival`, who must not see `demo`."""
    forgeries: dict[str, Caller]
    """Requests with an admin's cookie that other sites have sent."""


async def two_tenants(app: ASGIApp, demo: Client, database: Database) -> Tenants:
    """Furnish both projects; `demo` is furnished with the usual things already."""
    rival = Client(demo.http, "rival")
    await demo.post("/v1/projects", {"id": "rival", "name": "Rival"}, status=201)
    places, runner = await _own_things(demo), Runner(database)
    await runner.connect()
    job = await runner.job("two", 1, "processing")
    foreign, theirs = await _foreign_things(rival, database, runner)
    made = Tenants(app, database, places, foreign, {}, {}, {}, {})
    await _add_tokens(made, demo, job)
    await _add_people(made, demo)
    await _add_ended(made, demo, job)
    rival_token = await rival.post("tokens", {"name": "rival", **EVERYTHING}, status=201)
    made.outsiders["token"] = bearing(rival_token["token"])
    made.outsiders["job token"] = bearing(job_token(UUID(foreign["job"]), project="rival"))
    made.outsiders["person"] = bearing(await token_of_person(database, theirs))
    made.outsiders["person by cookie"] = await signed_in(database, theirs)
    return made


async def _own_things(demo: Client) -> dict[str, str]:
    schedule = await demo.put("orchestrations/daily/schedules/mornings", {"cron": "30 5 * * *"}, status=201)
    trigger = await demo.put("orchestrations/daily/triggers/loaded", {"tables": ["in.c-x.t"]}, status=201)
    await demo.put("variables/limit", {"value": "1"}, status=201)
    await demo.put("orchestrations/another", orchestration("one"), status=201)
    run = (await demo.post("orchestrations/daily/runs"))["job_id"]
    return {
        "project": "demo", "orchestration": "daily", "component": "demo-extractor", "configuration": "one",
        "schedule": "mornings", "schedule_id": schedule["id"], "trigger": "loaded",
        "trigger_id": trigger["id"], "table": "in.c-x.t",
        "bucket": "in.c-x", "shared_with": "other", "name": "limit",
        "token": GHOST, "person": GHOST, "session": GHOST, "link": "ghost", "letter": "ghost", "job": run,
        "version": "1", "other": "1",
    }  # fmt: skip


async def _foreign_things(rival: Client, database: Database, runner: Runner) -> tuple[dict[str, str], UUID]:
    """Things of `rival` under names that `demo` does not use, below orchestrations that both have."""
    for name in ("one", "theirs"):
        body = {"parameters": {"rows": 1, "#password": "theirs"}}
        await rival.put(f"configurations/demo-extractor/{name}", body, status=201)
    for name in ("daily", "theirs"):
        await rival.put(f"orchestrations/{name}", orchestration("one", "theirs"), status=201)
    schedule = await rival.put("orchestrations/daily/schedules/theirs", {"cron": "1 1 * * *"}, status=201)
    tables = {"tables": ["in.c-theirs.t"]}
    trigger = await rival.put("orchestrations/daily/triggers/theirs", tables, status=201)
    await rival.put("variables/theirs", {"value": "theirs"}, status=201)
    await rival.put("buckets/in.c-theirs/shares/friend", {}, status=204)
    token = await rival.post("tokens", {"name": "theirs", **EVERYTHING}, status=201)
    theirs = Runner(database, "rival")
    theirs.replica = runner.replica
    job = await theirs.job("theirs", 1, "processing")
    await theirs.job("one", 1, "processing")
    await person_with_role(rival, database, "theirs@rival.example", role="admin")
    person = await database.fetchval("SELECT id FROM catalog.people WHERE email = 'theirs@rival.example'")
    await signed_in(database, person)
    session = await database.fetchval("SELECT id FROM catalog.sessions WHERE person_id = $1", person)
    return {
        "project": "rival", "orchestration": "theirs", "configuration": "theirs", "schedule": "theirs",
        "schedule_id": schedule["id"], "trigger": "theirs", "trigger_id": trigger["id"],
        "table": "in.c-theirs.t",
        "bucket": "in.c-theirs", "shared_with": "rival", "name": "theirs", "token": token["id"],
        "person": str(person), "session": str(session), "job": str(job),
    }, person  # fmt: skip


async def _add_tokens(made: Tenants, demo: Client, job: UUID) -> None:
    for kind, wish in TOKENS.items():
        token = await demo.post("tokens", {"name": kind, **wish}, status=201)
        caller = bearing(token["token"])
        if kind in OWN_RUNS:
            url = f"/v1/projects/demo/{OWN_RUNS[kind]}"
            answer = await ask(made.app, "POST", url, {}, caller.headers)
            caller = Caller(caller.headers, {"job": json.loads(answer.text)["job_id"]})
        made.callers[kind] = caller
    await made.database.execute(
        "UPDATE catalog.tokens SET secret_hash = $1"
        " WHERE project = 'demo' AND name = 'orchestration another'",
        hash_token("a text that no one has"),
    )
    made.callers["orchestration"] = bearing("a text that no one has")
    made.callers["job"] = Caller(bearing(job_token(job)).headers, {"job": str(job)})


async def _add_people(made: Tenants, demo: Client) -> None:
    database = made.database
    for role, membership in {**ROLES, "instance administrator": {"role": "viewer"}}.items():
        email = f"{role.replace(' ', '-')}@demo.example"
        made.callers[role] = bearing(await person_with_role(demo, database, email, **membership))
        person = await database.fetchval("SELECT id FROM catalog.people WHERE email = $1", email)
        if role == "instance administrator":
            await database.execute("UPDATE catalog.people SET is_administrator = true WHERE id = $1", person)
            made.callers[role] = bearing(ADMIN_TOKEN)
        made.callers[f"{role} by cookie"] = await signed_in(database, person)
    admin = made.callers["admin by cookie"].headers
    made.forgeries["no CSRF token"] = Caller({name: admin[name] for name in admin if name != "X-CSRF-Token"})
    made.forgeries["another site"] = Caller({**admin, "Sec-Fetch-Site": "cross-site"})


async def _add_ended(made: Tenants, demo: Client, job: UUID) -> None:
    database, ended = made.database, made.ended
    ended["nothing"], ended["unknown"] = Caller(), bearing("orc_" + "x" * 60)
    for kind, change in {"expired": "expires_at", "revoked": "revoked_at"}.items():
        token = await demo.post("tokens", {"name": kind, **EVERYTHING}, status=201)
        past = f"UPDATE catalog.tokens SET {change} = now() - interval '1 minute' WHERE id = $1"
        await database.execute(past, UUID(token["id"]))
        ended[kind] = bearing(token["token"])
    ended["job token of an ended attempt"] = bearing(job_token(job, attempt=2))
    ended["expired job token"] = bearing(job_token(job, lifetime=timedelta(minutes=-1)))
    of_disabled = await person_with_role(demo, database, "gone@demo.example", role="admin")
    person = await database.fetchval("SELECT id FROM catalog.people WHERE email = 'gone@demo.example'")
    ended["old session"] = await signed_in(
        database, person, created_at=datetime.now(UTC) - timedelta(days=15)
    )
    ended["session of a disabled account"] = await signed_in(database, person)
    await database.execute("UPDATE catalog.people SET disabled_at = now() WHERE id = $1", person)
    ended["token of a disabled account"] = bearing(of_disabled)


def bearing(token: str) -> Caller:
    """Whoever sends this token."""
    return Caller({"Authorization": f"Bearer {token}"})


async def signed_in(database: Database, person: UUID, *, created_at: datetime | None = None) -> Caller:
    """The person in a browser, on one of our pages."""
    secret = secrets.token_urlsafe(24)
    await database.execute(
        "INSERT INTO catalog.sessions (id, person_id, secret_hash, created_at, address, user_agent)"
        " VALUES (gen_random_uuid(), $1, $2, $3, '127.0.0.1', 'crawl')",
        person,
        hash_token(secret),
        created_at or datetime.now(UTC),
    )
    return Caller({"Cookie": f"{COOKIE}={secret}", "X-CSRF-Token": csrf_token(secret), **OWN_PAGE})


def job_token(
    job: UUID, *, project: str = "demo", attempt: int = 1, lifetime: timedelta = timedelta(hours=1)
) -> str:
    """As the runner makes it for an attempt."""
    key = job_token_keys(parse_keys(KEY))[0]
    return sign_job_token(key, JobToken(job, attempt, project, JOB_SCOPES, datetime.now(UTC) + lifetime))
