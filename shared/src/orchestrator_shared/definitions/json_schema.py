"""JSON Schema of the YAML documents, for completion and checks in editors (docs/reference/definitions.md).

It is generated from the models; the texts shown beside a key come from the tables of the reference pages.
A schema cannot say everything that the models check (time zones, dates, cycles): what it refuses is wrong,
what it accepts may still be refused by `orchestrator validate`.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from orchestrator_shared.definitions import models
from orchestrator_shared.domain.ids import SLUG
from orchestrator_shared.domain.statuses import NotificationEvent

Json = dict[str, Any]
SCHEMA_FILE = "definitions.schema.json"
_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_DURATION = {
    "anyOf": [
        {"type": "integer", "minimum": 0},
        {
            "type": "string",
            "pattern": r"^\s*(\d+|(?=\d)(\d+ ?w)? ?(\d+ ?d)? ?(\d+ ?h)? ?(\d+ ?m)? ?(\d+ ?s)?)\s*$",
        },
    ],
    "examples": ["90s", "30m", "24h", "1d12h"],
}
_RUN = f"^{SLUG.strip('^$')}/{SLUG.strip('^$')}$"
_DESCRIBED: Mapping[type[BaseModel], tuple[str, str]] = {
    models.OrchestrationDocument: ("definitions.md", "## orchestration"),
    models.TaskDocument: ("definitions.md", "### A task"),
    models.ScheduleDocument: ("definitions.md", "### A schedule"),
    models.TriggerDocument: ("definitions.md", "### A trigger"),
    models.ConfigurationDocument: ("definitions.md", "## configuration"),
    models.BucketDocument: ("definitions.md", "## bucket"),
    models.ComponentDocument: ("component-contract.md", "## The document"),
}
"""The page and the section whose table describes a model's keys."""


class _AsWritten(GenerateJsonSchema):
    """Durations may be text, and every key has its name in the document."""

    def function_before_schema(self, schema: core_schema.BeforeValidatorFunctionSchema) -> JsonSchemaValue:
        name = getattr(schema["function"]["function"], "__name__", "")
        return dict(_DURATION) if name == "_seconds" else super().function_before_schema(schema)


def definitions_schema(reference: Path) -> Json:
    """The schema of one YAML document; `reference` is the folder of the reference pages."""
    shared: Json = {}
    kinds: Json = {}
    for key, model in models.KINDS.items():
        schema = model.model_json_schema(
            by_alias=True, schema_generator=_AsWritten, ref_template="#/$defs/{model}"
        )
        shared |= schema.pop("$defs", {})
        kinds[key] = {**schema, "required": sorted({key, *schema.get("required", ())})}
        shared[schema["title"]] = kinds[key]
    _correct(shared)
    _describe(shared, reference)
    return {
        "$schema": _DIALECT,
        "title": "Orchestrator definitions",
        "description": "The first key says what it is: orchestration, configuration, variables, "
        "bucket or component.",
        "type": "object",
        "oneOf": [{"required": [key]} for key in kinds],
        "allOf": [
            {"if": {"required": [key]}, "then": {"$ref": f"#/$defs/{model.__name__}"}}
            for key, model in models.KINDS.items()
        ],
        "$defs": {name: _plain(schema) for name, schema in sorted(shared.items())},
    }


def _correct(shared: Json) -> None:
    """Write down what validators do that a generated schema does not know of."""
    shared["EventDocument"] = _event()
    for name, key in (("TaskDocument", "run"), ("ConfigurationDocument", "configuration")):
        shared[name]["properties"][key]["pattern"] = _RUN
    schedule = shared["ScheduleDocument"]
    schedule["oneOf"] = [{"required": ["cron"]}, {"required": ["every"]}]
    schedule["properties"]["cron"] = {"type": "string", "examples": ["30 5 * * 1-5"]}
    schedule["properties"]["every"] = dict(_DURATION)
    variables = shared["VariablesDocument"]["properties"]["variables"]
    variables["additionalProperties"]["type"] = ["string", "integer"]


def _event() -> Json:
    limits = {
        NotificationEvent.PROCESSING_LONG.value: "percent",
        NotificationEvent.WAITING_LONG.value: "minutes",
    }
    names = [event.value for event in NotificationEvent if event is not NotificationEvent.DEADLINE_MISSED]
    with_limits = {
        event: {
            "type": "object",
            "properties": {limit: {"type": "integer", "minimum": 1}},
            "additionalProperties": False,
        }
        for event, limit in limits.items()
    }
    return {
        "anyOf": [
            {"enum": names},
            {
                "type": "object",
                "properties": with_limits,
                "additionalProperties": False,
                "minProperties": 1,
                "maxProperties": 1,
            },
        ]
    }


def _describe(shared: Json, reference: Path) -> None:
    for model, (page, section) in _DESCRIBED.items():
        text = (reference / page).read_text(encoding="utf-8")
        properties = shared[model.__name__]["properties"]
        for key, meaning in _meanings(text, section):
            if key in properties:
                properties[key] = {**properties[key], "description": meaning}


def _meanings(page: str, section: str) -> Iterator[tuple[str, str]]:
    """The keys in the section's table, and the last column beside each."""
    _, _, rest = page.partition(f"{section}\n")
    table = re.split(r"^#{2,3} ", rest, maxsplit=1, flags=re.MULTILINE)[0]
    for line in table.splitlines():
        cells = [cell.strip() for cell in line.strip("| ").replace("| |", "|").split(" | ")]
        if line.startswith("| `") and len(cells) > 1:
            for key in re.findall(r"`([a-z_]+)`", cells[0]):
                yield key, cells[-1]


def _plain(schema: Any) -> Any:
    """Without titles, which only repeat the names of keys."""
    if isinstance(schema, dict):
        return {
            key: _plain(value) for key, value in schema.items() if key != "title" or isinstance(value, dict)
        }
    return [_plain(item) for item in schema] if isinstance(schema, list) else schema
