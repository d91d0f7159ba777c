"""Secrets from the environment: replaced below keys that begin with #, and nowhere else."""

from typing import Any

import pytest

from orchestrator_cli.definition_diff import masked
from orchestrator_cli.secret_references import filled_in, misplaced_references
from orchestrator_shared.definitions.loader import Document, load_text

ENVIRONMENT = {"A": "secret a", "B_2": "${ENV:A}", "EMPTY": ""}


def document(parameters: str) -> Document:
    (found,) = load_text(f"configuration: x/y\nparameters:\n  {parameters}\n", file="f.yaml").require()
    return found


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ('"#p": "${ENV:A}"', {"#p": "secret a"}),
        ('"#p": "${ENV:B_2}"', {"#p": "${ENV:A}"}),
        (
            '"#p": {user: "${ENV:A}", list: ["${ENV:A}", 1]}',
            {"#p": {"user": "secret a", "list": ["secret a", 1]}},
        ),
        ('"#p": "x ${ENV:A}"', {"#p": "x ${ENV:A}"}),
        ('p: "${ENV:A}"', {"p": "${ENV:A}"}),
        ('"#p": "***"', {"#p": "***"}),
    ],
)
def test_a_reference_is_replaced_once(written: str, meant: dict[str, Any]) -> None:
    given = document(written)
    before = repr(given.raw)
    filled, problems = filled_in(given, ENVIRONMENT)
    assert (filled["parameters"], problems) == (meant, [])
    assert repr(given.raw) == before


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("GONE", "the environment variable GONE is not set"),
        ("EMPTY", "the environment variable EMPTY is empty"),
        ("no-name", "'no-name' is not the name of a variable"),
        ("", "'' is not the name of a variable"),
    ],
)
def test_what_cannot_be_replaced_is_told_with_its_line(name: str, said: str) -> None:
    _, (problem,) = filled_in(document(f'a: 1\n  "#p":\n    - "${{ENV:{name}}}"'), ENVIRONMENT)
    assert str(problem) == f"f.yaml:5:7: parameters.#p[0]: {said}"


def test_a_reference_that_means_nothing_is_warned_of() -> None:
    (warning,) = misplaced_references(document('url: "${ENV:A}"'))
    assert str(warning).startswith("f.yaml:3:3: parameters.url: ${ENV:A} is replaced only below keys")
    assert list(misplaced_references(document('"#p": "${ENV:A}"'))) == []


def test_everything_below_a_secret_key_is_masked() -> None:
    value = {"#a": {"b": [1, {"c": "x"}]}, "d": ["#e", {"#f": None}]}
    assert masked(value) == {"#a": {"b": ["***", {"c": "***"}]}, "d": ["#e", {"#f": "***"}]}


def test_a_reference_to_a_variable_is_shown_unless_a_secret_holds_it() -> None:
    value = {"#a": "{{ vars.a }}", "#b": {"c": "{{ vars.a }}"}, "#d": "x{{ vars.a }}"}
    assert masked(value) == {"#a": "{{ vars.a }}", "#b": {"c": "***"}, "#d": "***"}
