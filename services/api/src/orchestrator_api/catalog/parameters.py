"""Checks parameters against the JSON Schema of their component."""

from collections.abc import Hashable, Iterator, Mapping, Sequence, Set
from itertools import chain, islice
from typing import Any

import jsonschema
from jsonschema import ValidationError as Violation
from jsonschema.validators import Draft202012Validator, extend
from referencing import Registry
from referencing.exceptions import Unresolvable

from orchestrator_api.catalog import patterns
from orchestrator_api.catalog.patterns import Rule, RuleValidator
from orchestrator_api.catalog.phases import Json
from orchestrator_api.http.refusals import FieldError
from orchestrator_api.http.step_budget import MAX_STEPS, StepBudget, StepBudgetExceeded, charged_to, spend
from orchestrator_shared.definitions.placeholders import has_placeholder, holds_placeholder

MAX_ERRORS = 20
_LIBRARY: dict[str, Rule] = dict(Draft202012Validator.VALIDATORS)
_TYPES = ("array", "boolean", "integer", "null", "number", "object", "string")
_VALUE_RULES = ("const", "enum", "maxLength", "minLength", "pattern")
_NAMING = ("additionalProperties", "dependentRequired", "required", "unevaluatedProperties")
"""Rules whose messages name properties but reveal no values."""


def _unless_placeholder(rule: str) -> Rule:
    """Skip the rule for placeholders: their values are known only when the job runs."""
    own: dict[str, Rule] = {"pattern": patterns.pattern, "enum": _enum}
    unwrapped = own.get(rule) or _LIBRARY[rule]

    def checked(
        validator: RuleValidator, value: object, instance: object, schema: Json
    ) -> Iterator[Violation]:
        if not has_placeholder(instance):
            yield from unwrapped(validator, value, instance, schema) or ()

    return checked


def _any_of(
    validator: RuleValidator, value: Sequence[object], instance: object, schema: Json
) -> Iterator[Violation]:
    """Replaces the library's rule, which collects all errors of all branches: gigabytes in the worst case."""
    if not any(_fits(validator, each, instance) for each in value):
        yield _no_branch_fits(instance)


def _one_of(
    validator: RuleValidator, value: Sequence[object], instance: object, schema: Json
) -> Iterator[Violation]:
    """Placeholders make several branches match for now, because their values are not known yet."""
    fitting = islice((each for each in value if _fits(validator, each, instance)), 2)
    count = sum(1 for _ in fitting)
    if count == 0 or (count > 1 and not holds_placeholder(instance)):
        yield _no_branch_fits(instance)


def _fits(validator: RuleValidator, schema: object, instance: object) -> bool:
    return next(validator.descend(instance, schema), None) is None


def _no_branch_fits(instance: object) -> Violation:
    is_one_value = not isinstance(instance, dict | list)
    return Violation(
        f"{instance!r} matches none of the allowed schemas"
        if is_one_value
        else "matches none of the allowed schemas"
    )


def _multiple_of(
    validator: RuleValidator, value: object, instance: object, schema: Json
) -> Iterator[Violation]:
    """Rejects numbers too large for a float, with which the library's rule would fail."""
    try:
        yield from _LIBRARY["multipleOf"](validator, value, instance, schema) or ()
    except OverflowError:
        yield Violation("the number is too large")


