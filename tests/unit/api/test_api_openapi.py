"""The API description: kept in the repository, and good enough to generate clients from."""

import json
from pathlib import Path
from typing import Any, get_args

import pytest
from fastapi.routing import APIRoute
from pydantic import BaseModel

from orchestrator_api.access.models import TokenCreated, TokenOut
from orchestrator_api.http.models import Input, Problem
from orchestrator_api.http.problem_examples import PROBLEMS
from orchestrator_api.openapi import description
from orchestrator_api.orchestrations.models import OrchestrationOut, OrchestrationSaved
from orchestrator_api.people.models import MemberOut
from orchestrator_api.routers import ROUTERS
from orchestrator_api.runs.models import JobDetail, JobOut, RunAccepted
from orchestrator_api.schedules.models import ScheduleOut
from orchestrator_api.triggers.models import TriggerOut

KEPT = Path(__file__).parents[3] / "docs" / "contracts" / "openapi.json"
SECURITY: list[dict[str, list[str]]] = [{"HTTPBearer": []}, {"SessionCookie": []}]
OPEN = {
    "post /v1/callbacks/{token}",  # the address is the secret
    "post /v1/sessions",
    "post /v1/cli-logins",
    "post /v1/password-resets",
    "get /v1/links/{link}",  # the address is the secret
    "post /v1/links/{link}",  # the code is the secret
}
ROUTES = [
    route
    for router in ROUTERS
    for route in router.routes
    if isinstance(route, APIRoute) and route.include_in_schema
]
WITH_BODY = [pytest.param(route, id=route.operation_id) for route in ROUTES if route.body_field]
SHOWN = (
    *(JobOut, JobDetail, RunAccepted, OrchestrationOut, OrchestrationSaved, ScheduleOut, TriggerOut),
    *(TokenOut, TokenCreated, MemberOut),
)
DOCUMENT: dict[str, Any] = json.loads(description())
METHODS = {"get", "put", "post", "patch", "delete"}
OF_BODY = {"400", "408", "413", "415"}


def described(response: dict[str, Any]) -> dict[str, Any]:
    """The response itself, where a reference stands for it."""
    if "$ref" not in response:
        return response
    shared: dict[str, dict[str, Any]] = DOCUMENT["components"]["responses"]
    return shared[response["$ref"].removeprefix("#/components/responses/")]


def test_kept_description_is_current() -> None:
    assert KEPT.read_text(encoding="utf-8") == description(), (
        "run: python -m orchestrator_api.openapi docs/contracts/openapi.json"
    )


def test_every_operation_is_described() -> None:
    document = json.loads(description())
    seen = set()
    for path, item in document["paths"].items():
        for method, operation in item.items():
            where = f"{method} {path}"
            assert method in METHODS, where
            assert operation["operationId"] not in seen, where
            seen.add(operation["operationId"])
            assert len(operation["tags"]) >= 1, where
            assert operation["description"], where
            is_open = where in OPEN
            assert operation["security"] == ([] if is_open else SECURITY), where
            expected = {"422", "503"} if is_open else {"401", "403", "422", "503"}
            assert expected <= operation["responses"].keys(), where
            wrong = [
                status
                for status, response in operation["responses"].items()
                if status.startswith(("4", "5"))
                and list(described(response)["content"]) != ["application/problem+json"]
            ]
            assert wrong == [], where
    assert len(seen) >= 55
    assert {tag["name"] for tag in document["tags"]} == {
        tag for item in document["paths"].values() for operation in item.values() for tag in operation["tags"]
    }


def _models(annotation: Any) -> list[type[Input]]:
    """One, or (where the body may be left out) the one beside None."""
    return [each for each in get_args(annotation) or (annotation,) if each is not type(None)]


@pytest.mark.parametrize("route", WITH_BODY)
def test_every_body_has_an_example_that_its_model_accepts(route: APIRoute) -> None:
    assert route.body_field is not None
    (model,) = _models(route.body_field.field_info.annotation)
    examples = model.model_json_schema().get("examples")
    assert examples, f"give {model.__name__} `model_config = example({{...}})`"
    for shown in examples:
        model.model_validate(shown)
    bases = [base for base in model.__bases__ if issubclass(base, BaseModel)]
    inherited = [base.model_config.get("json_schema_extra") for base in bases]
    assert model.model_config["json_schema_extra"] not in inherited, "it shows nothing of what the model adds"


@pytest.mark.parametrize("model", SHOWN)
def test_examples_of_answers_are_what_is_answered(model: type[BaseModel]) -> None:
    schema = DOCUMENT["components"]["schemas"][model.__name__]
    for shown in schema["examples"]:
        model.model_validate(shown)
        missing = set(schema["required"]) - shown.keys()
        assert (shown.keys() - schema["properties"].keys(), missing) == (set(), set())


def _expected_problems(path: str, operation: dict[str, Any]) -> set[str]:
    expected = {"422", "429", "503"}
    if operation["security"]:
        expected |= {"401", "403"}
    if "{" in path:
        expected.add("404")
    if "requestBody" in operation:
        expected |= OF_BODY
    if any(each["name"] == "If-Match" for each in operation.get("parameters", ())):
        expected |= {"409", "412", "428"}
    return expected


def test_every_problem_that_an_operation_may_answer_is_described_with_an_example() -> None:
    examples = DOCUMENT["components"]["examples"]
    for path, item in DOCUMENT["paths"].items():
        for method, operation in item.items():
            lacking = _expected_problems(path, operation) - operation["responses"].keys()
            assert not lacking, f"{method} {path} does not describe {sorted(lacking)}"
            if "requestBody" not in operation:
                assert not OF_BODY & operation["responses"].keys(), f"{method} {path} has no body"
            for status, response in operation["responses"].items():
                if status.startswith(("4", "5")):
                    named = described(response)["content"]["application/problem+json"]["examples"]
                    of_status = {
                        name for name, each in examples.items() if each["value"]["status"] == int(status)
                    }
                    assert named.keys() == of_status != set(), f"{method} {path} {status}"
                    assert response == {"$ref": f"#/components/responses/Problem{status}"}, "described once"


@pytest.mark.parametrize("name", PROBLEMS)
def test_examples_of_problems_are_problems(name: str) -> None:
    shown = PROBLEMS[name]
    assert Problem.model_validate(shown).model_dump(mode="json", exclude_unset=True) == shown
    assert shown.keys() <= Problem.model_fields.keys()
    assert ("change" in shown) == (shown["status"] == 412)
