"""Grafana's dashboards, as far as they can be checked without Grafana and without a Prometheus."""

import json
import re
from collections.abc import Iterator, Mapping
from enum import Enum
from itertools import combinations, pairwise
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import pytest
import yaml
from deploy.grafana.source.__main__ import PAGES, generated, grid
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models import units
from grafana_foundation_sdk.models.dashboard import Dashboard
from tests.support.documentation import ROOT

FOLDER = ROOT / "deploy" / "grafana"
FILES = sorted((FOLDER / "dashboards").glob("*.json"))
UNITS = {value for name, value in vars(units).items() if name[0].isupper() and isinstance(value, str)}
VARIABLE = re.compile(r"\$\{?(\w+)")
METRIC = re.compile(r"\borchestrator_[a-z_]+\b(?!\")")
every_file = pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)


def read(file: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(file.read_text())
    return found


def panels(dashboard: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def strings(value: Any) -> Iterator[str]:
    """Every text anywhere in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from strings(each)


def test_the_committed_dashboards_are_what_the_source_generates() -> None:
    assert {file.name: file.read_text() for file in FILES} == generated(), "run `make contracts`"


def test_links_lead_to_the_public_url_that_was_named() -> None:
    for name, text in generated("https://orchestrator.example.com").items():
        (variable,) = [
            each for each in json.loads(text)["templating"]["list"] if each["name"] == "public_url"
        ]
        assert variable["current"]["value"] == "https://orchestrator.example.com", name
        assert "127.0.0.1" not in text, name


def test_every_dashboard_has_an_address_of_its_own_and_is_linked_from_the_others() -> None:
    found = [read(file) for file in FILES]
    assert len({each["uid"] for each in found}) == len({each["title"] for each in found}) == len(found) == 5
    for each in found:
        assert each["tags"] == ["orchestrator"]
        assert [link["tags"] for link in each["links"] if link["type"] == "dashboards"] == [["orchestrator"]]
    linked = {uid for each in found for text in strings(each) for uid in re.findall(r"/d/([\w-]+)", text)}
    assert linked <= {each["uid"] for each in found}


@every_file
def test_grafanas_models_know_every_field(file: Any) -> None:
    """Read into the models of Grafana's SDK and written again, nothing is lost and every type fits."""
    register_default_plugins()
    document = read(file)
    model = Dashboard.from_json(document)
    assert json.loads(json.dumps(model, cls=JSONEncoder)) == document
    check_types(model, file.stem)


def check_types(value: Any, where: str) -> None:
    """What the models' annotations say: the SDK itself checks nothing when it reads."""
    for name, kind in get_type_hints(type(value)).items():
        found = getattr(value, name)
        assert fits(found, kind), f"{where}.{name}: {found!r} is not {kind}"
        for index, each in enumerate(found if isinstance(found, list) else [found]):
            if type(each).__module__.startswith("grafana_foundation_sdk.models") and not isinstance(
                each, Enum
            ):
                check_types(each, f"{where}.{name}[{index}]")


def fits(value: Any, kind: Any) -> bool:
    origin, arguments = get_origin(kind), get_args(kind)
    if kind in (Any, object) or kind is Dataquery:
        return True
    if origin in (Union, UnionType):
        return any(fits(value, each) for each in arguments)
    if origin is Literal:
        return value in arguments
    if origin is list:
        return isinstance(value, list) and all(fits(each, arguments[0]) for each in value)
    if origin is dict:
        return isinstance(value, dict) and all(fits(each, arguments[1]) for each in value.values())
    if kind is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if isinstance(value, dict) and hasattr(kind, "from_json"):  # the SDK leaves some lists as they are
        return bool(json.loads(json.dumps(kind.from_json(value), cls=JSONEncoder)) == value)
    if issubclass(kind, Enum):
        return value in [member.value for member in kind]
    return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))


