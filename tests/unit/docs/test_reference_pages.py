"""The reference pages tell what the code has: metrics, settings, messages, log events, states, commands."""

import inspect
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import click
import pytest
import typer
from pydantic import BaseModel
from pydantic_core import PydanticUndefined
from pydantic_settings import BaseSettings
from tests.support import documentation as docs

from orchestrator_api.settings import ApiSettings
from orchestrator_cli import shared_options
from orchestrator_cli.failures import ExitCode
from orchestrator_cli.lazy_commands import LazyCommand
from orchestrator_cli.main import app
from orchestrator_notifier.settings import NotifierSettings
from orchestrator_runner.settings import RunnerSettings
from orchestrator_scheduler.settings import SchedulerSettings
from orchestrator_shared.contracts.routing import MESSAGES, QUEUES
from orchestrator_shared.definitions import http_component, kubernetes_component, models
from orchestrator_shared.domain.statuses import JobStatus, NotificationEvent, Origin, TaskStatus
from orchestrator_shared.settings import ServiceSettings, variable
from orchestrator_trigger_watcher.settings import TriggerWatcherSettings

SERVICES: dict[str, type[BaseSettings]] = {
    "api": ApiSettings,
    "scheduler": SchedulerSettings,
    "trigger-watcher": TriggerWatcherSettings,
    "runner": RunnerSettings,
    "notifier": NotifierSettings,
}


ROLES = {"orchestrator_exporter", "orchestrator_grafana"}
PACKAGES = {file.name for pattern in docs.SOURCES for file in docs.ROOT.glob(f"{pattern}/orchestrator_*")}


def section(page: str, heading: str) -> str:
    """The text below a heading of a reference page, up to the next heading of the same level."""
    text = (docs.REFERENCE / page).read_text(encoding="utf-8")
    assert f"\n## {heading}\n" in text, f"{page} has no section {heading!r}"
    return text.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]


def test_every_metric_is_told_with_its_kind_and_labels() -> None:
    told = {
        name: (kind, docs.names_in(labels))
        for name, kind, labels, _ in docs.table_rows(docs.REFERENCE / "metrics.md", columns=4)
    }
    found = {metric.name: (metric.kind, metric.labels) for metric in docs.metrics()}
    assert len(found) > 40
    assert told == found


def test_guides_name_metrics_that_there_are() -> None:
    known = {metric.name for metric in docs.metrics()}
    families = known | {f"{name}_{part}" for name in known for part in ("bucket", "sum", "count")}
    named = {
        name
        for page in sorted((docs.DOCS / "how-to").rglob("*.md"))
        for name in re.findall(r"\borchestrator_[a-z_]+\b", page.read_text(encoding="utf-8"))
    }
    assert named <= families | PACKAGES | ROLES


def test_every_log_event_is_told_with_its_levels() -> None:
    told = {
        name: docs.names_in(levels)
        for name, levels, *_ in docs.table_rows(docs.REFERENCE / "log-events.md", columns=3)
    }
    found = {name: frozenset(levels) for name, levels in docs.log_events().items()}
    assert len(found) > 40
    assert told == found


def own_fields(settings: type[BaseSettings]) -> Iterator[tuple[str, str]]:
    """Variable and default of the fields that a service adds or changes."""
    own = [each for each in reversed(settings.mro()) if each not in ServiceSettings.mro()]
    for name in dict.fromkeys(name for each in own for name in inspect.get_annotations(each)):
        if name in settings.model_fields:
            yield variable(name), default_text(settings.model_fields[name])


def default_text(field: Any) -> str:
    """A default as the page shows it."""
    if field.is_required():
        return "required"
    if field.default is PydanticUndefined:
        return "host name"
    return "" if field.default in (None, (), "") else f"`{field.default}`"


def told_settings(heading: str) -> dict[str, str]:
    lines = section("settings.md", heading).splitlines()
    rows = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines if "| `" in line]
    assert all(len(row) == 3 and row[2] for row in rows), f"{heading}: name, default and meaning in every row"
    told = [row for row in rows if row[0].startswith("`ORCHESTRATOR_")]
    told_twice = [name for name, times in Counter(row[0] for row in told).items() if times > 1]
    assert not told_twice, f"{heading}: a merge by union may have kept both lines"
    return {row[0].strip("`"): row[1] for row in told}


@pytest.mark.parametrize("service", SERVICES)
def test_every_setting_of_a_service_is_told_with_its_default(service: str) -> None:
    assert told_settings(service) == dict(own_fields(SERVICES[service]))


def test_every_shared_setting_is_told_with_its_default() -> None:
    fields = {variable(name): default_text(field) for name, field in ServiceSettings.model_fields.items()}
    assert told_settings("Every service") == fields


