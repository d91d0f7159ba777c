"""Is everything all right, and if not, where to look?"""

from deploy.grafana.source.layout import Page, Row
from deploy.grafana.source.panels import (
    COUNT,
    PER_MINUTE,
    PER_SECOND,
    SECONDS,
    SHARE,
    Limits,
    Query,
    graph,
    number,
)
from deploy.grafana.source.promql import per_minute, per_second, quantile, total

ONE_IS_BAD = Limits(red=1)


NEEDS_SOMEBODY = [
    number(
        "Alerts firing",
        "Alerts of the rules in deploy/prometheus that are firing now. Each has a runbook.",
        COUNT,
        Query('sum(ALERTS{alertstate="firing"}) or vector(0)'),
        limits=ONE_IS_BAD,
    ),
    number(
        "Targets down",
        "Services and servers that Prometheus cannot reach.",
        COUNT,
        Query("sum(1 - up)"),
        limits=ONE_IS_BAD,
    ),
    number(
        "Services not ready",
        "Replicas whose last readiness check failed: they cannot reach PostgreSQL or RabbitMQ, or are starting.",
        COUNT,
        Query("sum(1 - orchestrator_ready)"),
        limits=ONE_IS_BAD,
    ),
    number(
        "Waiting longest for a slot",
        "How long the job that has waited longest has been ready to run while no runner has a free slot.",
        SECONDS,
        Query('max(orchestrator_jobs_oldest_seconds{status="ready"})'),
        limits=Limits(orange=60, red=600),
    ),
    number(
        "Dead letters",
        "Messages that no service understands. Look at them on the page Dead letters.",
        COUNT,
        Query("max(orchestrator_dead_letters)"),
        limits=Limits(orange=1),
    ),
    number(
        "Oldest e-mail not sent",
        "Age of the oldest e-mail that the SMTP server has not taken yet.",
        SECONDS,
        Query("max(orchestrator_notifier_oldest_pending_seconds)"),
        limits=Limits(orange=120, red=600),
    ),
]


FINISHED = "orchestrator_runner_runs_finished_total"
FAILED = 'orchestrator_runner_runs_finished_total{status="error"}'
RUNS = [
    number(
        "Runs finished",
        "Orchestration runs that ended in the time shown.",
        COUNT,
        Query(total(FINISHED), instant=True),
    ),
    number(
        "Runs failed",
        "Runs that ended with an error in the time shown. People who subscribed were notified.",
        COUNT,
        Query(total(FAILED), instant=True),
        limits=Limits(orange=1),
    ),
    number(
        "Runs in progress",
        "Orchestration runs that are being processed now.",
        COUNT,
        Query('sum(max by (status) (orchestrator_jobs{kind="run", status=~"processing|terminating"}))'),
    ),
    number(
        "Jobs in progress",
        "Tasks that runners are executing now.",
        COUNT,
        Query('sum(max by (status) (orchestrator_jobs{kind="component", status=~"processing|terminating"}))'),
    ),
    number(
        "Jobs waiting",
        "Jobs and runs that wait for their configuration, for a retry or for a slot.",
        COUNT,
        Query('sum(max by (kind, status) (orchestrator_jobs{status=~"waiting|ready"}))'),
    ),
    number(
        "Runs without error",
        "Share of the runs that ended in the time shown which did not end with an error.",
        SHARE,
        Query(f"1 - {total(FAILED)} / {total(FINISHED)}", instant=True),
        limits=Limits(orange=0.99, red=0.9, low=True),
        none="no runs",
    ),
    graph(
        "Runs finished per minute",
        "Orchestration runs by how they ended. A warning is a failure that the definition tolerates.",
        PER_MINUTE,
        Query(per_minute(FINISHED, "status"), "{{status}}"),
        statuses=True,
        stacked=True,
    ),
    graph(
        "Duration of runs",
        "From the start of a run to its end: half of the runs, and 95 %, took less than this.",
        SECONDS,
        Query(quantile(0.5, "orchestrator_runner_run_seconds"), "half of the runs"),
        Query(quantile(0.95, "orchestrator_runner_run_seconds"), "95 %"),
    ),
    graph(
        "Wait before the start (95 %)",
        "How long jobs waited for their configuration, for a slot, or for the limit of their project.",
        SECONDS,
        Query(quantile(0.95, "orchestrator_runner_wait_seconds", "cause"), "{{cause}}"),
        limits=Limits(orange=60),
    ),
]


STARTS = [
    graph(
        "Fires of schedules per minute",
        "What became of the instants at which schedules were due. Missed fires are made up as the schedule says.",
        PER_MINUTE,
        Query(per_minute("orchestrator_schedule_fires_total", "outcome"), "{{outcome}}"),
        stacked=True,
    ),
    graph(
        "Lateness of schedules",
        "From the instant of a fire to the request of its run (95 %), and how long the most overdue fire has waited.",
        SECONDS,
        Query(quantile(0.95, "orchestrator_schedule_fire_lateness_seconds"), "lateness (95 %)"),
        Query("min(orchestrator_schedule_overdue_seconds)", "most overdue now"),
        limits=Limits(orange=10, red=60),
    ),
    graph(
        "Table updates and fires of triggers per minute",
        "Updates that producers published, and the runs that triggers requested because of them.",
        PER_MINUTE,
        Query(per_minute('orchestrator_table_updates_total{kind="new"}'), "updates"),
        Query(per_minute("orchestrator_trigger_fires_total"), "runs requested"),
    ),
]


PEOPLE = [
    graph(
        "E-mails per minute",
        "Attempts to send an e-mail. Postponed ones are tried again; failed ones are listed on the page Deliveries.",
        PER_MINUTE,
        Query(per_minute("orchestrator_notifier_deliveries_total", "outcome"), "{{outcome}}"),
        stacked=True,
    ),
    graph(
        "Delay of e-mails (95 %)",
        "From the end of a run, or another fact, to the moment when the SMTP server has taken the e-mail.",
        SECONDS,
        Query(quantile(0.95, "orchestrator_notifier_delivery_delay_seconds"), "delay (95 %)"),
        limits=Limits(orange=60, red=600),
    ),
    graph(
        "Age of the oldest unsent message",
        "Messages that a service has committed and RabbitMQ has not confirmed, by the service's schema.",
        SECONDS,
        Query("max by (schema) (orchestrator_outbox_oldest_seconds)", "{{schema}}"),
        limits=Limits(orange=10, red=60),
    ),
    graph(
        "Requests to the api",
        "By class of the answer; 4xx are refusals, 5xx are faults or a server that is down.",
        PER_SECOND,
        Query(per_second("orchestrator_api_requests_total", "status"), "{{status}}"),
        width=12,
        stacked=True,
    ),
    graph(
        "Time of requests (95 %)",
        "From a request to the end of its answer, for the HTTP API, pages and static files. Streams are left out.",
        SECONDS,
        Query(quantile(0.95, "orchestrator_api_request_seconds", "part"), "{{part}}"),
        width=12,
        limits=Limits(orange=1, red=5),
    ),
]

PAGE = Page(
    uid="orchestrator-overview",
    title="Orchestrator: overview",
    description="Is everything all right? Runs, what starts them, e-mails, requests, and what needs somebody.",
    rows=[
        Row("Needs somebody", NEEDS_SOMEBODY),
        Row("Runs", RUNS),
        Row("What starts runs", STARTS),
        Row("People and messages", PEOPLE),
    ],
)
