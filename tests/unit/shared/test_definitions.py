"""Definitions in YAML: the example of the product, every problem with its place, hostile texts."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from orchestrator_shared.definitions.export import phases_of, to_document
from orchestrator_shared.definitions.loader import load_files, load_text, parse_documents
from orchestrator_shared.definitions.models import ComponentDocument, OrchestrationDocument, VariablesDocument
from orchestrator_shared.definitions.orchestration import OrchestrationDefinition
from orchestrator_shared.definitions.problems import DefinitionError
from orchestrator_shared.definitions.yaml_nodes import MAX_VALUES

CAMPAIGNS = """\
orchestration: campaigns
description: Refresh campaign reporting, then tell Mailchimp about new recipients
phases:
  - name: Extract
    tasks:
      - run: adform/campaigns            # component/configuration, and the task's id
        continue_on_failure: true
        attempts: 3
      - run: snowflake/email-recipient-index
  - name: Empty
  - name: Write
    tasks:
      - run: mailchimp/new-recipients
        timeout: 30m
        attempt_delay: 1m
        parameters: {parameters: {"#key": "x"}, unknown: [1]}
      - run: orchestrator/other
        id: nested
schedules:
  weekdays: {cron: "30 5  * * 1-5", timezone: Europe/Prague}
  often: {every: 45m, overlap: skip, catch_up: 1h}
triggers:
  crm: {tables: [in.c-crm.contacts, finance/in.c-rates.daily], cool_down: 50m}
notify:
  data-team@example.com: [recovered, error, warning, error]
"""
TASK_DEFAULTS: dict[str, Any] = {
    "enabled": True,
    "continue_on_failure": False,
    "timeout_seconds": 86400,
    "attempts": 1,
    "attempt_delay_seconds": 0,
    "attempt_backoff": 1.0,
    "retry_on": "any",
    "parameters": {},
}


def one(text: str) -> Any:
    return load_text(text).require()[0].definition


def problems(text: str) -> list[str]:
    return [str(problem) for problem in load_text(text, file="f.yaml").problems]


def task(run: str, **changes: Any) -> dict[str, Any]:
    component, configuration = run.split("/")
    start = {"id": run, "name": run, "component": component, "configuration": configuration}
    return {**start, **TASK_DEFAULTS, **changes}


def test_the_example_becomes_its_canonical_form() -> None:
    document: OrchestrationDocument = one(CAMPAIGNS)
    stored = document.definition().to_json()
    assert stored == {
        "description": "Refresh campaign reporting, then tell Mailchimp about new recipients",
        "phases": [
            {
                "name": "Extract",
                "tasks": [
                    task("adform/campaigns", continue_on_failure=True, attempts=3),
                    task("snowflake/email-recipient-index"),
                ],
            },
            {
                "name": "Write",
                "tasks": [
                    task(
                        "mailchimp/new-recipients",
                        timeout_seconds=1800,
                        attempt_delay_seconds=60,
                        parameters={"parameters": {"#key": "x"}, "unknown": [1]},
                    ),
                    task("orchestrator/other", id="nested", name="nested", timeout_seconds=None),
                ],
            },
        ],
    }
    again = OrchestrationDefinition.model_validate(stored)
    assert json.dumps(again.to_json()) == json.dumps(stored)
    assert document.schedules["weekdays"].cron == "30 5 * * 1-5"
    assert document.schedules["often"].model_dump(mode="json")["every_seconds"] == 2700
    assert document.triggers["crm"].cool_down_seconds == 3000
    events = [each.event for each in document.notify["data-team@example.com"]]
    assert events == ["error", "warning", "recovered"]


def test_what_is_exported_reads_back_as_the_same() -> None:
    document: OrchestrationDocument = one(CAMPAIGNS)
    exported = to_document(document)
    assert exported["schedules"]["often"] == {"every": "45m", "overlap": "skip", "catch_up": "1h"}
    assert parse_documents([exported]).require()[0].definition == document
    from_store = {"orchestration": "campaigns", "phases": phases_of(document.definition())}
    again: Any = parse_documents([from_store]).require()[0].definition
    assert again.definition().phases == document.definition().phases
    assert from_store["phases"][1]["tasks"][0]["timeout"] == "30m"  # type: ignore[index]


def test_other_kinds() -> None:
    text = """\
