"""Bad input gets a problem that names the field, and changes nothing."""

import base64
import gzip
from typing import Any

import pytest
from tests.integration.api.conftest import COMPONENT, Client, RunningApi, refused
from tests.support.databases import Database


async def raw(client: Client, body: bytes, path: str = "/v1/projects") -> Any:
    headers = {"content-type": "application/json"}
    response = await client.http.post(path, content=body, headers=headers)
    assert response.headers["content-type"] == "application/problem+json"
    return response.json()


@refused
async def test_malformed_json_is_reported_with_line_and_column(shared: Client) -> None:
    problem = await raw(shared, b'{"id": "x",\n "name": }')
    assert problem["status"] == 400
    assert "line 2, column 10" in problem["detail"]


@refused
@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        (b'{"id": "x", "name": "a\\u0000b"}', 422, "name"),
        (b'{"id": "x", "a\\u0000b": 1}', 422, "body"),
        (b'{"id": "x", "name": "\\ud800"}', 422, "name"),
        (b'{"id": "x", "parallel_limit": NaN}', 400, "body"),
        (b'{"id": "x", "parallel_limit": 1e999}', 422, "parallel_limit"),
        (b'{"id": "x", "parallel_limit": 99999999999}', 422, "parallel_limit"),
        (b'{"id": "x", "colour": "red"}', 422, "colour"),
        (b'{"id": "Not A Slug"}', 422, "id"),
        (b'{"name": "no id"}', 422, "id"),
        (b"\xff\xfe", 400, "body"),
        (b"[" * 5000, 400, "body"),
        (b'{"id": "x", "name": ' + b"[" * 200 + b"]" * 200 + b"}", 422, "name" + ".0" * 97),
        (b"[]", 422, "body"),
        (b'{"id": ' + b"9" * 5000 + b"}", 400, "body"),
    ],
)
async def test_bad_body_names_the_field(shared: Client, body: bytes, status: int, field: str) -> None:
    problem = await raw(shared, body)
    assert problem["status"] == status
    assert problem["errors"][0]["field"].startswith(field[:60])
    assert [p["id"] for p in (await shared.get("/v1/projects"))["items"]] == ["demo"]


RUN, ARRANGE = "orchestrations/daily/runs", "orchestrations/daily/arrangement"
SAVE = "orchestrations/bad"
ONE = {"component": "demo-extractor", "configuration": "one"}
NESTED = {"component": "orchestrator", "configuration": "daily"}
TASK = "phases.0.tasks.0"


def saved(task: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"phases": [{"tasks": [{**task, **more}]}]}


def arranged(**operation: Any) -> dict[str, Any]:
    return {"operations": [operation]}


@refused
@pytest.mark.parametrize(
    ("path", "body", "field", "says"),
    [
        (RUN, {"parameters": {"demo-extractor/one": 3}}, "parameters.demo-extractor/one", "an object"),
        (RUN, {"scheduled_for": "yesterday"}, "scheduled_for", "2026-11-21T08:15:00Z"),
        (RUN, {"scheduled_for": "2026-01-01T00:00:00"}, "scheduled_for", "time zone"),
        (RUN, {"scheduled_for": "1700000000"}, "scheduled_for", "not a number"),
        ("definitions/apply", {"documents": [], "prune": 0}, "prune", "true or false"),
        (RUN, {"job_id": "0198c0de-0000-7000-8000-000000000001"}, "job_id", "the header Idempotency-Key"),
        (
            f"jobs/{'0' * 32}/retries",
            {"plan_id": "x", "job_id": None},
            "job_id",
            "the header Idempotency-Key",
        ),
        (RUN, {"colour": 1}, "colour", "no such field"),
        (RUN, {"notify": "perhaps"}, "notify", "true or false"),
        (RUN, {"tasks": "demo-extractor/one"}, "tasks", "a list"),
        (f"jobs/{'0' * 32}/retries", {}, "plan_id", "is missing"),
        (ARRANGE, {"operations": []}, "operations", "at least 1 entry"),
        (ARRANGE, arranged(operation="fly"), "operations.0.operation", "one of group_by_type"),
        (ARRANGE, arranged(), "operations.0.operation", "one of group_by_type"),
        (ARRANGE, arranged(operation="merge_phases", phases=["A"]), "operations.0.phases", "at least 2"),
        (ARRANGE, arranged(operation="move_phase", phase=0), "operations.0", "give either before or after"),
        (ARRANGE, arranged(operation="move_phase", phase=-1, before=0), "operations.0.phase", "at least 0"),
        (SAVE, saved(ONE, id="Bad Id"), f"{TASK}.id", "lower-case"),
        (SAVE, saved(ONE, parameters={"timeout": "soon"}), f"{TASK}.parameters.timeout", "not a duration"),
        (SAVE, saved(ONE, parameters={"version": "x"}), f"{TASK}.parameters.version", "whole number"),
        (SAVE, saved(ONE, parameters={"attempts": 0}), f"{TASK}.parameters.attempts", "at least 1"),
        (SAVE, saved(ONE, parameters={"parameters": 5}), f"{TASK}.parameters.parameters", "an object"),
        (SAVE, saved(NESTED, timeout_seconds=60), f"{TASK}.timeout_seconds", "give one to its tasks"),
        (SAVE, saved(NESTED, parameters={"timeout": "1m"}), f"{TASK}.parameters.timeout", "give one to"),
    ],
)
async def test_what_the_engine_cannot_do_is_refused_with_the_way_out(
    shared: Client, path: str, body: Any, field: str, says: str
) -> None:
    problem = await shared.call("PUT" if path == SAVE else "POST", path, body, status=422)
    assert [error["field"] for error in problem["errors"]][:1] == [field]
    assert says in problem["errors"][0]["detail"]
    assert says in problem["detail"] or len(problem["errors"]) > 1


