"""Metrics of the runner; labels never contain a job or configuration id."""

from prometheus_client import Counter, Gauge, Histogram

REQUESTS = Counter("orchestrator_runner_requests_total", "Run requests received, by decision", ["decision"])
TERMINATIONS = Counter("orchestrator_runner_terminations_total", "Jobs asked to stop")
CLAIMED = Counter("orchestrator_runner_jobs_claimed_total", "Attempts that this replica started")
FINISHED = Counter(
    "orchestrator_runner_attempts_finished_total", "Attempts that ended, by the job's status", ["status"]
)
RUNS_STARTED = Counter("orchestrator_runner_runs_started_total", "Orchestration runs started")
RUNS_FINISHED = Counter("orchestrator_runner_runs_finished_total", "Orchestration runs ended", ["status"])
FENCED = Counter(
    "orchestrator_runner_results_fenced_total", "Results refused because the job had a new owner"
)
LOST_REPLICAS = Counter("orchestrator_runner_replicas_lost_total", "Replicas whose lease ran out")
SLOTS = Gauge("orchestrator_runner_slots", "Jobs that this replica can execute at once")
RUNNING = Gauge("orchestrator_runner_jobs_running", "Jobs that this replica executes now")
STEP_SECONDS = Histogram(
    "orchestrator_runner_step_seconds",
    "Length of one transaction of the engine",
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5),
)
STEP_RESULTS = Histogram(
    "orchestrator_runner_step_results",
    "Results written by one transaction of the engine",
    buckets=(0, 1, 2, 5, 10, 20, 50, 100, 200, 500),
)
QUEUED_SECONDS = Histogram(
    "orchestrator_runner_ready_seconds",
    "Time from ready to claimed: a job waits for a slot",
    buckets=(0.005, 0.02, 0.1, 0.5, 1, 5, 15, 60, 300, 1800),
)
CYCLES_BROKEN = Counter(
    "orchestrator_runner_wait_cycles_broken_total",
    "Nested runs ended because runs waited for each other in a cycle",
)
LEASE_LEFT = Gauge(
    "orchestrator_runner_lease_left_seconds", "Time left on the lease when it was last renewed"
)
