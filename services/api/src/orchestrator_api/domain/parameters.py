"""Parameters against the JSON Schema of their component."""

from collections.abc import Mapping
from itertools import islice
from typing import Any

import jsonschema
from jsonschema.validators import Draft202012Validator
from referencing import Registry
from referencing.exceptions import Unresolvable

from orchestrator_api.domain.refusals import FieldError

MOST_ERRORS = 20


def check_schema(schema: Mapping[str, Any]) -> list[FieldError]:
    """What is wrong with a schema itself."""
    try:
        Draft202012Validator.check_schema(schema)
    except jsonschema.SchemaError as error:
        path = ".".join(["parameters", *map(str, error.absolute_path)])
        return [FieldError(path, f"no JSON Schema: {_short(error.message)}")]
    return []


def check_parameters(parameters: Mapping[str, Any], schema: Mapping[str, Any]) -> list[FieldError]:
    """What is wrong with parameters; never repeats a value, which may be a secret."""
    registry: Registry[Any] = Registry()  # nothing is ever fetched for a $ref
    validator = Draft202012Validator(schema, registry=registry)
    try:
        errors = list(islice(validator.iter_errors(parameters), MOST_ERRORS))
    except Unresolvable as error:
        return [
            FieldError("parameters", f"the component's schema has a $ref that leads nowhere: {error.ref}")
        ]
    return [_field_error(error) for error in errors]


def _field_error(error: jsonschema.ValidationError) -> FieldError:
    path = ".".join(["parameters", *map(str, error.absolute_path)])
    rule, value = str(error.validator), error.validator_value
    if rule in ("required", "additionalProperties"):
        return FieldError(path, _short(error.message) if rule == "additionalProperties" else _missing(error))
    return FieldError(path, f"does not fit the component's schema: {rule} {_short(repr(value))}")


def _missing(error: jsonschema.ValidationError) -> str:
    present = error.instance if isinstance(error.instance, dict) else {}
    wanted = error.validator_value if isinstance(error.validator_value, list) else []
    return f"lacks {', '.join(repr(name) for name in wanted if name not in present)}"


def _short(text: str) -> str:
    return text if len(text) <= 300 else f"{text[:300]}…"
