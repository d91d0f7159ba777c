"""The JSON Schema that editors use agrees with what the loader accepts and refuses."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from orchestrator_shared.definitions.json_schema import SCHEMA_FILE, definitions_schema
from orchestrator_shared.definitions.loader import parse_documents
from orchestrator_shared.domain.durations import format_duration

ROOT = Path(__file__).parents[3]
REFERENCE = ROOT / "docs" / "reference"
SCHEMA = definitions_schema(REFERENCE)
VALIDATOR = Draft202012Validator(SCHEMA)
EXAMPLES = sorted(
    path
    for path in (ROOT / "examples").rglob("*.yaml")
    if path.name in {"orchestrator.yaml", "component.yaml"}
)
TASK = {"run": "adform/campaigns"}


def orchestration(**fields: Any) -> dict[str, Any]:
    return {"orchestration": "campaigns", **fields}


def schedule(**fields: Any) -> dict[str, Any]:
    return orchestration(schedules={"daily": fields})


def test_it_is_a_valid_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: str(path.relative_to(ROOT)))
def test_examples_are_accepted_and_name_the_schema(path: Path) -> None:
    text = path.read_text()
    for document in yaml.safe_load_all(text):
        assert [error.message for error in VALIDATOR.iter_errors(document)] == []
    (named,) = re.findall(r"^# yaml-language-server: \$schema=(\S+)$", text, re.MULTILINE)
    assert (path.parent / named).resolve() == ROOT / "docs" / "contracts" / SCHEMA_FILE


def test_examples_of_the_reference_are_accepted() -> None:
    blocks = re.findall(r"^```yaml\n(.*?)^```", (REFERENCE / "definitions.md").read_text(), re.M | re.S)
    assert len(blocks) >= 3
    for block in blocks:
        assert [error.message for error in VALIDATOR.iter_errors(yaml.safe_load(block))] == []


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"orchestration": "Campaigns"},
        orchestration(phase=[]),
        orchestration(enabled="true"),
        orchestration(configuration="a/b"),
        orchestration(phases=[{"tasks": [TASK]}]),
        orchestration(phases=[{"name": "Extract", "tasks": [{"run": "adform"}]}]),
        orchestration(phases=[{"name": "Extract", "tasks": [TASK | {"timeout": "half an hour"}]}]),
        orchestration(phases=[{"name": "Extract", "tasks": [TASK | {"attempts": 0}]}]),
        orchestration(phases=[{"name": "Extract", "tasks": [TASK | {"retry_on": "always"}]}]),
        orchestration(triggers={"crm": {"tables": []}}),
        orchestration(notify={"a@example.com": ["failure"]}),
        orchestration(notify={"a@example.com": [{"error": {"percent": 3}}]}),
        schedule(),
        schedule(cron="30 5 * * *", every="45m"),
        schedule(cron="30 5 * * *", overlap="stack"),
        {"configuration": "adform"},
        {"configuration": "adform/campaigns", "parameters": []},
        {"variables": {"region": True}},
        {"component": "counter", "name": "Counter", "type": "service"},
    ],
)
def test_what_it_refuses_is_refused_by_the_loader(document: dict[str, Any]) -> None:
    assert not VALIDATOR.is_valid(document)
    assert parse_documents([document]).problems


@pytest.mark.parametrize(
    "document",
    [
        schedule(every="45m", catch_up="1d 12h"),
        schedule(cron="30 5 * * 1-5", timezone="Europe/Prague", overlap="skip", misfire="fire_all"),
        orchestration(phases=[{"name": "Extract", "tasks": [TASK | {"timeout": 90, "attempt_delay": "0"}]}]),
        orchestration(notify={"a@example.com": ["error", {"waiting_long": {"minutes": 45}}]}),
        {"variables": {"region": "eu", "days": 3, "#password": "x"}},
    ],
)
def test_what_the_loader_accepts_is_accepted(document: dict[str, Any]) -> None:
    assert parse_documents([document]).problems == []
    assert [error.message for error in VALIDATOR.iter_errors(document)] == []


@given(st.integers(60, 366 * 86_400))
def test_every_duration_is_accepted(seconds: int) -> None:
    assert VALIDATOR.is_valid(schedule(every=format_duration(seconds)))


def test_keys_show_the_texts_of_the_reference() -> None:
    definitions = SCHEMA["$defs"]
    for kind in ("OrchestrationDocument", "TaskDocument", "ScheduleDocument", "TriggerDocument"):
        undescribed = [
            key for key, field in definitions[kind]["properties"].items() if not field.get("description")
        ]
        assert undescribed == []