@refused
async def test_body_over_one_mebibyte_is_refused(shared: Client) -> None:
    body = b'{"id": "x", "name": "' + b"a" * 1024 * 1024 + b'"}'
    assert (await raw(shared, body))["status"] == 413

    async def chunks() -> Any:
        for _ in range(20):
            yield b" " * 65536

    response = await shared.http.post("/v1/projects", content=chunks())
    assert response.status_code == 413


@pytest.mark.parametrize("coding", ["gzip", "br, gzip", "x"])
async def test_a_compressed_body_is_refused_by_its_name(admin: Client, coding: str) -> None:
    """It was reported as invalid UTF-8."""
    headers = {"content-type": "application/json", "content-encoding": coding}
    body = gzip.compress(b'{"id": "x"}')
    response = await admin.http.post("/v1/projects", content=body, headers=headers)
    assert response.status_code == 415
    assert "Content-Encoding" in response.json()["detail"]
    plain = await admin.http.post(
        "/v1/projects",
        content=b'{"id": "x", "name": "X"}',
        headers={**headers, "content-encoding": "Identity"},
    )
    assert plain.status_code == 201


@refused
async def test_nul_in_the_address_is_refused(shared: Client) -> None:
    await shared.get("/v1/projects/demo%00", status=422)
    await shared.get("/v1/projects/demo/jobs?component=a%00b", status=422)


@refused
async def test_unknown_path_and_method_are_problems(shared: Client) -> None:
    await shared.get("/v1/nothing", status=404)
    await shared.delete("/v1/projects", status=405)


@refused
@pytest.mark.parametrize("cursor", ["x", "W10", "WyJhIl0", "%ff", "eyJ9", "WyIyMDI2IiwgIjEiXQ", "bnVsbA"])
async def test_foreign_cursor_is_refused(shared: Client, cursor: str) -> None:
    problem = await shared.get(f"jobs?cursor={cursor}", status=422)
    assert problem["errors"][0]["field"] == "cursor"


@refused
@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("jobs?limit=0", "limit"),
        ("jobs?limit=501", "limit"),
        ("jobs?status=ready", "status.0"),
        ("jobs?origin=nobody", "origin.0"),
        ("jobs/not-a-uuid", "job"),
        ("jobs/0198c0de-0000-7000-8000-000000000001/log?after=1", "after"),
        ("jobs/0198c0de-0000-7000-8000-000000000001/log?after=99999999999:1", "after"),
    ],
)
async def test_bad_query_names_the_field(shared: Client, path: str, field: str) -> None:
    problem = await shared.get(path, status=422)
    assert problem["errors"][0]["field"] == field


@refused
@pytest.mark.parametrize(
    ("wish", "field"),
    [
        ({"scheduled_for": "0001-01-01T00:00:00+23:00"}, "scheduled_for"),
        ({"scheduled_for": "2026-11-21T08:00:00"}, "scheduled_for"),
        ({"version": 7}, "version"),
        ({"version": 2**40}, "version"),
        ({"tasks": []}, "tasks"),
        ({"parameters": {"ghost": {}}}, "parameters.ghost"),
        (
            {"parameters": {"demo-extractor/one": {"#password": "***"}}},
            "parameters.demo-extractor/one.#password",
        ),
        ({"parameters": []}, "parameters"),
        ({"job_id": "one"}, "job_id"),
    ],
)
async def test_bad_run_leaves_nothing(
    shared: Client, shared_database: Database, wish: dict[str, Any], field: str
) -> None:
    problem = await shared.post("orchestrations/daily/runs", wish, status=422)
    assert problem["errors"][0]["field"] == field
    assert await shared_database.fetchval("SELECT count(*) FROM catalog.run_requests") == 0


@refused
async def test_unknown_things_are_not_found(shared: Client) -> None:
    await shared.post("orchestrations/ghost/runs", status=404)
    await shared.post("configurations/demo-extractor/ghost/runs", status=404)
    await shared.post("configurations/ghost/one/runs", status=404)
    await shared.get("jobs/0198c0de-0000-7000-8000-000000000001", status=404)
    await shared.post("jobs/0198c0de-0000-7000-8000-000000000001/termination", status=404)
    problem = await shared.put("configurations/ghost/one", {}, status=422)
    assert problem["errors"][0]["field"] == "component"
    problem = await shared.put("configurations/orchestrator/one", {}, status=422)
    assert "orchestrations" in problem["detail"]