def test_every_variable_that_the_code_names_is_told() -> None:
    told = "".join(
        (docs.REFERENCE / page).read_text(encoding="utf-8")
        for page in ("settings.md", "component-contract.md")
    )
    untold = {name: file for name, file in docs.variables_in_source().items() if f"`{name}`" not in told}
    assert not untold


def test_every_message_is_told_with_its_route() -> None:
    told = {
        name: (exchange.strip("`"), key.strip("`"), kept)
        for name, exchange, key, kept, _ in docs.table_rows(docs.REFERENCE / "messages.md", columns=5)
    }
    found = {
        model.type: (model.exchange, model.key, "yes" if model.persistent else "no")
        for model in MESSAGES.values()
    }
    assert told == found


def test_every_queue_is_told_with_its_messages() -> None:
    told = {
        name: (kind, docs.names_in(messages))
        for name, kind, messages in docs.table_rows(docs.REFERENCE / "messages.md", columns=3)
    }
    found = {
        queue.name: ("feed" if queue.feed else "quorum", frozenset(model.key for model in queue.messages))
        for queue in QUEUES
    }
    assert told == found


@pytest.mark.parametrize("page", sorted(docs.REFERENCE.glob("*.md")), ids=lambda page: page.name)
def test_generated_blocks_are_up_to_date(page: Any) -> None:
    text = page.read_text(encoding="utf-8")
    assert text == docs.regenerated(text), "run `python -m tests.support.documentation`"


def test_the_page_about_states_has_both_blocks_and_every_word() -> None:
    text = (docs.REFERENCE / "job-states.md").read_text(encoding="utf-8")
    assert docs.transition_table() in text
    assert docs.state_chart() in text
    words = [*JobStatus, *TaskStatus, *Origin]
    assert not [word for word in words if f"`{word.value}`" not in text]


def test_every_notification_event_is_told() -> None:
    text = (docs.REFERENCE / "definitions.md").read_text(encoding="utf-8")
    assert not [event.value for event in NotificationEvent if f"`{event.value}`" not in text]


HEADING = "Server, token and project"


def test_the_exit_codes_are_told() -> None:
    lines = section("cli.md", "Exit codes").splitlines()
    rows = [line.split("|")[1].strip() for line in lines if line.startswith("| ")]
    assert rows[1:] == [str(code.value) for code in ExitCode]


def commands(command: Any, path: str = "orchestrator") -> Iterator[tuple[str, Any]]:
    """Every command that does something, with the words that call it."""
    command = command.load() if isinstance(command, LazyCommand) else command
    if isinstance(command, click.Group) or hasattr(command, "commands"):
        for name, below in command.commands.items():
            yield from commands(below, f"{path} {name}")
    else:
        yield path, command


def test_every_command_and_option_is_told() -> None:
    text = (docs.REFERENCE / "cli.md").read_text(encoding="utf-8")
    assert not [name for name in shared_options.NAMES if f"`{name}" not in section("cli.md", HEADING)]
    found = dict(commands(typer.main.get_command(app)))
    assert len(found) > 20
    untold = [path for path in found if f"`{path}`" not in text]
    assert not untold
    for path, command in found.items():
        row = next(line for line in text.splitlines() if line.startswith(f"| `{path}` |"))
        options = [
            option
            for parameter in command.params
            for option in parameter.opts
            if option.startswith("--") and option not in shared_options.NAMES
        ]
        assert not [option for option in options if option not in row], path


@pytest.mark.parametrize(
    ("page", "model"),
    [
        ("definitions.md", models.OrchestrationDocument),
        ("definitions.md", models.PhaseDocument),
        ("definitions.md", models.TaskDocument),
        ("definitions.md", models.ScheduleDocument),
        ("definitions.md", models.TriggerDocument),
        ("definitions.md", models.ConfigurationDocument),
        ("component-contract.md", models.ComponentDocument),
        ("component-contract.md", kubernetes_component.KubernetesComponent),
        ("component-contract.md", kubernetes_component.KubernetesResources),
        ("component-contract.md", kubernetes_component.KubernetesToleration),
        ("http-components.md", http_component.HttpComponent),
        ("http-components.md", http_component.HttpStart),
        ("http-components.md", http_component.HttpPoll),
        ("http-components.md", http_component.HttpStates),
        ("http-components.md", http_component.HttpResult),
        ("http-components.md", http_component.HttpCancel),
    ],
)
def test_every_key_of_a_definition_is_told(page: str, model: type[BaseModel]) -> None:
    text = (docs.REFERENCE / page).read_text(encoding="utf-8")
    keys = [str(field.validation_alias or name) for name, field in model.model_fields.items()]
    assert not [key for key in keys if f"`{key}`" not in text]