def _enum(
    validator: RuleValidator, value: Sequence[object], instance: object, schema: Json
) -> Iterator[Violation]:
    """Looks strings up with `in`, which is a hundred times as fast as the library's rule."""
    if isinstance(instance, str) and instance in value:
        return
    spend(len(value) // 8)
    yield from _LIBRARY["enum"](validator, value, instance, schema) or ()


def _unique_items(
    validator: RuleValidator, value: object, instance: object, schema: Json
) -> Iterator[Violation]:
    """Checks in one pass; the library compares every pair of items that cannot be sorted."""
    if value and isinstance(instance, list):
        seen = {_comparable(item) for item in instance}
        if len(seen) < len(instance):
            yield Violation("has duplicate items")


def _comparable(value: object) -> Hashable:
    """A value that is equal for equal JSON: 1 and 1.0 are equal, 1 and true are not."""
    spend()
    if isinstance(value, dict):
        return frozenset((key, _comparable(item)) for key, item in value.items())
    if isinstance(value, list):
        return tuple(_comparable(item) for item in value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, str) else (type(value), repr(value))  # many numbers share a hash


_PER_ITEM = {"items", "prefixItems", "contains", "additionalProperties", "propertyNames"}
_PER_PAIR = {"unevaluatedItems", "unevaluatedProperties"}


def _counted(name: str, rule: Rule) -> Rule:
    """The rule, charged to the step budget by the size of what it reads and reports."""

    def checked(
        validator: RuleValidator, value: object, instance: object, schema: Json
    ) -> Iterator[Violation]:
        size = _size(instance)
        extra = size // 4 if name in _PER_ITEM else size * size // 4096 if name in _PER_PAIR else 0
        spend(1 + extra + (size + _size(value)) // 64)
        for error in rule(validator, value, instance, schema) or ():
            spend(1 + len(error.message) // 64)
            yield error

    return checked


def _size(value: object) -> int:
    return len(value) if isinstance(value, str | list | dict) else 0


_OWN_RULES: dict[str, Rule] = {
    "anyOf": _any_of,
    "oneOf": _one_of,
    "uniqueItems": _unique_items,
    "multipleOf": _multiple_of,
    "patternProperties": patterns.pattern_properties,
    "additionalProperties": patterns.additional_properties,
    **{rule: _unless_placeholder(rule) for rule in _VALUE_RULES},
}
_RULES = {name: _counted(name, rule) for name, rule in {**_LIBRARY, **_OWN_RULES}.items()}
_Validator = extend(Draft202012Validator, _RULES)  # type: ignore[no-untyped-call]  # so in its stubs
_BesidePatterns = extend(_Validator, {"unevaluatedProperties": lambda *_: ()})  # type: ignore[no-untyped-call]
_FORMATS = patterns.format_checker()


def check_schema(schema: Json) -> list[FieldError]:
    """Report what is wrong with a schema itself."""
    try:
        Draft202012Validator.check_schema(schema, format_checker=_FORMATS)
    except jsonschema.SchemaError as error:
        return [FieldError(_path(error, "parameters"), _schema_reason(error))]
    if patterns.unevaluated_beside_patterns(schema):
        advice = "unevaluatedProperties beside patternProperties is not supported: use additionalProperties"
        return [FieldError("parameters", advice)]
    return []


def check_parameters(
    parameters: Json,
    schema: Json,
    prefix: str = "parameters",
    *,
    budget: StepBudget | None = None,
) -> list[FieldError]:
    """Report what is wrong with parameters; never repeats a value, because it may be secret."""
    with charged_to(budget or StepBudget()):
        return _field_errors(_errors(parameters, schema), prefix)


def check_override(
    merged: Json,
    before: Json,
    override: Json,
    schema: Json,
    prefix: str,
    *,
    budget: StepBudget | None = None,
) -> list[FieldError]:
    """Report what is wrong with `merged` because of `override`; `before` is the same without it.

    An error that existed before is not reported, unless `override` contains that very value.
    """
    with charged_to(budget or StepBudget()):
        found = _errors(merged, schema)
        first = next(found, None)
        if first is None:
            return []
        known = {_fingerprint(error) for error in _errors(before, schema)}
        new = (each for each in chain([first], found) if _is_new(each, override, known))
        return _field_errors(new, prefix)


def _is_new(error: Violation, override: object, known: Set[tuple[object, ...]]) -> bool:
    return isinstance(error, _BudgetExceeded) or _is_in(override, error) or _fingerprint(error) not in known


class _UnusableSchema(Violation):
    """The schema itself cannot be used."""


class _BudgetExceeded(_UnusableSchema):
    """The step budget is used up, so further errors are unknown."""


def _errors(parameters: Json, schema: Json) -> Iterator[Violation]:
    registry: Registry[Any] = Registry()  # empty: a remote $ref is never fetched
    try:
        kind = _BesidePatterns if patterns.unevaluated_beside_patterns(schema) else _Validator
        yield from kind(patterns.in_our_dialect(schema), registry=registry).iter_errors(parameters)
    except Unresolvable as error:
        yield _UnusableSchema(f"the component's schema has a $ref that cannot be resolved: {error.ref}")
    except RecursionError:
        yield _UnusableSchema("the component's schema has a circular $ref")
    except StepBudgetExceeded:
        limit = (
            f"checking them against the component's schema takes more than {MAX_STEPS:,} steps in one request"
        )
        yield _BudgetExceeded(f"{limit}: shorten their lists, or send fewer at a time")


def _fingerprint(error: Violation) -> tuple[object, ...]:
    """Identifies an error independently of the other parameters."""
    message_counts = error.validator in _NAMING or not isinstance(error.instance, (dict, list))
    return (*error.absolute_path, "", *error.absolute_schema_path, error.message if message_counts else "")


def _is_in(override: object, error: Violation) -> bool:
    """Whether the invalid value comes from `override` itself, rather than from a merge into it."""
    for part in error.absolute_path:
        if not isinstance(override, Mapping):
            return True
        if part not in override:
            return False
        override = override[part]
    return not isinstance(override, Mapping)


def _field_errors(errors: Iterator[Violation], prefix: str) -> list[FieldError]:
    unique = dict.fromkeys(_field_error(error, prefix) for error in islice(errors, MAX_ERRORS))
    return list(unique)


def _path(error: jsonschema.exceptions._Error, prefix: str) -> str:
    return ".".join([prefix, *map(str, error.absolute_path)])


def _field_error(error: Violation, prefix: str) -> FieldError:
    return FieldError(_path(error, prefix), _reason(error))


def _reason(error: Violation) -> str:
    if isinstance(error, _UnusableSchema):
        return str(error.message)
    if error.validator == "required":
        return _missing(error)
    if error.validator == "additionalProperties":
        return _short(error.message)
    if error.validator == "type" and has_placeholder(error.instance):
        return (
            f"a placeholder is replaced by text, but the component's schema requires {error.validator_value}"
        )
    if error.validator in ("oneOf", "anyOf") and (wanted := _alternatives(error)):
        return wanted
    reason = f"does not match the component's schema: {error.validator} {_short(repr(error.validator_value))}"
    is_number = isinstance(error.instance, int | float)
    return f"{reason}; put it in quotes" if is_number and _expects_text(error) else reason


def _alternatives(error: Violation) -> str:
    """What alternatives ask for, where they are only about names or types; empty for others."""
    branches = error.validator_value if isinstance(error.validator_value, list) else []
    if branches and all(isinstance(each, dict) and set(each) == {"required"} for each in branches):
        names = " or ".join(" and ".join(map(repr, each["required"])) for each in branches)
        return _short(f"give {'exactly' if error.validator == 'oneOf' else 'at least'} one of {names}")
    types = [each.get("type") for each in branches if isinstance(each, dict)]
    are_types = len(types) == len(branches) > 0 and all(isinstance(kind, str) for kind in types)
    if are_types and not any(_is_of(kind, error.instance) for kind in types):
        return _short(f"must be of type {' or '.join(map(str, types))}")
    return ""


def _is_of(kind: object, value: object) -> bool:
    return kind in _TYPES and Draft202012Validator({"type": kind}).is_valid(value)


def _expects_text(error: Violation) -> bool:
    wanted = error.validator_value if isinstance(error.validator_value, list) else [error.validator_value]
    return error.validator == "type" and "string" in wanted


def _schema_reason(error: jsonschema.SchemaError) -> str:
    if error.validator == "format" and error.validator_value == "regex":
        return f"unsupported pattern: {_short(repr(error.instance))}; {patterns.ADVICE}"
    return f"not a valid JSON Schema: {_short(error.message)}"


def _missing(error: Violation) -> str:
    present = error.instance if isinstance(error.instance, dict) else {}
    wanted = error.validator_value if isinstance(error.validator_value, list) else []
    return _short(f"missing {', '.join(repr(name) for name in wanted if name not in present)}")


def _short(text: str) -> str:
    return text if len(text) <= 300 else f"{text[:300]}…"
