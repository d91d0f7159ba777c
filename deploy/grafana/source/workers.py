"""Why does a job not run yet: its lane, the queue, or too few workers?"""

from deploy.grafana.source.layout import Page, Row
from deploy.grafana.source.panels import (
    BYTES,
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
from deploy.grafana.source.promql import mean, per_minute, per_second, quantile, total

NOW = [
    number(
        "Waiting for a slot",
        "Jobs that could run at once if a runner had a free slot, or the limit of their project allowed it.",
        COUNT,
        Query('sum(max by (kind) (orchestrator_jobs{status="ready"}))'),
        limits=Limits(orange=50, red=500),
    ),
    number(
        "Waiting for their configuration",
        "Jobs behind another one of the same configuration, or between two attempts.",
        COUNT,
        Query('sum(max by (kind) (orchestrator_jobs{status="waiting"}))'),
    ),
    number(
        "Slots in use",
        "Share of all slots in which a job runs. Near 100 % for long: raise ORCHESTRATOR_RUNNER_SLOTS or add runners.",
        SHARE,
        Query("sum(orchestrator_runner_jobs_running) / sum(orchestrator_runner_slots)"),
        limits=Limits(orange=0.8, red=0.98),
    ),
    number(
        "Runners",
        "Replicas of the runner that Prometheus can reach.",
        COUNT,
        Query("count(orchestrator_runner_slots)"),
        limits=Limits(orange=2, red=1, low=True),
    ),
    number(
        "Lanes stuck",
        "Configurations whose jobs wait although nothing runs. This should never happen: see the runbook of the alert.",
        COUNT,
        Query('max(orchestrator_lanes{state="stuck"})'),
        limits=Limits(red=1),
    ),
    number(
        "Shortest lease left",
        "Time left on a runner's lease when it was last renewed. At 0 its jobs are given to other runners.",
        SECONDS,
        Query("min(orchestrator_runner_lease_left_seconds)"),
        limits=Limits(orange=5, red=2, low=True),
    ),
]


QUEUE = [
    graph(
        "Unfinished jobs",
        "Tasks (component) and runs by status. Waiting: for their configuration; ready: for a slot.",
        COUNT,
        Query("max by (kind, status) (orchestrator_jobs)", "{{kind}} {{status}}"),
        stacked=True,
    ),
    graph(
        "Longest wait now",
        "How long the job that has waited longest has been waiting for its configuration, or for a slot.",
        SECONDS,
        Query("max by (status) (orchestrator_jobs_oldest_seconds)", "{{status}}"),
        limits=Limits(orange=600, red=3600),
    ),
    graph(
        "Lanes",
        "A lane lets one job of a configuration run at a time. Held by a job; waited for by others.",
        COUNT,
        Query("max by (state) (orchestrator_lanes)", "{{state}}"),
    ),
    graph(
        "Wait before the start, by cause (95 %)",
        "For the configuration, for a slot, or for the parallel limit of the project.",
        SECONDS,
        Query(quantile(0.95, "orchestrator_runner_wait_seconds", "cause"), "{{cause}}"),
        limits=Limits(orange=60),
    ),
    graph(
        "Jobs that began per minute, by what they had waited for",
        "Every job is counted once, with the cause for which it waited.",
        PER_MINUTE,
        Query(per_minute("orchestrator_runner_wait_seconds_count", "cause"), "{{cause}}"),
        stacked=True,
    ),
    graph(
        "Run requests per minute",
        "What became of requests: accepted, repeated deliveries, merged into a waiting run, skipped, refused.",
        PER_MINUTE,
        Query(per_minute("orchestrator_runner_requests_total", "decision"), "{{decision}}"),
        stacked=True,
    ),
]


WORKERS = [
    graph(
        "Slots and running jobs",
        "All runners together. Where the lines meet, further jobs wait.",
        COUNT,
        Query("sum(orchestrator_runner_slots)", "slots"),
        Query("sum(orchestrator_runner_jobs_running)", "running"),
    ),
    graph(
        "Running jobs by runner",
        "How the work is spread over the replicas.",
        COUNT,
        Query("sum by (instance) (orchestrator_runner_jobs_running)", "{{instance}}"),
        stacked=True,
    ),
    graph(
        "Attempts finished per minute",
        "By the status of the job afterwards; an attempt that will be repeated leaves its job waiting.",
        PER_MINUTE,
        Query(per_minute("orchestrator_runner_attempts_finished_total", "status"), "{{status}}"),
        statuses=True,
        stacked=True,
    ),
    graph(
        "Duration of phases",
        "From the start of a phase of a run to its end.",
        SECONDS,
        Query(quantile(0.5, "orchestrator_runner_phase_seconds"), "half of the phases"),
        Query(quantile(0.95, "orchestrator_runner_phase_seconds"), "95 %"),
    ),
    graph(
        "Disk of work directories",
        "Free space where runners keep the files of attempts.",
        BYTES,
        Query('min by (instance) (orchestrator_runner_work_dir_bytes{state="free"})', "{{instance}}"),
    ),
    graph(
        "Jobs asked to stop, per minute",
        "By people, by a timeout of their run, or because the run ends.",
        PER_MINUTE,
        Query(per_minute("orchestrator_runner_terminations_total"), "asked to stop"),
    ),
]


EXECUTORS = [
    graph(
        "Attempts per minute by executor",
        "What the executor reported. Refused: nothing was started; left: it goes on without this runner.",
        PER_MINUTE,
        Query(
            per_minute("orchestrator_executor_attempts_total", "executor", "outcome"),
            "{{executor}}: {{outcome}}",
        ),
        stacked=True,
    ),
    graph(
        "Time to start an attempt (95 %)",
        "Until the program runs or the other service has accepted the run; with containers, pulling the image counts.",
        SECONDS,
        Query(quantile(0.95, "orchestrator_executor_start_seconds", "executor"), "{{executor}}"),
        limits=Limits(orange=30),
    ),
    graph(
        "Duration of attempts (95 %)",
        "From the start of an attempt to its end.",
        SECONDS,
        Query(quantile(0.95, "orchestrator_executor_attempt_seconds", "executor"), "{{executor}}"),
    ),
]


ENGINE = [
    graph(
        "Duration of an engine transaction",
        "One transaction writes the results that have come together and starts what follows from them.",
        SECONDS,
        Query(quantile(0.5, "orchestrator_runner_step_seconds"), "half"),
        Query(quantile(0.95, "orchestrator_runner_step_seconds"), "95 %"),
        limits=Limits(orange=0.5),
    ),
    graph(
        "Results per transaction",
        "The mean; it rises under load, which keeps the number of transactions low.",
        COUNT,
        Query(mean("orchestrator_runner_step_results"), "results"),
    ),
    graph(
        "Jobs and runs started",
        "Attempts that runners claimed, and orchestration runs that began.",
        PER_SECOND,
        Query(per_second("orchestrator_runner_jobs_claimed_total"), "attempts"),
        Query(per_second("orchestrator_runner_runs_started_total"), "runs"),
    ),
]


LOSSES = [
    number(
        "Runners lost",
        "Replicas whose lease expired in the time shown: they died, or could not reach PostgreSQL.",
        COUNT,
        Query(total("orchestrator_runner_replicas_lost_total"), instant=True),
        limits=Limits(orange=1),
        width=6,
    ),
    number(
        "Results too late",
        "Results that were refused because the job already had another owner, in the time shown.",
        COUNT,
        Query(total("orchestrator_runner_results_fenced_total"), instant=True),
        limits=Limits(orange=1),
        width=6,
    ),
    number(
        "Cycles of waiting runs broken",
        "Nested runs that were ended because runs waited for each other, in the time shown.",
        COUNT,
        Query(total("orchestrator_runner_wait_cycles_broken_total"), instant=True),
        limits=Limits(orange=1),
        width=6,
    ),
    number(
        "Jobs recovered",
        "Jobs of lost runners that others continued or ended, in the time shown.",
        COUNT,
        Query(total("orchestrator_runner_jobs_recovered_total"), instant=True),
        limits=Limits(orange=1),
        width=6,
    ),
    graph(
        "Jobs of lost runners, per minute",
        "Adopted: the attempt continued under another runner. Taken over: run again, or ended with an error.",
        PER_MINUTE,
        Query(per_minute("orchestrator_runner_jobs_recovered_total", "how"), "{{how}}"),
        width=12,
    ),
    graph(
        "Lease left by runner",
        "A line that sinks towards 0 is a runner that renews its lease too late.",
        SECONDS,
        Query("min by (instance) (orchestrator_runner_lease_left_seconds)", "{{instance}}"),
        width=12,
    ),
]

PAGE = Page(
    uid="orchestrator-workers",
    title="Orchestrator: lanes, queue and workers",
    description="Why does a job not run yet: its configuration is busy, the queue is long, or workers are missing?",
    rows=[
        Row("Now", NOW),
        Row("Queue and lanes", QUEUE),
        Row("Workers", WORKERS),
        Row("Executors", EXECUTORS),
        Row("The engine", ENGINE),
        Row("Lost and recovered", LOSSES),
    ],
)