@refused
@pytest.mark.parametrize(
    ("document", "field"),
    [
        ({"type": "orchestrator", "command": ["x"]}, "type"),
        ({"type": "writer", "command": []}, "command"),
        ({"type": "writer", "command": ["x"], "parameters": {"type": "objekt"}}, "parameters.type"),
        ({"type": "writer", "command": ["x"], "component": "other"}, "component"),
        ({"type": "writer", "command": ["x"], "executor": "lambda"}, "executor"),
    ],
)
async def test_bad_component_document(shared: Client, document: dict[str, Any], field: str) -> None:
    problem = await shared.put("/v1/components/bad", document, status=422)
    assert problem["errors"][0]["field"] == field
    await shared.get("/v1/components/bad", status=404)
    await shared.put("/v1/components/orchestrator", {"type": "writer", "command": ["x"]}, status=422)


async def test_schema_is_never_fetched(admin: Client) -> None:
    document = {
        "type": "writer",
        "command": ["x"],
        "parameters": {"$ref": "http://127.0.0.1:9/schema.json"},
    }
    await admin.put("/v1/components/remote", document)
    problem = await admin.put("configurations/remote/one", {"parameters": {}}, status=422)
    assert "$ref" in problem["detail"]


async def test_duplicate_task_ids_are_named(furnished: Client) -> None:
    task = {"component": "demo-extractor", "configuration": "one"}
    problem = await furnished.put("orchestrations/twice", {"phases": [{"tasks": [task, task]}]}, status=422)
    assert {e["field"] for e in problem["errors"]} == {"phases.0.tasks.0.id", "phases.0.tasks.1.id"}
    apart = {"phases": [{"tasks": [task, {**task, "id": "again"}]}]}
    await furnished.put("orchestrations/twice", apart, status=201)


async def test_nothing_is_revealed_without_a_token(api: RunningApi, admin: Client) -> None:
    for token in (None, "orc_wrong", "x" * 5000):
        async with api.http(token) as http:
            for path in ("/v1/projects", "/v1/projects/demo", "/v1/projects/ghost/jobs"):
                response = await http.get(path)
                assert response.status_code == 401
                assert response.headers["www-authenticate"] == "Bearer"
                assert response.headers["content-type"] == "application/problem+json"


@refused
async def test_refusals_name_the_field_whatever_is_sent(shared: Client) -> None:
    runs = "orchestrations/daily/runs"

    async def field(method: str, path: str, body: Any = None) -> str:
        problem = await shared.call(method, path, body, status=422)
        return str(problem["errors"][0]["field"])

    forged = {"demo-extractor/one": {"#password": "enc:v1:AAAA"}}
    assert await field("POST", runs, {"parameters": forged}) == "parameters"
    assert await field("POST", runs, {"scheduled_for": 1_700_000_000}) == "scheduled_for"
    half = base64.urlsafe_b64encode(b'["\\ud800", "x"]').decode()
    assert await field("GET", f"configurations?cursor={half}") == "cursor"
    forged_configuration = {"parameters": forged["demo-extractor/one"]}
    assert await field("PUT", "configurations/demo-extractor/one", forged_configuration) == "parameters"
    task = {"component": "demo-extractor", "configuration": "one", "parameters": {"timeout_seconds": 1e300}}
    wrong = {"phases": [{"tasks": [task]}]}
    assert await field("PUT", "orchestrations/x", wrong) == "phases.0.tasks.0.parameters.timeout_seconds"


@refused
async def test_an_answer_about_many_mistakes_stays_small(shared: Client) -> None:
    wrong: dict[str, Any] = {f"task-{number}": {} for number in range(20_000)}
    problem = await shared.post("orchestrations/daily/runs", {"parameters": wrong}, status=422)
    assert len(problem["errors"]) == 50
    many = [f"task-{number}" for number in range(10_000)]
    problem = await shared.post("orchestrations/daily/runs", {"tasks": many}, status=422)
    assert len(problem["errors"]) == 50


async def test_a_number_too_large_for_a_float_is_checked(furnished: Client) -> None:
    schema = {"properties": {"share": {"multipleOf": 0.1}}}
    await furnished.put("/v1/components/demo-extractor", {**COMPONENT, "parameters": schema})
    huge = {"parameters": {"share": 10**400}}
    problem = await furnished.put("configurations/demo-extractor/one", huge, status=422)
    assert problem["errors"][0]["field"] == "parameters.share"


async def test_a_run_needs_no_body(furnished: Client) -> None:
    for path in ("orchestrations/daily/runs", "configurations/demo-extractor/one/runs"):
        response = await furnished.http.post(f"/v1/projects/demo/{path}")
        assert response.status_code == 202
