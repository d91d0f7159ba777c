"""Rules of Prometheus: valid, tested both ways by promtool, about metrics that exist, with a runbook each."""

import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import typer
import yaml
from tests.support import documentation as docs

from orchestrator_cli.lazy_commands import LazyCommand
from orchestrator_cli.main import app

PROMETHEUS = docs.ROOT / "deploy/prometheus"
RULES, TESTS = sorted(PROMETHEUS.glob("rules/*.yml")), sorted(PROMETHEUS.glob("tests/*.yml"))
RUNBOOKS = docs.DOCS / "how-to/runbooks"
RUNBOOK_URL = re.compile(
    r"\{\{ with \$externalLabels\.runbooks \}\}\{\{ \. \}\}\{\{ else \}\}docs/how-to/runbooks\{\{ end \}\}"
    r"/(?P<page>[a-z-]+)\.md"
)
OF_OTHERS = {
    "up",  # Prometheus itself
    "ALERTS",
    "rabbitmq_alarms_free_disk_space_watermark",  # rabbitmq_prometheus
    "rabbitmq_alarms_memory_used_watermark",
    "rabbitmq_disk_space_available_bytes",
    "rabbitmq_disk_space_available_limit_bytes",
    "kubelet_volume_stats_available_bytes",  # Kubernetes
    "kubelet_volume_stats_capacity_bytes",
}
_STRINGS = re.compile(r'"[^"]*"')
_LABELS = re.compile(r"\{[^}]*\}|\b(?:by|on|ignoring|without)\s*\([^)]*\)")
_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
WORDS = {
    "and",
    "or",
    "unless",
    "absent",
    "sum",
    "max",
    "min",
    "count",
    "rate",
    "increase",
    "vector",
    "le",
    "m",
    "h",
}
WORDS |= {"histogram_quantile", "on"}
SUFFIXES = ("_bucket", "_count", "_sum")


def rules() -> Iterator[dict[str, Any]]:
    for file in RULES:
        for group in yaml.safe_load(file.read_text(encoding="utf-8"))["groups"]:
            yield from group["rules"]


ALERTS = [rule for rule in rules() if "alert" in rule]


def names_in(expr: str) -> set[str]:
    """Names of series in an expression of the plain kind that we write."""
    bare = _LABELS.sub(" ", _STRINGS.sub('""', expr))
    return {name for name in _NAME.findall(re.sub(r"\[\w+\]", " ", bare)) if name not in WORDS}


def known() -> set[str]:
    rows = docs.table_rows(docs.REFERENCE / "metrics.md", columns=4)
    told = {name: kind for name, kind, *_ in rows}
    assert len(told) > 60
    series = {f"{name}{end}" for name, kind in told.items() if kind == "histogram" for end in SUFFIXES}
    series |= {name for name, kind in told.items() if kind != "histogram"}
    return series | OF_OTHERS | {rule["record"] for rule in rules() if "record" in rule}


def promtool(*arguments: str | Path) -> None:
    found = shutil.which("promtool")
    if found is None:
        pytest.fail("promtool is missing: python -m orchestrator_local.servers.install prometheus")
    done = subprocess.run([found, *map(str, arguments)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_promtool_accepts_the_rules_and_their_tests_pass() -> None:
    promtool("check", "rules", *RULES)
    promtool("test", "rules", *TESTS)


def test_rules_name_only_metrics_that_exist() -> None:
    exist = known()
    unknown = {
        rule.get("alert") or rule["record"]: missing
        for rule in rules()
        if (missing := names_in(rule["expr"]) - exist)
    }
    assert not unknown


def test_what_is_recorded_for_others_exists_once() -> None:
    recorded = [rule["record"] for rule in rules() if "record" in rule]
    assert len(recorded) == len(set(recorded))
    assert all(name.startswith("orchestrator:") for name in recorded)


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: str(alert["alert"]))
def test_every_alert_says_what_it_means_and_has_a_runbook(alert: dict[str, Any]) -> None:
    assert alert["alert"].startswith("Orchestrator")
    assert alert["for"]
    assert alert["labels"]["severity"] in ("critical", "warning")
    annotations = alert["annotations"]
    assert len(annotations["summary"]) < 80
    assert "{{" not in annotations["summary"], "summaries are grouped by"
    assert annotations["description"].endswith((".", "…"))
    found = RUNBOOK_URL.fullmatch(annotations["runbook_url"])
    assert found is not None
    page = RUNBOOKS / f"{found['page']}.md"
    text = page.read_text(encoding="utf-8")
    assert f"`{alert['alert']}`" in text, f"{page.name} tells what {alert['alert']} means"


def commands(page: Path) -> Iterator[list[str]]:
    """The calls of our command line in a page."""
    for line in page.read_text(encoding="utf-8").splitlines():
        if line.startswith("orchestrator "):
            yield shlex.split(line, comments=True)[1:]


def test_runbooks_call_the_command_line_as_it_is() -> None:
    tried = [call for page in sorted(RUNBOOKS.glob("*.md")) for call in commands(page)]
    assert len(tried) > 20
    for call in tried:
        parsed(typer.main.get_command(app), call)


def parsed(command: Any, call: list[str]) -> None:
    """Walk to the command that the words call, and let it parse the rest: a wrong option raises."""
    command = command.load() if isinstance(command, LazyCommand) else command
    if hasattr(command, "commands"):
        assert call[0] in command.commands, call
        parsed(command.commands[call[0]], call[1:])
    else:
        command.make_parser(click.Context(command)).parse_args(list(call))


SECTIONS = ("## What it means", "## Look first", "## What to do", "## How to see that it is over")


@pytest.mark.parametrize("page", sorted(RUNBOOKS.glob("*.md")), ids=lambda page: str(page.stem))
def test_every_runbook_has_the_same_sections_and_is_of_an_alert(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    if page.name == "README.md":
        missing = [
            other.name for other in RUNBOOKS.glob("*.md") if f"({other.name})" not in text and other != page
        ]
        assert not missing
        return
    places = [text.find(f"\n{heading}\n") for heading in SECTIONS]
    assert -1 not in places
    assert places == sorted(places)
    assert any(f"`{alert['alert']}`" in text for alert in ALERTS)


def test_every_alert_is_tested_both_ways() -> None:
    tried: dict[str, set[bool]] = {}
    for file in TESTS:
        for test in yaml.safe_load(file.read_text(encoding="utf-8"))["tests"]:
            for each in test.get("promql_expr_test", ()):
                if of := re.search(r'alertname="(\w+)", alertstate="firing"', each["expr"]):
                    tried.setdefault(of[1], set()).add(bool(each["exp_samples"]))
    assert {name: both for name, both in tried.items() if both != {True, False}} == {}
    assert tried.keys() == {alert["alert"] for alert in ALERTS}
