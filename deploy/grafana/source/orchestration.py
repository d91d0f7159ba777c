"""How does one orchestration do?

Metrics cannot say: an orchestration or a run as a label would make series without end. So all panels but
one ask the database, as a role that reads the schema `reports` and nothing else.
"""

from deploy.grafana.source.layout import RUN_PAGE, Page, Row, choice
from deploy.grafana.source.panels import (
    AGO,
    COUNT,
    DATABASE,
    SECONDS,
    SHARE,
    TIME,
    Column,
    Limits,
    Query,
    Sql,
    bars,
    graph,
    number,
    rows,
)

THIS = "project = ${project:sqlstring} AND orchestration = ${orchestration:sqlstring}"
SHOWN = f"{THIS} AND $__timeFilter(accepted_at)"
DURATION = "extract(epoch FROM finished_at - started_at)"


AT_A_GLANCE = [
    number(
        "Runs",
        "Runs that were accepted in the time shown.",
        COUNT,
        Sql(f"SELECT count(*) AS runs FROM reports.runs_v1 WHERE {SHOWN}"),
    ),
    number(
        "Without error",
        "Share of the finished runs that succeeded, with or without a warning.",
        SHARE,
        Sql(
            f"""SELECT avg((status IN ('success', 'warning'))::int) AS share
                FROM reports.runs_v1 WHERE {SHOWN} AND finished_at IS NOT NULL"""
        ),
        limits=Limits(orange=0.99, red=0.9, low=True),
        none="no runs",
    ),
    number(
        "Last success",
        "When a run last succeeded, at any time. What it wrote is as old as that.",
        AGO,
        Sql(
            f"""SELECT 1000 * extract(epoch FROM finished_at) AS at
                FROM reports.runs_v1 WHERE {THIS} AND status IN ('success', 'warning')
                ORDER BY number DESC LIMIT 1"""
        ),
        none="never",
    ),
    number(
        "Unfinished",
        "Runs that wait or are being processed now.",
        COUNT,
        Sql(
            f"""SELECT count(*) AS runs FROM (SELECT finished_at FROM reports.runs_v1
                WHERE {THIS} ORDER BY number DESC LIMIT 1000) latest WHERE finished_at IS NULL"""
        ),
        limits=Limits(orange=5),
    ),
    number(
        "Usual duration",
        "Half of the successful runs in the time shown took less than this.",
        SECONDS,
        Sql(
            f"""SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY {DURATION}) AS seconds
                FROM reports.runs_v1 WHERE {SHOWN} AND status IN ('success', 'warning')"""
        ),
        none="no runs",
    ),
    number(
        "Age of unused data",
        "Age of the oldest update that counts for one of its triggers and that no run has used. "
        "Only for the 50 triggers with the oldest data.",
        SECONDS,
        Query(
            'max(orchestrator_trigger_data_age_seconds{project="$project", orchestration="$orchestration"})'
        ),
        none="none waits",
    ),
]


DURATIONS = [
    graph(
        "Duration of runs",
        "One point for each run, at its end, by status.",
        SECONDS,
        Sql(
            f"""SELECT finished_at AS time, status AS metric, {DURATION} AS value FROM reports.runs_v1
                WHERE {SHOWN} AND started_at IS NOT NULL AND finished_at IS NOT NULL
                ORDER BY finished_at LIMIT 5000""",
            series=True,
        ),
        statuses=True,
        points=True,
    ),
    graph(
        "Wait before the start",
        "From the moment when a run was accepted to its start: it waits for the run before it, or for a slot.",
        SECONDS,
        Sql(
            f"""SELECT accepted_at AS time, 'wait' AS metric, extract(epoch FROM started_at - accepted_at) AS value
                FROM reports.runs_v1 WHERE {SHOWN} AND started_at IS NOT NULL
                ORDER BY accepted_at LIMIT 5000""",
            series=True,
        ),
        points=True,
    ),
    bars(
        "Mean duration of phases",
        "In which phases the time of the runs shown was spent.",
        SECONDS,
        Sql(
            f"""SELECT p.name AS phase, avg(extract(epoch FROM p.finished_at - p.started_at)) AS seconds
                FROM reports.phases_v1 p JOIN reports.runs_v1 r USING (project, orchestration, number)
                WHERE {SHOWN} AND p.finished_at IS NOT NULL
                GROUP BY p.name ORDER BY min(p.index)"""
        ),
        rows=True,
    ),
]


RUNS = [
    rows(
        "Latest runs",
        "The number opens the page of the run, with its tasks, logs and what it waited for.",
        Sql(
            f"""SELECT number, status, origin, accepted_at, started_at, finished_at,
                       extract(epoch FROM started_at - accepted_at) AS wait,
                       {DURATION} AS duration, full_run, error_kind
                FROM reports.runs_v1 WHERE {SHOWN} ORDER BY number DESC LIMIT 200"""
        ),
        columns=[
            Column("number", "Run", links=(("Open this run in the web page", RUN_PAGE),)),
            Column("status", "Status", statuses=True),
            Column("origin", "Started by"),
            Column("accepted_at", "Accepted", unit=TIME),
            Column("started_at", "Started", unit=TIME),
            Column("finished_at", "Finished", unit=TIME),
            Column("wait", "Wait", unit=SECONDS),
            Column("duration", "Duration", unit=SECONDS),
            Column("full_run", "All tasks"),
            Column("error_kind", "Whose error"),
        ],
        height=12,
    ),
    rows(
        "Starts by origin and status",
        "How often each way of starting led to each status in the time shown.",
        Sql(
            f"""SELECT origin, status, count(*) AS runs FROM reports.runs_v1
                WHERE {SHOWN} GROUP BY origin, status ORDER BY runs DESC"""
        ),
        columns=[
            Column("origin", "Started by"),
            Column("status", "Status", statuses=True),
            Column("runs", "Runs", unit=COUNT),
        ],
        height=8,
    ),
]

PAGE = Page(
    uid="orchestrator-orchestration",
    title="Orchestrator: one orchestration",
    description="How does one orchestration do: its runs, how long they take and wait, and where the time goes?",
    database=True,
    since="now-7d",
    variables=[
        choice(
            "project",
            "Project",
            DATABASE,
            "SELECT DISTINCT project FROM reports.orchestrations_v1 ORDER BY 1",
        ),
        choice(
            "orchestration",
            "Orchestration",
            DATABASE,
            "SELECT name AS __text, orchestration AS __value FROM reports.orchestrations_v1 "
            "WHERE project = ${project:sqlstring} ORDER BY 1",
        ),
    ],
    rows=[
        Row("At a glance", AT_A_GLANCE),
        Row("Durations and waits", DURATIONS),
        Row("Runs", RUNS),
    ],
)