component: greeter
name: Greeter
type: application
command: ["{python}", greet.py]
environment: {A: x, B: null}
after_crash: rerun
parameters: {type: object}
---
configuration: greeter/world
parameters: {name: world, "#token": "***"}
---
variables: {warehouse: "postgresql://x", retries: 3, "#key": s}
---
"""
    component, configuration, variables = (d.definition for d in load_text(text).require())
    assert isinstance(component, ComponentDocument)
    assert component.environment == {"A": "x", "B": None}
    assert configuration.id == "world"  # type: ignore[union-attr]
    assert isinstance(variables, VariablesDocument)
    assert variables.variables == {"warehouse": "postgresql://x", "retries": "3", "#key": "s"}


def test_plain_words_are_not_what_yaml_1_1_makes_of_them() -> None:
    values = "{on: yes, at: 12:30, day: 2026-11-21, n: 1_000, o: 010, t: true, f: 1.5, e: '1', s: !!str 1}"
    text = f"configuration: a/b\nparameters: {values}"
    assert one(text).parameters == {
        "on": "yes", "at": "12:30", "day": "2026-11-21", "n": "1_000", "o": "010", "t": True, "f": 1.5,
        "e": "1", "s": "1",
    }  # fmt: skip


def test_every_problem_is_reported_with_its_place() -> None:
    text = """\
orchestration: Campaigns
phasess: []
phases:
  - name: Extract
    tasks:
      - run: adform
        atempts: 3
        enabled: "true"
      - {run: a/b, timeout: soon, attempts: 0}
      - {run: a/c}
  - tasks: [{run: a/c}]
schedules:
  daily: {cron: "61 5 * * *", timezone: Europe/Prag}
  none: {}
triggers:
  t: {tables: [], cool_down: -5}
notify: {nobody: [error], x@example.com: [eror]}
---
configuraton: a/b
"""
    found = problems(text)
    for line in (
        "f.yaml:1:1: orchestration: use lower-case letters",
        "f.yaml:2:1: phasess: unknown key; did you mean `phases`?",
        "f.yaml:6:9: phases[0].tasks[0].run: expected component/configuration",
        "f.yaml:7:9: phases[0].tasks[0].atempts: unknown key; did you mean `attempts`?",
        "f.yaml:8:9: phases[0].tasks[0].enabled: expected true or false",
        "f.yaml:9:20: phases[0].tasks[1].timeout: 'soon' is not a duration",
        "f.yaml:9:35: phases[0].tasks[1].attempts: must be at least 1",
        "f.yaml:11:5: phases[1].name: is missing",
        "f.yaml:13:11: schedules.daily.cron: minute (field 1, character 1): minutes go from 0 to 59",
        "f.yaml:13:31: schedules.daily.timezone: 'Europe/Prag' is not a time zone; did you mean",
        "f.yaml:14:3: schedules.none: write either cron",
        "f.yaml:16:7: triggers.t.tables: must have at least 1 entry",
        "f.yaml:16:19: triggers.t.cool_down: a duration is between",
        "f.yaml:19:1: configuraton: unknown key; did you mean `configuration`?",
    ):
        assert any(problem.startswith(line) for problem in found), (line, found)
    assert any("notify.x@example.com[0]: unknown event; known are" in problem for problem in found), found


def test_limits_of_long_runs_are_written_beside_their_event() -> None:
    text = """
orchestration: campaigns
phases: []
notify:
  a@example.com: [error, {processing_long: {percent: 50}}, {waiting_long: {minutes: 30}}]
  b@example.com: [processing_long, waiting_long]
