"""Fault 11 of issue 8: the cost of a body, in calls and bytes of memory, is bounded."""

import gc
import json
import sys
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest
from fastapi.exceptions import RequestValidationError
from pydantic import TypeAdapter

from orchestrator_api.definitions.models import DefinitionsIn
from orchestrator_api.http import bodies
from orchestrator_api.orchestrations.models import OrchestrationIn
from orchestrator_shared.definitions.bounded import MAX_ERRORS
from orchestrator_shared.definitions.loader import parse_documents
from orchestrator_shared.definitions.problems import MAX_PROBLEMS

CALLS_PER_ELEMENT = 6
MEBIBYTE = 1024 * 1024

CROWD = b'{"phases":[' + b",".join([b'{"tasks":[' + b",".join([b"{}"] * 340) + b"]}"] * 980) + b"]}"
"""333,200 empty tasks in 1 MB."""


def nested(levels: int, numbers: int) -> bytes:
    """Objects in objects under long keys, around many numbers."""
    key = b"k" * 5400
    inner = b"[" + b",".join([b"1"] * numbers) + b"]"
    return b"".join(b'{"%s":' % key for _ in range(levels)) + inner + b"}" * levels


def calls(work: Callable[[], Any]) -> int:
    """How many functions are called, including C functions."""
    counted = 0

    def note(_frame: Any, event: str, _arg: Any) -> None:
        nonlocal counted
        counted += event in ("call", "c_call")

    gc.disable()  # a collection calls what Hypothesis has it call
    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(None)
        gc.enable()
    return counted


def refusal(body: bytes, model: Any) -> Any:
    with pytest.raises((bodies.Refused, RequestValidationError)) as caught:
        bodies.validate(body, TypeAdapter(model))
    return caught.value


@pytest.mark.parametrize(
    "body",
    [
        CROWD,
        nested(95, 250_000),
        b"[" + b"0," * 520_000 + b"0]",
        b"[" + b'"",' * 340_000 + b'""]',
        b"[" + b"0," * 110_000 + b'"' + b'\\"' * 380_000,
        b'["' + b"\\" * 800_000 + b'"' + b",0" * 110_000,
    ],
)
def test_too_many_values_are_refused_before_any_is_built(body: bytes) -> None:
    assert len(body) <= bodies.MAX_BYTES
    refusal(body, OrchestrationIn)  # the first call also imports and compiles
    tracemalloc.start()
    try:
        assert calls(lambda: refusal(body, OrchestrationIn)) < 1000  # of 100,000 values and more
        assert tracemalloc.get_traced_memory()[1] < 4 * MEBIBYTE
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "tasks", [[{}] * 45_000, [{"component": 1, "configuration": "a"}] * 24_000, [{"a": 1, "b": 2}] * 30_000]
)
def test_validation_stops_at_the_fiftieth_error(tasks: list[Any]) -> None:
    phases = [{"tasks": tasks[i : i + 9_000]} for i in range(0, len(tasks), 9_000)]
    body = json.dumps({"phases": phases}).encode()
    found: list[Any] = []
    most = CALLS_PER_ELEMENT * body.count(b"{") + 5 * bodies.MAX_ELEMENTS
    assert calls(lambda: found.append(refusal(body, OrchestrationIn))) < most
    errors = found[0].errors()
    assert MAX_ERRORS <= len(errors) < MAX_ERRORS + 10
    assert errors[0]["loc"][:5] == ("body", "phases", 0, "tasks", 0)


def test_no_path_is_built_for_an_element_that_is_fine() -> None:
    fine = nested(95, 90_000)
    tracemalloc.start()
    try:
        bodies.parse(fine)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 8 * MEBIBYTE


def test_the_path_of_a_refused_element_is_short() -> None:
    refused = refusal(nested(95, 10).replace(b"[1,", b"[1e999,"), DefinitionsIn)
    assert refused.errors[0].field.startswith("kkk")
    assert len(refused.errors[0].field) == bodies.MAX_SHOWN_PATH


def test_unknown_fields_are_not_an_error_each() -> None:
    body = json.dumps({f"k{i}": 1 for i in range(60_000)}).encode()
    assert [error["msg"] for error in refusal(body, OrchestrationIn).errors()] == [
        "has more than 1000 fields"
    ]


def test_commas_inside_texts_are_not_counted() -> None:
    body = json.dumps({"documents": [{"a": ",[{" * 100_000, "b": '\\",' * 50_000}]}).encode()
    assert len(bodies.parse(body)["documents"]) == 1


def test_documents_stop_at_the_most_problems() -> None:
    document = {"orchestration": "a", "phases": [{"name": "p", "tasks": [{} for _ in range(90_000)]}]}
    loaded: list[Any] = []
    assert calls(lambda: loaded.append(parse_documents([document]))) < 20 * 90_000
    assert len(loaded[0].problems) == MAX_PROBLEMS


def test_body_at_the_bound_has_bounded_memory() -> None:
    body = json.dumps({"phases": [{"tasks": [{"component": "a", "configuration": "b"}] * 9_000}]}).encode()
    tracemalloc.start()
    try:
        bodies.validate(body, TypeAdapter(OrchestrationIn))
        assert tracemalloc.get_traced_memory()[1] < 64 * MEBIBYTE
    finally:
        tracemalloc.stop()
