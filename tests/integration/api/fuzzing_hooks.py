"""Loaded by schemathesis: leads its calls to what there is, and says what no schema can say.

Values that break the schema stay as they are; only the good ones are replaced.
"""

import gc
import itertools
import json
import os
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx
import schemathesis
from hypothesis import strategies as st
from schemathesis import Case, CheckContext, HookContext, Response

from orchestrator_shared.domain.ids import SLUG

TOLD = json.loads(os.environ["FUZZING"])
PLACES = {
    "project": "demo",
    "component": "demo-extractor",
    "configuration": "one",
    "orchestration": "daily",
    "schedule": "hourly",
    "trigger": "crm",
    "name": "region",
    "bucket": "in.c-crm",
    "table": "in.c-crm.people",
    "shared_with": "other",
    "version": "1",
    "other": "1",
    "number": "1",
    **TOLD["places"],
}
OTHERS: dict[str, dict[str, str]] = {
    # Written over and over: others rest on the ones above.
    "save_component": {"component": "written"},
    "save_configuration": {"component": "open", "configuration": "written"},
    "run_configuration": {"component": "open"},
    "run_orchestration": {"orchestration": "free"},
    # A lesser token is of the project demo, where it may apply nothing.
    "apply_definitions": {"project": "demo" if TOLD["scopes"] else "pruned"},
    "save_orchestration": {"orchestration": "written"},
    "change_draft": {"orchestration": "drafted"},
    "save_draft": {"orchestration": "drafted"},
    "discard_draft": {"orchestration": "drafted"},
    "save_schedule": {"schedule": "written"},
    "save_trigger": {"trigger": "written"},
    "save_variable": {"name": "written"},
    "delete_configuration": {"component": "open", "configuration": "gone"},
    "delete_orchestration": {"orchestration": "gone"},
    "delete_schedule": {"schedule": "gone"},
    "restore_schedule": {"schedule": "restored"},
    "delete_trigger": {"trigger": "gone"},
    "delete_variable": {"name": "gone"},
    "unshare_bucket": {"bucket": "in.c-gone"},
    "restore_from_trash": {"component": "open", "configuration": "trashed"},
    "purge_from_trash": {"component": "open", "configuration": "trashed"},
    "remove_member": {"person": str(UUID(int=0))},
    "terminate_job": {"job": PLACES["underway"]},
    "preview_termination": {"job": PLACES["underway"]},
    "receive_callback": {"token": PLACES["callback"]},
    **{operation: {"token": token} for operation, token in TOLD["token_ids"].items()},
}
MADE_BEFORE: dict[str, Any] = {
    "delete_configuration": {},
    "delete_orchestration": {},
    "delete_schedule": {"every_seconds": 3600},
    "delete_trigger": {"tables": ["in.c-crm.contacts"]},
    "delete_variable": {"value": "x"},
    "unshare_bucket": None,
}
"""What is made anew before each call that deletes it."""
TRASHED = "/v1/projects/{project}/configurations/{component}/{configuration}"
DELETED_BEFORE: dict[str, tuple[str, Any]] = {
    "restore_from_trash": (TRASHED, {}),
    "purge_from_trash": (TRASHED, {}),
    "restore_schedule": (
        "/v1/projects/{project}/orchestrations/{orchestration}/schedules/{schedule}", {"every_seconds": 3600},
    ),
}  # fmt: skip
"""What is made and deleted before each call that is about something deleted."""

# Hypothesis makes many small things and little garbage, which is looked for all the time otherwise.
gc.freeze()
gc.set_threshold(50_000, 20, 20)

http = httpx.Client(
    base_url=TOLD["url"], headers={"Authorization": f"Bearer {TOLD['token']}"}, trust_env=False, timeout=30
)
Body = dict[str, Any]
numbers = itertools.count()
MOST_ITEMS = 100
SLUGS = {"project", "component", "configuration", "orchestration", "schedule", "trigger", "shared_with"}
IDS = {"job", "schedule_id", "trigger_id", "person"}
NUMBERS = {"version": 2**31 - 1, "other": 2**31 - 1, "number": 2**53 - 1}
"""Names of numbers in paths, and the largest of each."""


