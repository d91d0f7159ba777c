"""The SQL of the flights example on a handful of flights and hours."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest
import yaml

from orchestrator_api.definitions import demo

if TYPE_CHECKING:
    from tests.integration.components.conftest import Outcome, Starter

    Connection = asyncpg.Connection[asyncpg.Record]

MINUTE = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(hours=1)
"""Of this very day: the example forgets what is older than one."""
EXAMPLE = Path(__file__).parents[3] / "examples" / "nycflights" / "orchestrator.yaml"
WEATHER = (
    "origin,time_hour,temp,dewp,humid,wind_dir,wind_speed,wind_gust,precip,pressure,visib,extra\n"
    "JFK,2013-01-01T10:00:00Z,50,1,1,NA,5,NA,0,NA,10,x\n"
    "JFK,2013-01-01T11:00:00Z,30,1,1,NA,5,NA,0.2,NA,2,x\n"
)


@pytest.fixture
def run_example(starter: "Starter", warehouse_url: str, tmp_path: Path) -> Any:
    configurations = {
        document["configuration"]: document["parameters"]
        for document in yaml.safe_load_all(EXAMPLE.read_text())
        if "configuration" in document
    }

    def run(name: str) -> "Outcome":
        parameters = {**configurations[name], "#connection": warehouse_url}
        if name.endswith("/tick"):
            texts = parameters["statements"]
            parameters["statements"] = [t.replace("{{ scheduled_for }}", MINUTE.isoformat()) for t in texts]
        module = name.partition("/")[0].replace("-", "_")
        return starter.run(module, parameters, ORCHESTRATOR_FILES_DIR=str(tmp_path))

    folder = tmp_path / "nycflights"
    folder.mkdir()
    columns = list(configurations["csv-extractor/flights"]["columns"])
    on_time = {"dep_delay": "0", "carrier": "AA", "origin": "JFK", "time_hour": "2013-01-01T10:00:00Z"}
    late = {"dep_delay": "40", "carrier": "AA", "origin": "JFK", "time_hour": "2013-01-01T11:00:00Z"}
    cancelled = {**late, "dep_delay": "NA"}
    rows = [on_time] * 600 + [late] * 300 + [cancelled] * 100
    lines = [",".join(row.get(column, "NA") for column in columns) for row in rows]
    (folder / "flights.csv").write_text("\n".join([",".join(columns), *lines]) + "\n")
    (folder / "weather.csv").write_text(WEATHER)
    (folder / "airlines.csv").write_text("carrier,name\nAA,American Airlines Inc.\n")
    return run


async def test_the_example_makes_sense_of_flights(
    run_example: Any, warehouse: "Connection", tmp_path: Path
) -> None:
    names = ["csv-extractor/flights", "csv-extractor/weather", "csv-extractor/airlines"]
    names += [
        "sql-transformation/delays-by-hour",
        "sql-transformation/weather-impact",
        "csv-writer/delay-report",
    ]
    names += ["sql-transformation/carrier-punctuality", "csv-writer/carrier-report"]
    for name in names:
        outcome = run_example(name)
        assert outcome.code == 0, (name, outcome.log)

    assert (tmp_path / "reports" / "delay-report.csv").read_text().splitlines()[1:] == [
        "snow or sleet,1,400,40.0,100.0,25.0",
        "fair,1,600,0.0,0.0,0.0",
    ]
    assert (tmp_path / "reports" / "carrier-report.csv").read_text().splitlines()[1:] == [
        "American Airlines Inc.,1000,0.0,40.0"
    ]
    broken = run_example("sql-transformation/slowest-routes")
    assert broken.code == 1
    assert 'hint: Perhaps you meant to reference the column "flights.dep_delay"' in broken.message


async def test_a_tick_may_be_noted_twice(run_example: Any, warehouse: "Connection") -> None:
    for _ in range(2):
        outcome = run_example("sql-transformation/tick")
        assert (outcome.code, outcome.result["output_tables"]) == (
            0,
            [{"table": "out.c-clock.ticks", "rows": 1}],
        )
    ticks = await warehouse.fetch('SELECT scheduled_for FROM "out.c-clock".ticks')
    assert [tick["scheduled_for"] for tick in ticks] == [MINUTE]


async def test_ticks_older_than_a_day_are_forgotten(run_example: Any, warehouse: "Connection") -> None:
    await warehouse.execute('CREATE SCHEMA "out.c-clock"')
    await warehouse.execute(
        'CREATE TABLE "out.c-clock".ticks'
        " (scheduled_for timestamptz PRIMARY KEY, noted_at timestamptz NOT NULL)"
    )
    old = MINUTE - timedelta(days=1)
    await warehouse.execute('INSERT INTO "out.c-clock".ticks VALUES ($1, $1)', old)
    assert run_example("sql-transformation/tick").code == 0
    ticks = await warehouse.fetch('SELECT scheduled_for FROM "out.c-clock".ticks')
    assert [tick["scheduled_for"] for tick in ticks] == [MINUTE]


def test_the_demo_of_an_empty_project_needs_no_files(
    starter: "Starter", warehouse_url: str, tmp_path: Path
) -> None:
    found = {each.get("configuration"): each for each in demo.documents()}
    phases = [
        phase
        for each in demo.documents()
        if "phases" in each and each["orchestration"] != "broken"
        for phase in each["phases"]
    ]
    for name in [task["run"] for phase in phases for task in phase["tasks"]]:
        parameters = {**found[name]["parameters"], "#connection": warehouse_url}
        module = name.partition("/")[0].replace("-", "_")
        outcome = starter.run(module, parameters, ORCHESTRATOR_FILES_DIR=str(tmp_path))
        assert outcome.code == 0, (name, outcome.log)
    report = (tmp_path / "reports" / "delay-report.csv").read_text()
    assert report.splitlines()[1].startswith("snow or sleet,")
    assert len((tmp_path / "reports" / "carrier-report.csv").read_text().splitlines()) > 3
