"""Patterns in components' JSON Schemas, matched in linear time for any pattern and any text.

Python's `re` backtracks: with `(a+)+$` in an administrator's schema, one request could block the API for
ever.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Protocol

from jsonschema import FormatChecker, ValidationError
from pydantic_core import SchemaError, SchemaValidator, core_schema
from pydantic_core import ValidationError as Mismatch

from orchestrator_api.catalog.phases import Json
from orchestrator_api.http.step_budget import spend

ADVICE = "look-around and back-references are not supported, and a repetition is limited to a few thousand"


class RuleValidator(Protocol):
    """The part of the library's validator that rules use."""

    def descend(
        self, instance: object, schema: object, path: object = None, schema_path: object = None
    ) -> Iterator[ValidationError]:
        """Yield the errors of the instance against the schema."""


Rule = Callable[[RuleValidator, Any, Any, Any], Iterable[ValidationError] | None]
"""Called with a validator, the rule's value, the instance, and the schema that contains the rule."""


@lru_cache(maxsize=512)
def _matcher(pattern: str) -> SchemaValidator:
    return SchemaValidator(core_schema.str_schema(pattern=pattern, regex_engine="rust-regex"))


def _usable(pattern: object) -> bool:
    if isinstance(pattern, str):
        _matcher(pattern)
    return True


def format_checker() -> FormatChecker:
    """Checks formats; a `regex` is valid if `found` can match it."""
    checker = FormatChecker()
    checker.checks("regex", raises=SchemaError)(_usable)
    return checker


def found(pattern: str, text: str) -> bool:
    """Whether the text contains a match; an unsupported pattern, stored before checks existed, matches."""
    spend(1 + len(text) // 256)
    try:
        _matcher(pattern).validate_python(text)
    except Mismatch:
        return False
    except SchemaError:
        return True
    return True


def pattern(
    validator: RuleValidator, wanted: str, instance: object, schema: Json
) -> Iterator[ValidationError]:
    """Rule `pattern`."""
    if isinstance(instance, str) and not found(wanted, instance):
        yield ValidationError("does not match")


def pattern_properties(
    validator: RuleValidator, patterns: Json, instance: object, schema: Json
) -> Iterator[ValidationError]:
    """Rule `patternProperties`."""
    if isinstance(instance, dict):
        for wanted, subschema in patterns.items():
            for key, value in instance.items():
                if found(wanted, key):
                    yield from validator.descend(value, subschema, path=key, schema_path=wanted)


def additional_properties(
    validator: RuleValidator, wanted: object, instance: object, schema: Json
) -> Iterator[ValidationError]:
    """Rule `additionalProperties`."""
    if not isinstance(instance, dict):
        return
    patterns = schema.get("patternProperties", {})
    known = schema.get("properties", {})
    extra = [key for key in instance if key not in known and not any(found(each, key) for each in patterns)]
    if isinstance(wanted, dict):
        for key in extra:
            yield from validator.descend(instance[key], wanted, path=key)
    elif not wanted and extra:
        were = "was" if len(extra) == 1 else "were"
        yield ValidationError(
            f"Additional properties are not allowed ({', '.join(map(repr, extra))} {were} unexpected)"
        )


def in_our_dialect(schema: Any) -> Any:
    """The schema without `$schema`: where a part names a dialect, the library would bypass our rules."""
    if isinstance(schema, Mapping):
        named = isinstance(schema.get("$schema"), str)
        return {key: in_our_dialect(part) for key, part in schema.items() if key != "$schema" or not named}
    return [in_our_dialect(part) for part in schema] if isinstance(schema, list) else schema


def unevaluated_beside_patterns(schema: object) -> bool:
    """Whether a schema contains both rules: the library would then match the patterns itself."""
    return _has_key(schema, "unevaluatedProperties") and _has_key(schema, "patternProperties")


def _has_key(schema: object, key: str) -> bool:
    if isinstance(schema, Mapping):
        return key in schema or any(_has_key(value, key) for value in schema.values())
    return isinstance(schema, list) and any(_has_key(item, key) for item in schema)
