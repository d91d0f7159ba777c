"""Dashboards of rows of panels: places, ids, variables, and the links from one dashboard to the others."""

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from string import ascii_uppercase
from typing import Any

from deploy.grafana.source.panels import DATABASE
from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.dashboard import (
    Dashboard,
    DashboardCursorSync,
    DashboardLinkType,
    DataSourceRef,
    GridPos,
    Panel,
    RowPanel,
    VariableModel,
    VariableOption,
    VariableRefresh,
)

COLUMNS = 24
TAG = "orchestrator"
PUBLIC_URL = "http://127.0.0.1:8080"
RUN_PAGE = "${public_url}/projects/${project}/orchestrations/${orchestration}/runs/${__data.fields.number}"
ORCHESTRATION_PAGE = (
    "${public_url}/projects/${__field.labels.project}/orchestrations/${__field.labels.orchestration}"
)
ORCHESTRATION_DASHBOARD = (
    "/d/orchestrator-orchestration?var-project=${__field.labels.project}"
    "&var-orchestration=${__field.labels.orchestration}&${__url_time_range}"
)


@dataclass(frozen=True)
class Row:
    """Panels under a heading, from left to right, continued below where they do not fit."""

    title: str
    panels: Sequence[Panel]


@dataclass(frozen=True)
class Page:
    """One dashboard."""

    uid: str
    title: str
    description: str
    rows: Sequence[Row]
    variables: Sequence[Builder[VariableModel]] = ()
    database: bool = False
    """Has panels on the database, too."""
    since: str = "now-6h"

    @property
    def file(self) -> str:
        """Its name in the folder of dashboards."""
        return f"{self.uid.removeprefix('orchestrator-')}.json"

    def build(self, public_url: str = PUBLIC_URL) -> Dashboard:
        """Placed, numbered, and with the variables that every dashboard has."""
        builder = (
            builders.Dashboard(self.title)
            .uid(self.uid)
            .description(self.description)
            .tags([TAG])
            .time(self.since, "now")
            .timezone("browser")
            .refresh("30s")
            .tooltip(DashboardCursorSync.CROSSHAIR)
            .readonly()
            .links([_others(), _web_page()])
            .variables([*self._sources(), _public_url(public_url), *self.variables])
        )
        built = builder.build()
        built.panels = placed(self.rows)
        return built

    def _sources(self) -> list[Builder[VariableModel]]:
        sources: list[Builder[VariableModel]] = [data_source("prometheus", "Prometheus", "prometheus")]
        if self.database:
            sources.append(data_source("database", "Database", str(DATABASE.type_val)))
        return sources


def placed(rows: Sequence[Row]) -> list[Panel | RowPanel]:
    """Rows below each other, with ids from 1."""
    found: list[Panel | RowPanel] = []
    y = 0
    for row in rows:
        heading = RowPanel(title=row.title, id_val=len(found) + 1)
        heading.grid_pos = GridPos(h=1, w=COLUMNS, x=0, y=y)
        found.append(heading)
        x, y, height = 0, y + 1, 0
        for each in row.panels:
            panel = copy(each)
            size = panel.grid_pos
            assert size is not None, f"{panel.title}: no size"
            if x + size.w > COLUMNS:
                x, y, height = 0, y + height, 0
            panel.id_val = len(found) + 1
            panel.grid_pos = GridPos(h=size.h, w=size.w, x=x, y=y)
            _name_queries(panel)
            found.append(panel)
            x, height = x + size.w, max(height, size.h)
        y += height
    return found


def _name_queries(panel: Panel) -> None:
    for letter, query in zip(ascii_uppercase, panel.targets or [], strict=False):
        named: Any = query
        named.ref_id = letter


def data_source(name: str, label: str, kind: str) -> builders.DatasourceVariable:
    """A choice among the data sources of this kind; the first one unless somebody chooses."""
    return builders.DatasourceVariable(name).label(label).type(kind)


def choice(
    name: str, label: str, source: DataSourceRef, query: str | dict[str, object], *, every: bool = False
) -> builders.QueryVariable:
    """Values that a data source knows; with `every` several of them, or all.

    The query is SQL as a string, or what the editor for Prometheus saves.
    """
    variable = builders.QueryVariable(name).label(label).datasource(source).query(query)
    variable.refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
    if every:
        variable.multi(True).include_all(True).all_value(".*")
        variable.current(VariableOption(selected=True, text=["All"], value=["$__all"]))
    return variable


def _public_url(url: str) -> builders.TextBoxVariable:
    return (
        builders.TextBoxVariable("public_url")
        .label("Web page")
        .description("Where people open the Orchestrator; links lead there")
        .default_value(url)
        .current(VariableOption(selected=True, text=url, value=url))
        .options([VariableOption(selected=True, text=url, value=url)])
    )


def _others() -> builders.DashboardLink:
    return (
        builders.DashboardLink("Orchestrator dashboards")
        .type(DashboardLinkType.DASHBOARDS)
        .tags([TAG])
        .as_dropdown(True)
        .keep_time(True)
        .include_vars(False)
    )


def _web_page() -> builders.DashboardLink:
    return (
        builders.DashboardLink("Open the web page")
        .type(DashboardLinkType.LINK)
        .icon("external link")
        .url("${public_url}")
        .target_blank(True)
    )
