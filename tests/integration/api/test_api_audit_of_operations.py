"""Every call that changes something or starts a run leaves an audit record.

A new operation without a step here, or without a reason in NOT_RECORDED, fails.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from tests.integration.api.conftest import (
    ADMIN_EMAIL,
    ADMIN_TOKEN,
    COMPONENT,
    Client,
    RunningApi,
    orchestration,
)
from tests.integration.api.people import PASSWORD, signed_in, token_of_person
from tests.integration.api.test_api_retries import failed_run
from tests.integration.api.test_web_cli_login import VERIFIER, confirmed
from tests.integration.api.test_web_sign_in import EMAIL, browser, eva
from tests.support.browser import Browser
from tests.support.databases import Database

from orchestrator_api.openapi import description

__all__ = ["browser", "eva"]
NOT_RECORDED: Mapping[str, str] = {
    "group_tasks": "a proposal: nothing changes before it is saved",
    "arrange_tasks": "a proposal: nothing changes before it is saved",
    "change_draft": "a draft: nothing changes before it is saved",
    "discard_draft": "a draft of one's own",
    "preview_draft": "a preview",
    "preview_schedule": "a preview",
    "preview_trigger": "a preview",
    "plan_definitions": "a plan",
    "publish_table_updates": "each update is kept with its source and with what became of it",
    "receive_callback": "a service reports about its own run; the job keeps it",
}
DRAFTED = {"operations": [{"operation": "rename_phase", "phase": 0, "name": "First"}]}
PERIOD = {"from": "2026-01-05T00:00:00Z", "to": "2026-01-06T00:00:00Z"}
DOCUMENTS = [{"variables": {"applied": "1"}}]


@dataclass(frozen=True)
class Step:
    """A call that succeeds, and the actions that it is recorded by."""

    operation: str
    body: Any = None
    actions: tuple[str, ...] = ()
    status: int | None = None
    places: Mapping[str, str] | None = None


TRASHED = {"component": "orchestrator", "configuration": "copied"}
STEPS = (
    Step("create_project", {"id": "made"}, ("project.created",)),
    Step("change_project", {"name": "Changed"}, ("project.changed",)),
    Step("save_component", {**COMPONENT, "name": "Changed"}, ("component.changed",)),
    Step("save_configuration", {"parameters": {"rows": 2}}, ("configuration.changed",)),
    Step("save_orchestration", orchestration("two"), ("configuration.changed",)),
    Step("switch_orchestration", {"enabled": False}, ("configuration.changed",)),
    Step("switch_orchestration", {"enabled": True}, ("configuration.changed",)),
    Step("restore_configuration_version", {}, ("configuration.changed",), places={"version": "1"}),
    Step("restore_orchestration_version", {}, ("configuration.changed",), places={"version": "1"}),
    Step("copy_configuration", {"id": "copied"}, ("configuration.created",)),
    Step("copy_orchestration", {"id": "copied"}, ("configuration.created",)),
    Step("change_draft", DRAFTED),
    Step("save_draft", {}, ("configuration.changed",)),
    Step("discard_draft"),
    Step(
        "automate_configuration",
        {"id": "automated"},
        ("configuration.created",),
        places={"configuration": "copied"},
    ),
    Step("change_orchestration_token", {"components": ["demo-extractor"]}, ("token.changed",)),
    Step("refresh_orchestration_token", None, ("token.refreshed",)),
    Step("save_schedule", {"cron": "30 6 * * *"}, ("schedule.changed",)),
    Step("switch_schedule", {"enabled": False}, ("schedule.changed",)),
    Step(
        "backfill_schedule",
        {"orchestration": "daily", "schedule": "mornings", **PERIOD},
        ("schedule.backfilled",),
    ),
    Step("save_trigger", {"tables": ["in.c-x.t", "in.c-x.u"]}, ("trigger.changed",)),
    Step("switch_trigger", {"enabled": False}, ("trigger.changed",)),
    Step("reset_trigger", None, ("trigger.reset",)),
    Step("send_test_mail", {"address": ADMIN_EMAIL}, ("notifications.tested",)),
    Step("save_notifications", {"subscriptions": []}, ("notifications.changed",)),
    Step("run_orchestration", {}, ("run.requested",)),
    Step("run_configuration", {}, ("run.requested",)),
    Step("retry_job", None, ("run.requested",), places={"job": "{failed}"}),
    Step("terminate_job", None, ("job.termination-requested",), places={"job": "{going}"}),
    Step("delete_trigger", None, ("trigger.deleted",)),
    Step("delete_schedule", None, ("schedule.deleted",)),
    Step("restore_schedule", None, ("schedule.restored",)),
    Step("share_bucket", None, ("share.created",)),
    Step("unshare_bucket", None, ("share.deleted",)),
    Step("save_variable", {"value": "2"}, ("variable.changed",)),
    Step("delete_variable", None, ("variable.deleted",)),
    Step("create_token", {"name": "made", "scopes": ["read"]}, ("token.created",)),
    Step("change_token", {"name": "renamed"}, ("token.changed",)),
    Step("refresh_token", None, ("token.refreshed",)),
    Step("revoke_token", None, ("token.revoked",)),
    Step("invite_member", {"email": "new@example.com", "role": "viewer"}, ("member.added",)),
    Step("change_member", {"role": "editor"}, ("member.changed",)),
    Step("remove_member", None, ("member.removed",)),
    Step("invite_person", {"email": "eve@example.com"}, ("person.invited",)),
    Step("reset_password", None, ("password.reset_requested",)),
    Step("unlink_person", None, ("person.unlinked",)),
    Step("change_person", {"disabled": True}, ("person.disabled",)),
    Step("apply_definitions", {"documents": DOCUMENTS}, ("definitions.applied", "variable.created")),
    Step("delete_orchestration", None, ("configuration.deleted",)),
    Step("delete_orchestration", None, ("configuration.deleted",), places={"orchestration": "copied"}),
    Step("restore_from_trash", None, ("configuration.restored", "token.refreshed"), places=TRASHED),
    Step("delete_orchestration", None, ("configuration.deleted",), places={"orchestration": "copied"}),
    Step("purge_from_trash", None, ("configuration.purged",), places=TRASHED),
    Step("delete_configuration", None, ("configuration.deleted",)),
    Step("revoke_administrator_token", None, ("token.revoked",), places={"token": "{administrator_token}"}),
    # Recorded before the broker is asked, which has no such letter.
    Step("replay_dead_letter", None, ("dead-letter.replayed",), status=404),
    Step("discard_dead_letter", None, ("dead-letter.discarded",), status=404),
)


OWN = (
    "sign_in", "change_password", "end_session", "sign_out", "sign_out_everywhere", "request_password_reset",
    "use_link", "create_cli_login", "revoke_own_token", "change_me",
)  # fmt: skip
"""What a person does with their own account."""


def writes() -> dict[str, tuple[str, str]]:
    """Method and path of each operation that may change something."""
    paths = json.loads(description())["paths"]
    return {
        operation["operationId"]: (method.upper(), path)
        for path, item in paths.items()
        for method, operation in item.items()
        if method != "get"
    }


def test_every_operation_that_writes_has_a_step_or_a_reason() -> None:
    stepped = {step.operation for step in STEPS} | {*OWN}
    assert sorted(stepped | NOT_RECORDED.keys()) == sorted(writes())


async def test_every_write_leaves_a_record(api: RunningApi, furnished: Client, database: Database) -> None:
    places, operations = await prepared(furnished, database), writes()
    wrong = []
    async with api.http(ADMIN_TOKEN) as http:
        client = Client(http)
        for number, step in enumerate(STEPS):
            method, path = operations[step.operation]
            request_id = f"operation-{number}"
            http.headers["X-Request-Id"] = request_id
            own = {name: value.format_map(places) for name, value in (step.places or {}).items()}
            body = step.body
            if step.operation == "retry_job":
                body = {"plan_id": (await client.get(f"jobs/{places['failed']}/retry-plan"))["id"]}
            await client.call(method, path.format_map({**places, **own}), body, status=step.status)
            found = await database.fetch("SELECT * FROM catalog.audit WHERE request_id = $1", request_id)
            if sorted(row["action"] for row in found) != sorted(step.actions):
                wrong.append(f"{step.operation}: {[row['action'] for row in found]}")
            wrong += [f"{step.operation}: {dict(row)}" for row in found if not is_whole(row)]
    assert not wrong, "\n".join(wrong)


async def test_what_people_do_with_their_accounts_leaves_records(
    eva: UUID, browser: Browser, api: RunningApi, admin: Client, database: Database
) -> None:
    code = await confirmed(browser)
    async with api.http(None) as http:
        login = await Client(http).post("/v1/cli-logins", {"code": code, "verifier": VERIFIER})
    async with api.http(login["token"]) as http:
        await Client(http).delete(f"/v1/me/tokens/{login['id']}")
    made = await admin.post("/v1/people?show_link=true", {"email": "new@example.com"}, status=201)
    async with signed_in(api, EMAIL) as first, signed_in(api, EMAIL) as second, api.http(None) as nobody:
        other = (await second.get("/v1/sessions/current"))["id"]
        await first.put("/v1/me/password", {"current_password": PASSWORD, "new_password": PASSWORD + "!"})
        await first.delete(f"/v1/me/sessions/{other}", status=404)  # ended by the change
        async with signed_in(api, EMAIL, PASSWORD + "!") as third:
            await first.delete(f"/v1/me/sessions/{(await third.get('/v1/sessions/current'))['id']}")
        await first.delete("/v1/sessions/current")
        async with signed_in(api, EMAIL, PASSWORD + "!") as fourth:
            await fourth.delete("/v1/me/sessions")
        assert (await nobody.post("/v1/password-resets", json={"email": EMAIL})).status_code == 202
        assert (await nobody.post(f"/v1{made['link']}", json={"password": PASSWORD})).status_code == 200
    rows = await database.fetch("SELECT * FROM catalog.audit WHERE project IS NULL ORDER BY at, id")
    done = [row for row in rows if row["actor"] in (EMAIL, "new@example.com", "nobody")]
    assert [row["action"] for row in done] == [
        "session.opened", "token.created", "token.revoked",
        "session.opened", "session.opened", "password.changed", "session.opened", "session.ended",
        "session.ended", "session.opened", "sessions.ended", "password.reset_requested", "password.set",
    ]  # fmt: skip
    for row in done:
        kind = "unknown" if row["action"] == "password.reset_requested" else "person"
        assert (row["actor_kind"], row["actor_id"] is None) == (kind, kind == "unknown"), dict(row)
        assert row["request_id"] is not None, dict(row)
        assert row["address"] is not None, dict(row)


def is_whole(row: Any) -> bool:
    who = row["actor"] == ADMIN_EMAIL and row["actor_kind"] == "person" and row["actor_id"] is not None
    changes = row["changes"] not in ("[]", None, [])
    needs_changes = row["action"].partition(".")[2] in ("created", "changed", "added", "removed", "revoked")
    return who and row["subject_kind"] is not None and row["address"] and (changes or not needs_changes)


async def prepared(furnished: Client, database: Database) -> dict[str, str]:
    """What the steps are about."""
    await furnished.put("orchestrations/daily/schedules/mornings", {"cron": "30 5 * * *"}, status=201)
    trigger = await furnished.put(
        "orchestrations/daily/triggers/loaded", {"tables": ["in.c-x.t"]}, status=201
    )
    await furnished.put("variables/limit", {"value": "1"}, status=201)
    going = (await furnished.post("configurations/demo-extractor/two/runs"))["job_id"]
    failed = await failed_run(database)
    token = await furnished.post("tokens", {"name": "robot", "scopes": ["read"]}, status=201)
    person = await furnished.post("members", {"email": "ada@example.com", "role": "viewer"}, status=201)
    identity = "INSERT INTO catalog.person_identities VALUES ('https://login.example', 'ada', $1)"
    await database.execute(identity, UUID(person["person_id"]))
    administrator = await database.fetchval("SELECT id FROM catalog.people WHERE is_administrator")
    await token_of_person(database, UUID(str(administrator)))
    second = await database.fetchval("SELECT id FROM catalog.tokens WHERE name = 'test'")
    return {
        "project": "demo", "orchestration": "daily", "component": "demo-extractor", "configuration": "one",
        "schedule": "mornings", "trigger": "loaded", "trigger_id": trigger["id"],
        "bucket": "in.c-x", "shared_with": "other", "name": "limit", "token": token["id"],
        "person": person["person_id"], "letter": "ghost", "job": going, "going": going, "failed": str(failed),
        "administrator_token": str(second),
    }  # fmt: skip
