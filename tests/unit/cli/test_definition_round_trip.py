"""Issue 8.37: what is exported is read back as the same, of any JSON value."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from orchestrator_cli.definition_files import load_documents
from orchestrator_shared.definitions.loader import load_text
from orchestrator_shared.definitions.yaml_text import to_yaml
from orchestrator_shared.domain.ordered import same

TEXTS = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8),
    st.text("0123456789.eE+-_xob:~<=nulltrueNO #'\"\n\t&*!|>%@`{}[],?", max_size=8),
)
NUMBERS = st.integers(-(10**30), 10**30) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=12,
)


def read_back(value: Any, **options: bool) -> Any:
    text = to_yaml([{"configuration": "a/b", "parameters": {"value": value}}], **options)
    (document,) = load_text(text).require()
    return document.raw["parameters"]["value"]


def is_identical(one: Any, other: Any) -> bool:
    if isinstance(one, float) or isinstance(other, float):
        return type(one) is type(other) and one == other and math.copysign(1, one) == math.copysign(1, other)
    if isinstance(one, dict) and isinstance(other, dict):
        return list(one) == list(other) and all(is_identical(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(is_identical, one, other))
    return type(one) is type(other) and same(one, other)


@settings(max_examples=500, deadline=None)
@example(1e22)
@example(10**22)
@example(10**308)
@example(1.7976931348623157e308)
@example(5e-324)
@example(0.00012345678901234567)
@example(-0.0)
@example(["3.10", "1e5", "1.e5", ".5", "+5", "12e03", "-.5e-3", "0", "10000000000000000000000"])
@example(["Null", "TRUE", "~", "", "<<", "=", "on", "12:30", "0x1f", "0o7", "1_000", "2026-11-21"])
@example({"1e5": 1, "3.10": 2, "null": 3, "<<": 4, "": 5, "a" * 200: 6})
@example("\x85\u2028\u2029\ufeff\x7f")
@given(VALUES)
def test_any_value_is_read_back_as_it_was(value: Any) -> None:
    assert is_identical(read_back(value), value)
    assert is_identical(read_back(value, ascii_only=True), value)


@pytest.mark.parametrize(
    ("written", "warned"),
    [
        ("3.10", True),
        ("+420123456789", True),
        ("1e5", False),
        ("0.12345678901234567890123", True),
        ("3.1", False),
        ("1.0", False),
        ("10", False),
        ("-0.5", False),
        ("0.00001", False),
        ("1.0e+22", False),
        ("'3.10'", False),
        ("on", False),
    ],
)
def test_a_number_that_may_be_meant_as_a_text_is_told(
    written: str, warned: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "f.yaml"
    file.write_text(f"configuration: a/b\nparameters:\n  version: {written}\n")
    load_documents([file])
    said = capsys.readouterr().err.replace("\n", "")
    assert ("is read as the number" in said) is warned
    assert ("f.yaml:3:12: parameters.version: " in said) is warned


def test_where_only_a_number_fits_nothing_is_told() -> None:
    text = "orchestration: a\nphases: [{name: x, tasks: [{run: a/b, attempt_backoff: 1.50}]}]\n"
    loaded = load_text(text)
    assert (loaded.problems, loaded.warnings) == ([], [])


def test_json_is_read_with_characters_in_two_halves() -> None:
    """JSON writes what is beyond the first 65,536 characters so; YAML readers refuse it."""
    value = {"\U0001f600": "\U0001f600 \\ud83d\\ude00 \\\U0001f600 \u00e9 /", "a": [1]}
    written = json.dumps({"configuration": "a/b", "parameters": value}, indent="\t")
    assert written.count('"\\ud83d\\ude00') == 2
    (document,) = load_text(written).require()
    assert document.raw["parameters"] == value


def test_half_a_character_is_no_text_and_yaml_keeps_its_backslashes() -> None:
    half = load_text('{"configuration": "a/b", "parameters": {"a": "\\ud83d"}}')
    assert "invalid Unicode character" in str(half.problems[0])
    (document,) = load_text("configuration: a/b\nparameters: {a: '\\ud83d\\ude00'}\n").require()
    assert document.raw["parameters"] == {"a": "\\ud83d\\ude00"}


def test_a_document_that_is_only_a_foreign_tag_is_told() -> None:
    """It was passed over without a word, and with `--prune` what it defined would have been deleted."""
    loaded = load_text("!!python/object:os.system x\n---\n# nothing\n---\nvariables: {a: b}\n")
    assert [str(each) for each in loaded.problems] == [
        "definitions:1:1: the tag 'tag:yaml.org,2002:python/object:os.system' is not supported"
    ]