"""
    document: OrchestrationDocument = one(text)
    assert [(s.event, s.address, s.percent, s.minutes) for s in document.subscriptions()] == [
        ("error", "a@example.com", None, None),
        ("processing_long", "a@example.com", 50, None),
        ("processing_long", "b@example.com", 20, None),
        ("waiting_long", "a@example.com", None, 30),
        ("waiting_long", "b@example.com", None, 30),
    ]
    exported = to_document(document)
    assert exported["notify"] == {
        "a@example.com": ["error", {"processing_long": {"percent": 50}}, "waiting_long"],
        "b@example.com": ["processing_long", "waiting_long"],
    }
    again = parse_documents([exported]).require()[0].definition
    assert isinstance(again, OrchestrationDocument)
    assert again.subscriptions() == document.subscriptions()


@pytest.mark.parametrize(
    ("events", "said"),
    [
        ("deadline_missed", "deadline_missed does not exist yet: triggers have no deadlines"),
        ("{error: {percent: 5}}", "percent belongs to the event processing_long only"),
        ("{processing_long: {minutes: 5}}", "minutes belongs to the event waiting_long only"),
        ("{processing_long: {percent: 0}}", "must be from 1 to 10000"),
        ("{waiting_long: 45}", "expected an event, as in error, or processing_long"),
        ("{waiting_long: {minuts: 45}}", "unknown key"),
        ("waiting_long, {waiting_long: {minutes: 5}}", "duplicate event with different limits"),
    ],
)
def test_events_that_cannot_be_subscribed_to_are_reported(events: str, said: str) -> None:
    found = problems(f"orchestration: a\nphases: []\nnotify:\n  a@example.com: [{events}]\n")
    assert len(found) == 1
    assert said in found[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: [1", "not valid YAML: "),
        ("a: b\n\tc: d", "f.yaml:2:1: not valid YAML"),
        ("a: \x00", "not valid YAML"),
        ("- 1", "expected a document with one of the keys orchestration"),
        ("just text", "expected a document"),
        ("configuration: a/b\nvariables: {}", "f.yaml:2:1: variables: a document is either"),
        ("configuration: a/b\nconfiguration: a/c", "f.yaml:2:1: configuration: duplicate key"),
        ("configuration: a/b\nparameters: {1: x}", "f.yaml:2:14: parameters: keys must be strings"),
        ("configuration: a/b\nparameters: {<<: {a: 1}}", "merge keys"),
        ("configuration: a/b\nparameters: {[1]: x}", "keys must be strings"),
        ("configuration: a/b\nparameters: !!python/object:os.system {}", "the tag "),
        ("configuration: a/b\nparameters: !env HOME", "the tag '!env' is not supported"),
        ("configuration: orchestrator/x", "write orchestrations as"),
        ("configuration: a/b\nparameters: []", "parameters: expected keys with values"),
        ("variables: {Bad: x}", "name variables with"),
        ("variables: {a: true}", "variables.a: expected a string"),
        ("component: c\nname: C\ntype: orchestrator", "built in"),
        ("component: c\nname: C\ntype: writer", "needs its command"),
        ("orchestration: o\nphases: [{name: P, tasks: [{run: a/b}, {run: a/b}]}]", "give one of them"),
        ("orchestration: o\nphases: [{name: P, tasks: [{run: orchestrator/o}]}]", "would run itself"),
        ("orchestration: o\nschedules: {a: {cron: '* * * * *', every: 5m}}", "write either cron"),
        ("orchestration: o\nschedules: {a: {every: 5s}}", "schedules.a.every: must be at least 1m ("),
        ("orchestration: o\ntriggers: {a: {tables: [x]}}", "'x' is not a table name"),
        ("orchestration: o\ntriggers: {a: {tables: [a.b, a.b]}}", "duplicate table"),
        ("configuration: a/b\n---\nconfiguration: a/b", "f.yaml:3: configuration a/b is defined twice (also"),
        ("variables: {a: x}\n---\nvariables: {a: y}", "variable a is defined twice"),
    ],
)  # fmt: skip
def test_each_mistake_is_explained(text: str, expected: str) -> None:
    found = problems(text)
    assert any(expected in problem for problem in found), found


def test_same_task_twice_is_fine_with_ids_of_their_own() -> None:
    text = "orchestration: o\nphases: [{name: P, tasks: [{run: a/b}, {run: a/b, id: again}]}]"
    assert [each.id for each in one(text).definition().tasks()] == ["a/b", "again"]


def test_an_orchestration_without_tasks_is_fine() -> None:
    assert one("orchestration: o").definition().phases == ()


@pytest.mark.parametrize(
    "text",
    [
        "configuration: a/b\nparameters:\n a0: &a0 [x,x,x,x,x,x,x,x,x]\n"
        + "".join(f" a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12)),
        "configuration: a/b\nparameters: {x: " + "[" * 5000 + "]" * 5000 + "}",
        "configuration: a/b\nparameters: &p {x: *p}",
        "configuration: a/b\nparameters: &p\n  x: [*p]\n",
        "configuration: a/b\nparameters: {x: " + "y" * 1_100_000 + "}",
        "[" * 300_000,
        "configuration: a/b\nparameters:\n a: &a '"
        + "y" * 500_000
        + "'\n b: ["
        + ",".join(["*a"] * 100_000)
        + "]",
        "configuration: a/b\nparameters:\n a: &a {"
        + "y" * 900
        + ": 1}\n b: ["
        + ",".join(["*a"] * 90_000)
        + "]",
        "---\n".join(
            f"orchestration: o{i}\nphases: [{{name: p, tasks: [{{run: orchestrator/o{(i + 1) % 9000}}}]}}]\n"
            for i in range(9000)
        ),
    ],
    ids=["laughs", "deep", "own alias", "cycle", "long", "open", "long alias", "long keys", "long cycle"],
)
def test_bombs_are_defused_quickly(text: str) -> None:
    """However large what it stands for, reading it takes a bounded number of calls of functions."""
    calls, found = counted_calls(lambda: problems(text))
    assert found
    assert calls <= 15 * MAX_VALUES + 10 * len(text)


def counted_calls(work: Callable[[], list[str]]) -> tuple[int, list[str]]:
    calls = 0

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        found = work()
    finally:
        sys.setprofile(None)
    return calls, found


def test_files_and_folders(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "b.yaml").write_text("configuration: a/b")
    (tmp_path / "sub" / "c.yml").write_text("configuration: a/c\n---\nconfiguration: a/d")
    (tmp_path / ".hidden.yaml").write_text("nonsense: [")
    (tmp_path / "notes.txt").write_text("nonsense: [")
    documents = load_files([tmp_path]).require()
    assert [document.raw["configuration"] for document in documents] == ["a/b", "a/c", "a/d"]
    assert (documents[2].file, documents[2].line) == (str(tmp_path / "sub" / "c.yml"), 3)
    (tmp_path / "latin.yaml").write_bytes(b"configuration: a/\xe9")
    (tmp_path / "big.yaml").write_bytes(b"#" * 1_100_000)
    with pytest.raises(DefinitionError) as caught:
        load_files([tmp_path, tmp_path / "missing.yaml"]).require()
    text = str(caught.value)
    assert "latin.yaml: the file is not valid UTF-8" in text
    assert "big.yaml: more than 1024 KiB" in text
    assert "missing.yaml: there is no such file" in text


def test_documents_from_json_have_paths() -> None:
    found = parse_documents(
        [{"configuration": "a/b"}, {"configuration": "a/c", "parameters": {"x": "\0"}}, 3, {}]
    )
    assert [str(problem)[:40] for problem in found.problems] == [
        "documents[1].parameters.x: the text has ",
        "documents[2]: expected a document with o",
        "documents[3]: unknown key; known are orc",
    ]


def test_problems_never_show_values_of_parameters() -> None:
    found = problems("configuration: a/b\nparameters: geheim\ndescription: [geheim]")
    assert found
    assert "geheim" not in " ".join(found)


def test_stored_definitions_tolerate_newer_keys_and_edges_need_not() -> None:
    stored = {"phases": [{"name": "P", "newer": 1, "tasks": [{"component": "a", "configuration": "b"}]}]}
    assert OrchestrationDefinition.model_validate(stored).tasks()[0].id == "a/b"
    with pytest.raises(ValidationError, match="newer"):
        OrchestrationDefinition.model_validate(stored, extra="forbid")
    twice = {"phases": [{"name": "P", "tasks": [{"component": "a", "configuration": "b"}] * 2}]}
    with pytest.raises(ValidationError, match="duplicate task"):
        OrchestrationDefinition.model_validate(twice)


def test_the_examples_of_the_repository_are_fine() -> None:
    root = Path(__file__).parents[3]
    folders = [
        root / "examples" / "nycflights",
        root / "components" / "src" / "orchestrator_components" / "definitions",
    ]
    for folder in folders:
        for document in load_files([folder]).require():
            again = yaml.safe_load(yaml.safe_dump(to_document(document.definition)))
            assert parse_documents([again]).require()[0].definition == document.definition
