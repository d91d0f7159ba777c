"""The kinds of panels that our dashboards have, each with a unit, thresholds and an explanation."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from grafana_foundation_sdk.builders import bargauge, common, dashboard, prometheus, stat, table, timeseries
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models import common as options
from grafana_foundation_sdk.models import prometheus as prometheus_models
from grafana_foundation_sdk.models import units
from grafana_foundation_sdk.models.dashboard import (
    DashboardLinkType,
    DataSourceRef,
    DataTransformerConfig,
    DynamicConfigValue,
    MappingType,
    Panel,
    Threshold,
    ThresholdsMode,
    ValueMap,
    ValueMappingResult,
)

PROMETHEUS = DataSourceRef(type_val="prometheus", uid="${prometheus}")
DATABASE = DataSourceRef(type_val="grafana-postgresql-datasource", uid="${database}")
COUNT, PER_MINUTE, PER_SECOND = units.Short, units.OpsPerMinute, units.OpsPerSecond
SECONDS, BYTES, SHARE, TIME, AGO = (
    units.Seconds,
    units.BytesIEC,
    units.PercentUnit,
    units.DatetimeISO,
    units.DateTimeFromNow,
)
STATUS_COLORS = {
    "success": "green",
    "warning": "orange",
    "error": "red",
    "terminated": "purple",
    "cancelled": "text",
    "processing": "blue",
    "waiting": "yellow",
}


@dataclass(frozen=True)
class Query(Builder[Dataquery]):
    """One PromQL expression; `legend` names its series."""

    expr: str
    legend: str = ""
    instant: bool = False
    table: bool = False

    def build(self) -> prometheus_models.Dataquery:
        """The range by default, or only the last value."""
        query = prometheus.Dataquery().expr(self.expr).datasource(PROMETHEUS)
        if self.legend:
            query.legend_format(self.legend)
        if self.table:
            query.format(prometheus_models.PromQueryFormat.TABLE)
        return (query.instant() if self.instant else query.range()).build()


class SqlQuery(Dataquery):
    """What Grafana's PostgreSQL data source takes; the SDK has no model of it."""

    def __init__(self, sql: str, *, series: bool) -> None:
        self.sql = sql
        self.series = series
        self.ref_id = ""

    def to_json(self) -> dict[str, object]:
        """As the data source's editor saves it."""
        return {
            "datasource": DATABASE,
            "editorMode": "code",
            "format": "time_series" if self.series else "table",
            "rawQuery": True,
            "rawSql": self.sql,
            "refId": self.ref_id,
        }


@dataclass(frozen=True)
class Sql(Builder[Dataquery]):
    """One SELECT on the views of the schema `reports`; with `series`, columns time, metric and value."""

    text: str
    series: bool = False

    def build(self) -> SqlQuery:
        """The statement on one line: people read it in the source."""
        return SqlQuery(" ".join(self.text.split()), series=self.series)


@dataclass(frozen=True)
class Limits:
    """From where a value is worth a look (orange), and from where it needs somebody (red); or below where."""

    orange: float | None = None
    red: float | None = None
    low: bool = False
    """Small values are the bad ones."""

    @property
    def steps(self) -> list[Threshold]:
        """Colors from the smallest value upwards; the first has no bound."""
        marks = [("orange", self.orange), ("red", self.red)]
        set_marks = [(color, value) for color, value in marks if value is not None]
        if not self.low:
            return [
                Threshold(value=None, color="green"),
                *(Threshold(value=value, color=color) for color, value in set_marks),
            ]
        bounds = [value for _, value in reversed(set_marks)]
        colors = [color for color, _ in reversed(set_marks)] + ["green"]
        return [
            Threshold(value=bound, color=color) for bound, color in zip([None, *bounds], colors, strict=True)
        ]

    def builder(self) -> dashboard.ThresholdsConfig:
        """For the SDK."""
        return dashboard.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(self.steps)


NO_LIMITS = Limits()
AnyQuery = Query | Sql


def _targets(queries: Sequence[AnyQuery]) -> list[Builder[Dataquery]]:
    return list(queries)


def _source(queries: Sequence[AnyQuery]) -> DataSourceRef:
    return DATABASE if isinstance(queries[0], Sql) else PROMETHEUS


def number(
    title: str,
    description: str,
    unit: str,
    query: AnyQuery,
    *,
    limits: Limits = NO_LIMITS,
    width: int = 4,
    none: str | None = None,
) -> Panel:
    """One number, coloured by its limits; `none` is shown where there is no value."""
    panel = (
        stat.Panel()
        .title(title)
        .description(description)
        .datasource(_source([query]))
        .targets(_targets([query]))
        .unit(unit)
        .thresholds(limits.builder())
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).values(False))
        .color_mode(options.BigValueColorMode.VALUE)
        .graph_mode(options.BigValueGraphMode.NONE)
        .span(width)
        .height(4)
    )
    if none is not None:
        panel.no_value(none)
    return panel.build()