@schemathesis.hook
def before_call(context: HookContext, case: Case[Any], kwargs: dict[str, Any]) -> None:
    """Replace the good values of the path; make true what the body and the query say of other things."""
    operation = str(case.operation.definition.raw["operationId"])
    places = {**PLACES, **OTHERS.get(operation, {})}
    for name, value in dict(case.path_parameters).items():
        if name in places and _is_good(operation, name, value):
            case.path_parameters[name] = places[name]
    if operation in MADE_BEFORE:
        path = case.operation.path.format(**places)
        _make(path, MADE_BEFORE[operation])
    if operation in DELETED_BEFORE:
        template, body = DELETED_BEFORE[operation]
        path = template.format(**places)
        _make(path, body)
        http.delete(path, headers={"If-Match": "*"}).raise_for_status()
    if case.meta is not None and case.meta.generation.mode.is_positive:
        _make_true(operation, case)


DRAFTED = "/v1/projects/demo/orchestrations/drafted"
OVER_ANY = {"If-Match": "*"}


def _draft_again() -> None:
    """A draft of the same two phases, with a step to undo and one to do again; lesser tokens make none."""
    phases = [{"name": name, "tasks": [{"component": "demo-extractor", "configuration": name}]}
              for name in ("one", "two")]  # fmt: skip
    http.put(DRAFTED, json={"phases": phases}, headers=OVER_ANY)
    http.delete(f"{DRAFTED}/draft", headers=OVER_ANY)
    rename = {"operations": [{"operation": "rename_phase", "phase": 0, "name": "renamed"}]}
    for step in (rename, rename, {"undo": True}):
        http.post(f"{DRAFTED}/draft/steps", json=step, headers=OVER_ANY)


def _make(path: str, body: Any) -> None:
    """Save it, whether or not it exists."""
    made = http.put(path, json=body)
    if made.status_code == 428:
        made = http.put(path, json=body, headers={"If-Match": "*"})
    made.raise_for_status()


def _is_good(operation: str, name: str, value: object) -> bool:
    if name in NUMBERS:
        return re.fullmatch(r"[1-9][0-9]{0,15}", str(value)) is not None and int(str(value)) <= NUMBERS[name]
    if not isinstance(value, str):
        return False
    if name in SLUGS:
        return re.fullmatch(SLUG, value) is not None
    if name in IDS or (name == "token" and operation != "receive_callback"):
        try:
            return str(UUID(value)) == value.lower()
        except ValueError:
            return False
    if name == "name":
        return re.fullmatch(r"[a-z][a-z0-9_]{0,62}", value) is not None
    return 0 < len(value) <= 200


def _make_true(operation: str, case: Case[Any]) -> None:
    if operation in ("change_draft", "save_draft"):
        _draft_again()
    if case.query.get("owner"):
        case.query["owner"] = "demo"
    if case.query.get("query"):
        case.query["query"] = "by:jana"
    if case.query.get("tasks"):
        case.query["tasks"] = ["demo-extractor/one"]
    if "cursor" in case.query:
        _make_cursor_true(case)
    if operation == "get_job_log_lines":
        for name in [each for each in ("first", "around", "tail") if each in case.query][1:]:
            del case.query[name]
    if "428" in case.operation.definition.raw["responses"]:
        _meet_condition(case)
    if case.headers.get("Idempotency-Key"):
        case.headers["Idempotency-Key"] = f"{next(numbers)}{case.headers['Idempotency-Key']}"[:200]
    if isinstance(case.body, dict):
        body: Body = _whole(case.body)
        if operation in TRUE:
            TRUE[operation](body)
        case.body = body


def _meet_condition(case: Case[Any]) -> None:
    """Whatever state there is, if there is one."""
    case.headers.pop("If-None-Match", None)
    case.headers.pop("If-Match", None)
    path = re.sub("/draft/(steps|save)$", "/draft", case.formatted_path)
    if http.get(path).is_success:
        case.headers["If-Match"] = "*"


