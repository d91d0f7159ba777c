"""The HTTP application: routes, problem responses and their API description."""

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI

from orchestrator_api.events.service import Streams
from orchestrator_api.http import docs_page, problems
from orchestrator_api.http.compression import Compression
from orchestrator_api.http.dependencies import OF_BODY
from orchestrator_api.http.limiting import Limiting
from orchestrator_api.http.measuring import Measuring
from orchestrator_api.http.models import Output, Problem
from orchestrator_api.http.problem_examples import PROBLEMS
from orchestrator_api.http.session import Sessions
from orchestrator_api.people.sign_in import SignIns
from orchestrator_api.routers import ROUTERS
from orchestrator_shared.messaging.dead_letters import DeadLetters

DESCRIPTION = """
Runs the configured components of a data platform in the right order, on a schedule or when tables are
updated.

Send a token as `Authorization: Bearer orc_…`. Errors are problem details (RFC 9457); `errors` names each
invalid field. Lists return `{"items": [...], "next": cursor or null}`. Values under keys that begin with `#`
are secrets: they are stored encrypted and shown as `***`; sending `***` back keeps what is stored.
To change or delete something that exists, send its `etag` as `If-Match`.
"""
TAGS = (
    ("projects", "The tenants."),
    ("components", "Programs and services that can be run, registered by an administrator."),
    ("configurations", "Stored, versioned parameters of a component."),
    ("orchestrations", "Tasks arranged in phases."),
    ("runs", "Starting orchestrations and configurations, and the runs of an orchestration."),
    ("trash", "What was deleted, until it is restored or purged."),
    ("jobs", "Every execution of a configuration."),
    ("events", "What changes, as it happens: server-sent events."),
    ("schedules", "Runs that start at given times."),
    ("triggers", "Runs that start when tables are updated."),
    ("tables", "Table updates and shared buckets."),
    ("notifications", "Who is notified of what."),
    ("variables", "Project variables."),
    ("people", "Accounts, sessions, and the members of projects with their roles."),
    ("tokens", "Tokens of projects, of people and of administrators."),
    ("definitions", "A whole project as YAML documents."),
    ("records", "The audit log, and the mails that were or will be sent."),
    ("dead letters", "Messages that could not be processed."),
)


class DescribedApi(FastAPI):
    """Describes problems under their own media type, which FastAPI's response models cannot do."""

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            template = "#/components/schemas/{model}"
            problem = Problem.model_json_schema(ref_template=template, mode="serialization")
            schemas: dict[str, Any] = super().openapi()["components"]["schemas"]
            schemas |= problem.pop("$defs")
            schemas["Problem"] = problem
            _show_examples(self.openapi_schema)
            _describe_streams(self.openapi_schema)
            _share_problems(self.openapi_schema)
        assert self.openapi_schema is not None
        return self.openapi_schema


def _show_examples(document: dict[str, Any] | None) -> None:
    """Add those of problems, and the nulls in those of answers, which FastAPI leaves out."""
    assert document is not None
    components = document["components"]
    components["examples"] = {name: {"value": shown} for name, shown in PROBLEMS.items()}
    for model in _kinds(Output):
        extra = model.model_config.get("json_schema_extra")
        if isinstance(extra, dict) and "examples" in extra and model.__name__ in components["schemas"]:
            components["schemas"][model.__name__]["examples"] = extra["examples"]


def _kinds(model: type[Output]) -> Iterator[type[Output]]:
    for kind in model.__subclasses__():
        yield kind
        yield from _kinds(kind)


def _describe_streams(document: dict[str, Any] | None) -> None:
    """A stream is a text; OpenAPI 3.1 has no keyword for the data of its events."""
    assert document is not None
    for item in document["paths"].values():
        for operation in item.values():
            content = operation["responses"].get("200", {}).get("content", {}).get("text/event-stream")
            if content is not None:
                content["x-event-data"] = content["schema"].pop("anyOf")


def _share_problems(document: dict[str, Any] | None) -> None:
    """Describe each kind of problem once; those of bodies only where there is a body."""
    assert document is not None
    shared = document["components"].setdefault("responses", {})
    for item in document["paths"].values():
        for operation in item.values():
            kept = {}
            for status, response in operation["responses"].items():
                if problems.MEDIA_TYPE not in response.get("content", {}):
                    kept[status] = response
                elif "requestBody" in operation or int(status) not in OF_BODY:
                    name = f"Problem{status}"
                    assert shared.setdefault(name, response) == response, "one description for each status"
                    kept[status] = {"$ref": f"#/components/responses/{name}"}
            operation["responses"] = kept


def create_app(
    sessions: Sessions | None,
    dead_letters: DeadLetters | None = None,
    streams: Streams | None = None,
    sign_ins: SignIns | None = None,
) -> FastAPI:
    """Create the application; without sessions it only serves its own description."""
    app = DescribedApi(
        title="Orchestrator API",
        version="1",
        description=DESCRIPTION,
        openapi_url="/v1/openapi.json",
        docs_url=None,
        redirect_slashes=False,
        redoc_url=None,
        openapi_tags=[{"name": name, "description": text} for name, text in TAGS],
    )
    app.state.sessions = sessions
    app.state.dead_letters = dead_letters
    app.state.streams = streams
    app.state.sign_ins = sign_ins
    for router in ROUTERS:
        # Not `include_router`: FastAPI would create each of its routes a second time, for every application.
        app.router.routes.extend(router.routes)
    problems.install(app)
    app.add_middleware(Compression)
    app.add_middleware(Limiting)
    app.add_middleware(Measuring)
    app.add_route("/docs", docs_page.docs, include_in_schema=False)
    return app