@every_file
def test_panels_neither_overlap_nor_leave_the_grid(file: Any) -> None:
    document = read(file)
    ids = [panel["id"] for panel in document["panels"]]
    assert ids == list(range(1, len(ids) + 1))
    places = [(panel["title"], panel["gridPos"]) for panel in document["panels"]]
    for title, at in places:
        assert at["x"] >= 0, title
        assert at["x"] + at["w"] <= 24, title
        assert min(at["w"], at["h"]) > 0, title
    for (one, a), (other, b) in combinations(places, 2):
        apart = (
            a["x"] + a["w"] <= b["x"]
            or b["x"] + b["w"] <= a["x"]
            or a["y"] + a["h"] <= b["y"]
            or b["y"] + b["h"] <= a["y"]
        )
        assert apart, f"{one} lies on {other}"
    for (title, above), (_, below) in pairwise(places):
        if below["x"] == 0:
            assert above["x"] + above["w"] == 24, f"{title}: the line is not full"


@every_file
def test_every_panel_says_what_it_shows(file: Any) -> None:
    titles = [panel["title"] for panel in panels(read(file))]
    assert len(set(titles)) == len(titles)
    for panel in panels(read(file)):
        assert panel["description"].endswith("."), panel["title"]
        defaults = panel["fieldConfig"]["defaults"]
        overridden = [each for other in panel["fieldConfig"]["overrides"] for each in other["properties"]]
        found = {each["value"] for each in overridden if each["id"] == "unit"} | {defaults.get("unit")} - {
            None
        }
        assert found, f"{panel['title']}: no unit"
        assert found <= UNITS, panel["title"]
        references = [target["refId"] for target in panel["targets"]]
        assert references == list("ABCDEFGH"[: len(references)]), panel["title"]


@every_file
def test_every_data_source_is_a_variable_and_every_variable_is_there(file: Any) -> None:
    document = read(file)
    names = {each["name"]: each for each in document["templating"]["list"]}
    assert names["prometheus"]["query"] == "prometheus"
    for panel in panels(document):
        for asked in (panel, *panel["targets"]):
            source = asked["datasource"]
            assert source["uid"] in ("${prometheus}", "${database}"), panel["title"]
            assert names[source["uid"].strip("${}")]["query"] == source["type"], panel["title"]
    used = {name for text in strings(document) for name in VARIABLE.findall(text)}
    assert {name for name in used if not name.startswith("__")} <= set(names)
    for each in names.values():
        if each["type"] == "query":
            assert each["datasource"]["uid"] in ("${prometheus}", "${database}")
            sql = each["datasource"]["uid"] == "${database}"
            assert isinstance(each["query"], str) == sql, "Grafana takes SQL as a string only"


def test_metrics_in_queries_are_documented() -> None:
    documented = set(re.findall(r"^\| `(\w+)`", (ROOT / "docs/reference/metrics.md").read_text(), re.M))
    suffixed = {f"{name}{suffix}" for name in documented for suffix in ("", "_bucket", "_sum", "_count")}
    used = {
        metric
        for file in FILES
        for panel in panels(read(file))
        for target in panel["targets"]
        for metric in METRIC.findall(target.get("expr", ""))
    }
    assert len(used) > 40
    assert used <= suffixed


def test_the_provisioned_data_sources_are_those_that_dashboards_choose_from() -> None:
    provisioned = yaml.safe_load((FOLDER / "provisioning/datasources/orchestrator.yml").read_text())
    kinds = {source["type"] for source in provisioned["datasources"]}
    chosen = {
        variable["query"]
        for file in FILES
        for variable in read(file)["templating"]["list"]
        if variable["type"] == "datasource"
    }
    assert kinds == chosen
    assert not any(source["editable"] for source in provisioned["datasources"])


def test_the_layout_can_be_looked_at_as_text() -> None:
    for page in PAGES:
        for panel in panels(json.loads(generated()[page.file])):
            assert panel["title"][:17] in grid(page)


def test_a_cluster_gets_every_dashboard() -> None:
    given = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())["configMapGenerator"]
    assert sorted(name for each in given for name in each["files"]) == [
        f"dashboards/{file.name}" for file in FILES
    ]
