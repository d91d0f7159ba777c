"""The demo, from its first line to its verdict."""

import shutil
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from orchestrator_cli.applying import apply_documents, plan_documents
from orchestrator_cli.client import ApiClient, Json
from orchestrator_cli.definition_changes import change_summary
from orchestrator_cli.definition_files import load_documents, with_secrets
from orchestrator_cli.progress.tree import title_of
from orchestrator_local.demo.evidence import explain_trigger, find_delivery, query_warehouse, runs_of
from orchestrator_local.demo.outcomes import Evidence, checks
from orchestrator_local.demo.report import Places, next_steps, report, verdict
from orchestrator_local.demo.scenario import BY_EVENT, BY_HAND, BY_TIME, ON_PURPOSE, SCHEDULE, Example
from orchestrator_local.demo.setting import Setting
from orchestrator_local.demo.stage import Stage
from orchestrator_local.stack.welcome import ensure_project, register_components

MAIL_SECONDS = 20.0
POLL_SECONDS = 0.2


def play(setting: Setting, example: Example, screen: Console) -> bool:
    """Returns whether every outcome was the expected one."""
    began = datetime.now(UTC)
    evidence = Evidence(sees_mails=setting.mailbox is not None, sees_warehouse=bool(setting.warehouse_url))
    with setting.client() as client:
        known = known_runs(client, setting.project_path)
        prepare(client, setting, example, screen)
        try:
            stage = Stage(client, setting.project_path, evidence.runs, known=known)
            stage.start(BY_HAND)
            stage.play(screen)
            gather(client, setting, evidence, began)
        finally:
            switch_schedule(client, setting.project_path, enabled=False)
        sign_in = sign_in_link(client) if setting.context.state_folder else ""
    found = checks(evidence)
    for line in (*report(evidence), *next_steps(places(setting, example, sign_in)), *verdict(found)):
        screen.print(line)
    return all(check.holds for check in found)


def known_runs(client: ApiClient, project_path: str) -> set[str]:
    return {str(run["id"]) for name in (BY_EVENT, BY_TIME) for run in runs_of(client, project_path, name)}


def prepare(client: ApiClient, setting: Setting, example: Example, screen: Console) -> None:
    """Create project, components and definitions; repeating it only resumes the paused schedule."""
    register_components(client)
    ensure_project(client, setting.context.project)
    documents = with_secrets(load_documents([example.definitions]))
    planned = plan_documents(client, setting.project_path, documents)
    answer = apply_documents(client, setting.project_path, documents, plan_id=planned["plan_id"])
    screen.print(f"Applied {example.definitions} to the project {setting.context.project}: "
                 f"{change_summary(answer['changes'])}", markup=False)  # fmt: skip
    # apply has resumed a schedule that an earlier demo paused, because it differed from the file.


def switch_schedule(client: ApiClient, project_path: str, *, enabled: bool) -> None:
    path = f"{project_path}/orchestrations/{BY_TIME}/schedules/{SCHEDULE}"
    schedule: Json = client.get(path)
    wanted = ("cron", "every_seconds", "timezone", "overlap", "misfire")
    body = {key: schedule[key] for key in wanted if schedule.get(key) is not None}
    client.put(path, {**body, "enabled": enabled}, etag=schedule["etag"])


def gather(client: ApiClient, setting: Setting, evidence: Evidence, began: datetime) -> None:
    evidence.trigger = explain_trigger(client, setting.project_path)
    if setting.warehouse_url and evidence.runs[BY_HAND].status == "success":
        evidence.columns, evidence.rows = query_warehouse(setting.warehouse_url, "result")
    failed = evidence.runs[ON_PURPOSE].job.get("id")
    deadline = time.monotonic() + MAIL_SECONDS
    while failed and time.monotonic() < deadline:
        if setting.mailbox is not None:
            evidence.mail = setting.mailbox.find(title_of(evidence.runs[ON_PURPOSE].job), began)
        else:
            evidence.delivery = find_delivery(client, setting.project_path, str(failed))
        if evidence.mail or evidence.delivery.get("status") == "sent":
            return
        time.sleep(POLL_SECONDS)


def sign_in_link(client: ApiClient) -> str:
    """A link with which the local administrator chooses a password; it works once, for an hour."""
    person: Json | None = client.get("/me")["person"]
    return (
        "" if person is None else str(client.post(f"/people/{person['id']}/reset", show_link="true")["link"])
    )


def places(setting: Setting, example: Example, sign_in: str) -> Places:
    return Places(
        url=setting.context.url,
        sign_in=sign_in,
        token=setting.context.token,
        definitions=shown_path(example.definitions),
        command=command_name(),
        end=setting.end,
        mails=setting.mailbox.place if setting.mailbox else "",
        project=setting.context.project,
        is_remote=not setting.context.state_folder,
        state_dir_option=setting.state_dir_option,
    )


def command_name() -> str:
    """How to call the command here: by its bare name only if the shell finds it."""
    if shutil.which("orchestrator"):
        return "orchestrator"
    return shown_path(Path(sys.argv[0]).absolute())


def shown_path(path: Path) -> str:
    try:
        return str(path.absolute().relative_to(Path.cwd()))
    except ValueError:
        return str(path)