def graph(
    title: str,
    description: str,
    unit: str,
    *queries: AnyQuery,
    limits: Limits = NO_LIMITS,
    width: int = 8,
    stacked: bool = False,
    points: bool = False,
    statuses: bool = False,
    links: Sequence[tuple[str, str]] = (),
) -> Panel:
    """Values over time; limits are drawn as dashed lines.

    `links` (title, address) open from a series; with `statuses` each series has the color of its status.
    """
    panel = (
        timeseries.Panel()
        .title(title)
        .description(description)
        .datasource(_source(queries))
        .targets(_targets(queries))
        .unit(unit)
        .min(0)
        .thresholds(limits.builder())
        .draw_style(options.GraphDrawStyle.POINTS if points else options.GraphDrawStyle.LINE)
        .line_width(1)
        .fill_opacity(30 if stacked else 8)
        .show_points(options.VisibilityMode.ALWAYS if points else options.VisibilityMode.NEVER)
        .span_nulls(False)
        .legend(_legend())
        .tooltip(_tooltip())
        .span(width)
        .height(8)
    )
    if limits != NO_LIMITS:
        dashed = common.GraphThresholdsStyleConfig().mode(options.GraphThresholdsStyleMode.DASHED)
        panel.thresholds_style(dashed)
    if stacked:
        panel.stacking(common.StackingConfig().mode(options.StackingMode.NORMAL).group("A"))
    for name, color in STATUS_COLORS.items() if statuses else ():
        panel.override_by_name(name, [DynamicConfigValue("color", {"mode": "fixed", "fixedColor": color})])
    if links:
        panel.data_links([link(*each) for each in links])
    return panel.build()


def _tooltip() -> common.VizTooltipOptions:
    all_series = common.VizTooltipOptions().mode(options.TooltipDisplayMode.MULTI)
    return all_series.sort(options.SortOrder.DESCENDING)


def _legend() -> common.VizLegendOptions:
    return (
        common.VizLegendOptions()
        .display_mode(options.LegendDisplayMode.LIST)
        .placement(options.LegendPlacement.BOTTOM)
        .show_legend(True)
        .calcs([])
    )


def bars(
    title: str,
    description: str,
    unit: str,
    query: AnyQuery,
    *,
    limits: Limits = NO_LIMITS,
    width: int = 8,
    rows: bool = False,
) -> Panel:
    """One bar for each series as it is now, or, with `rows`, for each row."""
    return (
        bargauge.Panel()
        .title(title)
        .description(description)
        .datasource(_source([query]))
        .targets(_targets([query]))
        .unit(unit)
        .min(0)
        .thresholds(limits.builder())
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).values(rows))
        .display_mode(options.BarGaugeDisplayMode.BASIC)
        .orientation(options.VizOrientation.HORIZONTAL)
        .span(width)
        .height(8)
        .build()
    )


@dataclass(frozen=True)
class Column:
    """How a column of a table looks; `links` open from its cells."""

    name: str
    title: str = ""
    unit: str = ""
    links: Sequence[tuple[str, str]] = ()
    statuses: bool = False
    hidden: bool = False

    def properties(self) -> list[DynamicConfigValue]:
        """For the SDK, as an override by the column's name."""
        found: list[DynamicConfigValue] = []
        if self.title:
            found.append(DynamicConfigValue("displayName", self.title))
        if self.unit:
            found.append(DynamicConfigValue("unit", self.unit))
        if self.links:
            found.append(DynamicConfigValue("links", [link(*each).build() for each in self.links]))
        if self.statuses:
            found.append(DynamicConfigValue("mappings", [_status_colors()]))
            found.append(DynamicConfigValue("custom.cellOptions", {"type": "color-text"}))
        if self.hidden:
            found.append(DynamicConfigValue("custom.hidden", True))
        return found


def _status_colors() -> ValueMap:
    found = {
        status: ValueMappingResult(color=color, index=index)
        for index, (status, color) in enumerate(STATUS_COLORS.items())
    }
    mapping = ValueMap(options=found)
    assert mapping.type_val == MappingType.VALUE_TO_TEXT
    return mapping


def rows(
    title: str,
    description: str,
    *queries: AnyQuery,
    columns: Sequence[Column],
    merged: bool = False,
    width: int = 24,
    height: int = 10,
) -> Panel:
    """A table; `merged` joins the series of several queries that have the same labels."""
    asked = [replace(query, table=True) if isinstance(query, Query) else query for query in queries]
    panel = (
        table.Panel()
        .title(title)
        .description(description)
        .datasource(_source(queries))
        .targets(_targets(asked))
        .show_header(True)
        .filterable(True)
        .span(width)
        .height(height)
    )
    for column in columns:
        panel.override_by_name(column.name, column.properties())
    built = panel.build()
    if merged:
        built.transformations = [DataTransformerConfig(id_val="merge", options={})]
    return built


def link(title: str, url: str) -> dashboard.DashboardLink:
    """From a series or a cell, in the same tab."""
    return dashboard.DashboardLink(title).type(DashboardLinkType.LINK).url(url)