def _make_cursor_true(case: Case[Any]) -> None:
    """The cursor that the list gives in the same order, if it has another part."""
    order = {"sort": case.query["sort"]} if case.query.get("sort") else {}
    answer = http.get(case.formatted_path, params={"limit": 1, **order})
    del case.query["cursor"]
    if answer.is_success and (found := answer.json()["next"]) is not None:
        case.query["cursor"] = found


def _whole(value: Any) -> Any:
    """JSON Schema takes 3.0 for an integer; types are as written here."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {key: _whole(item) for key, item in value.items()}
    return [_whole(item) for item in value] if isinstance(value, list) else value


def _project(body: Body) -> None:
    """A project that is not there yet."""
    if http.get(f"/v1/projects/{body['id']}").is_success:
        body["id"] = f"p{next(numbers)}"


def _component(body: Body) -> None:
    """Named as in the path, with a section http whose parts fit together."""
    if body.get("component") is not None:
        body["component"] = "written"
    if body.get("http") is not None:
        body["http"] = {"start": {"url": "https://example.com/runs"}}


def _run_of_configuration(body: Body) -> None:
    if body.get("version") is not None:
        body["version"] = 1


def _run(body: Body) -> None:
    """Tasks and versions that there are."""
    _run_of_configuration(body)
    if body.get("tasks") is not None:
        body["tasks"] = ["open/one"]
    if body.get("parameters"):
        body["parameters"] = {"open/one": next(iter(body["parameters"].values()))}


def _retry(body: Body) -> None:
    """The plan as it is now; the orchestration may have been disabled in the meantime."""
    body["tasks"] = None
    body["confirm"] = True
    body["plan_id"] = http.get(f"/v1/projects/demo/jobs/{PLACES['job']}/retry-plan").json()["id"]


def _backfill(body: Body) -> None:
    """A schedule that there is, perhaps disabled in the meantime, and a period of the past."""
    body["confirm"] = True
    if body.get("schedule_id") is not None:
        body["schedule_id"] = PLACES["schedule_id"]
    else:
        body |= {"orchestration": "daily", "schedule": "hourly"}
    body |= {"from": "2026-11-01T00:00:00Z", "to": "2026-11-01T03:00:00Z"}


def _orchestration(body: Body) -> None:
    """Tasks of a configuration that there is, with one id each."""
    tasks = (task for phase in body.get("phases") or [] for task in phase.get("tasks", []))
    for number, task in enumerate(tasks):
        task |= {"id": f"t{number}", "component": "open", "configuration": "one"}


def _arrangement(body: Body) -> None:
    """One operation on phases and tasks that there are."""
    body["phases"] = None
    body["operations"] = [_operation(body["operations"][0])]


def _operations(body: Body) -> None:
    """The same in a draft; what is resolved is the version that there is."""
    if body.get("operations"):
        body["operations"] = [_operation(body["operations"][0])]
    if body.get("resolve"):
        body["resolve"]["version"] = http.get(DRAFTED).json()["version"]


def _operation(operation: Body) -> Body:
    task, new = "demo-extractor/one", {"component": "demo-extractor", "configuration": "one"}
    kind = operation["operation"]
    there: Body = {
        "phase": 0,
        "to": f"New {next(numbers)}",
        "phases": [0, 1],
        "task": task,
        "tasks": [new] if kind == "add_tasks" else [task],
        "values": {"enabled": False},
    }
    if kind == "add_phase":
        there["name"] = f"New {next(numbers)}"
    operation |= {name: value for name, value in there.items() if name in operation}
    operation |= {name: 0 for name in ("before", "after") if operation.get(name) is not None}
    return operation


def _copy(body: Body) -> None:
    """An id that is free."""
    body["id"] = f"copy{next(numbers)}"


def _token(body: Body) -> None:
    """An end to come, and buckets with the scope that needs them."""
    if body.get("expires_at") is not None:
        body["expires_at"] = "2100-01-01T00:00:00Z"
    if "scopes" in body:
        body["buckets"] = ["in.c-crm"] if {"publish", "tables"} & set(body["scopes"]) else []


def _trigger(body: Body) -> None:
    """Tables of the own project."""
    body["tables"] = [table.rpartition("/")[2] for table in body["tables"]]


SUBSCRIBED = "data-team@example.com"


def _notifications(body: Body) -> None:
    """Each address once for an event: with other limits it would contradict itself. One gets test mails."""
    found = [{"event": "error", "address": SUBSCRIBED}, *body["subscriptions"][1:]]
    body["subscriptions"] = list({(each["event"], each["address"].lower()): each for each in found}.values())


def _test_delivery(body: Body) -> None:
    """An address that is subscribed."""
    body["address"] = SUBSCRIBED


def _updates(body: Body) -> None:
    """No counts near 2^63: what the description says of them is read as a float."""
    for update in [body, *(body.get("updates") or [])]:
        if update.get("rows") is not None:
            update["rows"] = min(update["rows"], 2**53)


def _variable(body: Body) -> None:
    """No mask: it stands for what is stored."""
    if body["value"].startswith("***"):
        body["value"] = "x"


def _definitions(body: Body) -> None:
    """Over whatever is there."""
    body["plan_id"] = "*"


TRUE: dict[str, Callable[[Body], None]] = {
    "apply_definitions": _definitions,
    "create_project": _project,
    "save_component": _component,
    "run_configuration": _run_of_configuration,
    "run_orchestration": _run,
    "retry_job": _retry,
    "backfill_schedule": _backfill,
    "save_orchestration": _orchestration,
    "send_test_mail": _test_delivery,
    "preview_trigger": _trigger,
    "group_tasks": _orchestration,
    "arrange_tasks": _arrangement,
    "change_draft": _operations,
    "preview_draft": _operations,
    "automate_configuration": _copy,
    "copy_configuration": _copy,
    "copy_orchestration": _copy,
    "create_token": _token,
    "change_token": _token,
    "save_notifications": _notifications,
    "save_trigger": _trigger,
    "publish_table_updates": _updates,
    "save_variable": _variable,
}
"""By operation: what its body says of other things, of now, or of fields elsewhere, and no schema can."""


@schemathesis.check
def only_what_the_token_may(context: CheckContext, response: Response, case: Case[Any]) -> None:
    """A token changes nothing for which it lacks the scope, and one that only reads starts nothing."""
    if not TOLD["scopes"] or case.method.upper() in ("GET", "HEAD") or not 200 <= response.status_code < 300:
        return
    needed = case.operation.definition.raw.get("x-required-scopes", ["another"])
    is_public = case.operation.definition.raw.get("security") == []
    assert is_public or set(needed) & set(TOLD["scopes"]), f"{TOLD['scopes']} was enough, {needed} are needed"
    starts = response.status_code == 202 and not is_public
    assert not starts or TOLD["scopes"] != ["read"], "a token that only reads started a run"


@schemathesis.hook
def before_load_schema(context: HookContext, raw_schema: dict[str, Any]) -> None:
    """Lists as long as their bound take megabytes; test_api_gate sends such."""
    _without_long_lists(raw_schema)


def _without_long_lists(node: Any) -> None:
    if isinstance(node, dict):
        for bound in ("maxItems", "maxProperties"):
            if isinstance(node.get(bound), int) and node[bound] > MOST_ITEMS:
                del node[bound]
        node = list(node.values())
    if isinstance(node, list):
        for item in node:
            _without_long_lists(item)


def _text(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")


INSTANTS = st.datetimes(datetime(1970, 1, 1), datetime(9000, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001
schemathesis.openapi.format("date-time", INSTANTS.map(_text))
schemathesis.openapi.format("cron", st.sampled_from(["30 5 * * 1-5", "*/15 * * * *", "0 0 1 jan,jul *"]))
schemathesis.openapi.format("time-zone", st.sampled_from(["UTC", "Europe/Prague", "Asia/Kolkata"]))
schemathesis.openapi.format(
    "email", st.from_regex(r"[a-z!#$%]{1,9}(\.[a-z]{1,9})?@[a-z]{1,9}\.(org|xn--p1ai)", fullmatch=True)
)
