"""Does data arrive, how old is it, and which triggers wait for what?"""

from deploy.grafana.source.layout import (
    ORCHESTRATION_DASHBOARD,
    ORCHESTRATION_PAGE,
    Page,
    Row,
    choice,
)
from deploy.grafana.source.panels import (
    COUNT,
    PER_MINUTE,
    PROMETHEUS,
    SECONDS,
    Column,
    Limits,
    Query,
    bars,
    graph,
    number,
    rows,
)
from deploy.grafana.source.promql import per_minute, quantile, total

HOUR = 3600
CHOSEN = '{project=~"$project"}'
WHICH = "project, orchestration, trigger"
TO_ORCHESTRATION = (
    ("Open the dashboard of this orchestration", ORCHESTRATION_DASHBOARD),
    ("Open the orchestration in the web page", ORCHESTRATION_PAGE),
)
FROM_ROW = (
    (
        "Open the dashboard of this orchestration",
        "/d/orchestrator-orchestration?var-project=${__data.fields.project}"
        "&var-orchestration=${__data.fields.orchestration}&${__url_time_range}",
    ),
    (
        "Open the orchestration in the web page",
        "${public_url}/projects/${__data.fields.project}/orchestrations/${__data.fields.orchestration}",
    ),
)


NOW = [
    number(
        "Oldest data",
        "Age of the oldest update that counts for a trigger and that no run has used yet.",
        SECONDS,
        Query(f"max(orchestrator_trigger_data_age_seconds{CHOSEN})"),
        limits=Limits(orange=6 * HOUR, red=24 * HOUR),
        none="none waits",
    ),
    number(
        "Tables updated",
        "Tables of enabled triggers with an update that no run has used, in all projects.",
        COUNT,
        Query('max(orchestrator_trigger_tables{state="updated"})'),
    ),
    number(
        "Tables awaited",
        "Tables that triggers still wait for although another table of theirs was updated, in all projects.",
        COUNT,
        Query('max(orchestrator_trigger_tables{state="awaited"})'),
    ),
    number(
        "Updates received",
        "New table updates in the time shown, without repeated deliveries.",
        COUNT,
        Query(total('orchestrator_table_updates_total{kind="new"}'), instant=True),
    ),
    number(
        "Runs requested",
        "Runs that triggers requested in the time shown.",
        COUNT,
        Query(total("orchestrator_trigger_fires_total"), instant=True),
    ),
    number(
        "From update to run (95 %)",
        "From the update that completed a trigger's set to the start of its run, in the time shown.",
        SECONDS,
        Query(
            "histogram_quantile(0.95, sum by (le) "
            "(increase(orchestrator_trigger_update_to_run_seconds_bucket[$__range])))",
            instant=True,
        ),
        limits=Limits(orange=60, red=600),
        none="no run",
    ),
]


AGES = [
    graph(
        "Age of unused data by trigger",
        "How long the oldest update has waited for a run. A line that keeps rising is a trigger that waits "
        "for a table that does not come. Only the 50 triggers with the oldest data are measured.",
        SECONDS,
        Query(
            f"max by ({WHICH}) (orchestrator_trigger_data_age_seconds{CHOSEN})",
            "{{orchestration}} ({{project}})",
        ),
        limits=Limits(orange=6 * HOUR, red=24 * HOUR),
        width=12,
        links=TO_ORCHESTRATION,
    ),
    bars(
        "Tables that triggers wait for",
        "How many tables each of these triggers still waits for; 0: its run is requested or held back.",
        COUNT,
        Query(
            f"max by ({WHICH}) (orchestrator_trigger_tables_awaited{CHOSEN})",
            "{{orchestration}} ({{project}})",
            instant=True,
        ),
        width=12,
    ),
    rows(
        "Triggers with the oldest data",
        "The same as numbers. Why a trigger waits stands on the page of its orchestration.",
        Query(f"max by ({WHICH}) (orchestrator_trigger_data_age_seconds{CHOSEN})", instant=True),
        Query(f"max by ({WHICH}) (orchestrator_trigger_tables_awaited{CHOSEN})", instant=True),
        columns=[
            Column("Time", hidden=True),
            Column("project", "Project"),
            Column("orchestration", "Orchestration", links=FROM_ROW),
            Column("trigger", "Trigger (id)"),
            Column("Value #A", "Age of unused data", unit=SECONDS),
            Column("Value #B", "Tables awaited", unit=COUNT),
        ],
        merged=True,
    ),
]


FLOW = [
    graph(
        "Table updates per minute",
        "New updates, and deliveries of updates that were known already.",
        PER_MINUTE,
        Query(per_minute("orchestrator_table_updates_total", "kind"), "{{kind}}"),
    ),
    graph(
        "What became of updates, per minute",
        "One disposition for each update and trigger; the reference of metrics explains the words.",
        PER_MINUTE,
        Query(per_minute("orchestrator_trigger_dispositions_total", "disposition"), "{{disposition}}"),
        stacked=True,
    ),
    graph(
        "Runs requested per minute, and how they began",
        "Runs that triggers requested; and how their waiting ended: started, not started, or withdrawn.",
        PER_MINUTE,
        Query(per_minute("orchestrator_trigger_fires_total"), "requested"),
        Query(per_minute("orchestrator_trigger_pending_ends_total", "how"), "{{how}}"),
    ),
    graph(
        "From update to run",
        "From the update that completed a trigger's set to the start of its run; "
        "with a cool-down that defers, from the end of the cool-down.",
        SECONDS,
        Query(quantile(0.5, "orchestrator_trigger_update_to_run_seconds"), "half of the runs"),
        Query(quantile(0.95, "orchestrator_trigger_update_to_run_seconds"), "95 %"),
        width=12,
        limits=Limits(orange=60),
    ),
    graph(
        "Tables of triggers",
        "Tables with an update that no run has used, and tables that triggers still wait for.",
        COUNT,
        Query("max by (state) (orchestrator_trigger_tables)", "{{state}}"),
        width=12,
    ),
]


QUEUE = 'queue=~"trigger-watcher.*"'
WORK = [
    graph(
        "Age of messages when their handler begins (95 %)",
        "How far the trigger-watcher is behind with the messages of its queues.",
        SECONDS,
        Query(quantile(0.95, "orchestrator_message_lag_seconds", "queue", where=QUEUE), "{{queue}}"),
        limits=Limits(orange=10, red=60),
    ),
    graph(
        "Duration of a scan (95 %)",
        "Scans find changes whose message was lost. They take longer the more triggers there are.",
        SECONDS,
        Query(quantile(0.95, "orchestrator_trigger_scan_seconds"), "scan (95 %)"),
    ),
    graph(
        "Triggers reloaded per minute",
        "Triggers that were read again because somebody changed them.",
        PER_MINUTE,
        Query(per_minute("orchestrator_trigger_syncs_total"), "reloaded"),
    ),
]

PAGE = Page(
    uid="orchestrator-triggers",
    title="Orchestrator: triggers and data age",
    description="Does data arrive, how old is it, which triggers wait, and how fast do runs follow updates?",
    variables=[
        choice(
            "project",
            "Project",
            PROMETHEUS,
            {
                "query": "label_values(orchestrator_trigger_data_age_seconds, project)",
                "refId": "StandardVariableQuery",
            },
            every=True,
        )
    ],
    rows=[
        Row("Now", NOW),
        Row("Data age", AGES),
        Row("Updates and runs", FLOW),
        Row("The trigger-watcher at work", WORK),
    ],
)
