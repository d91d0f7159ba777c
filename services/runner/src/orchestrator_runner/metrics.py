"""Metrics of the runner; labels never contain a job or configuration id."""

from prometheus_client import Counter, Gauge, Histogram

from orchestrator_shared.domain.statuses import FINAL_STATUSES, JobStatus
from orchestrator_shared.metrics import start_at_zero

_DURATIONS = (0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 10800, 43200)

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
WAIT_SECONDS = Histogram(
    "orchestrator_runner_wait_seconds",
    "How long jobs and runs waited before they started (configuration, slot, parallel_limit)",
    ["cause"],
    buckets=(0.005, 0.02, 0.1, 0.5, 1, 5, 15, 60, 300, 1800, 7200),
)
RUN_SECONDS = Histogram(
    "orchestrator_runner_run_seconds",
    "From the start of an orchestration run to its end, by status",
    ["status"],
    buckets=_DURATIONS,
)
PHASE_SECONDS = Histogram(
    "orchestrator_runner_phase_seconds", "From the start of a phase to its end", buckets=_DURATIONS
)
RECOVERED = Counter(
    "orchestrator_runner_jobs_recovered_total",
    "Jobs of lost replicas, by what became of them (adopted, taken_over)",
    ["how"],
)
CYCLES_BROKEN = Counter(
    "orchestrator_runner_wait_cycles_broken_total",
    "Nested runs ended because runs waited for each other in a cycle",
)
LEASE_LEFT = Gauge(
    "orchestrator_runner_lease_left_seconds", "Time left on the lease when it was last renewed"
)
ATTEMPTS = Counter(
    "orchestrator_executor_attempts_total",
    "Attempts that ended, by executor and by what it reported",
    ["executor", "outcome"],
)
START_SECONDS = Histogram(
    "orchestrator_executor_start_seconds",
    "From handing an attempt to its executor until it has started",
    ["executor"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300),
)
ATTEMPT_SECONDS = Histogram(
    "orchestrator_executor_attempt_seconds", "Duration of an attempt", ["executor"], buckets=_DURATIONS
)
WORK_DIR_BYTES = Gauge(
    "orchestrator_runner_work_dir_bytes", "Disk of the work directory (free, total)", ["state"]
)

JOBS = Gauge("orchestrator_jobs", "Unfinished jobs, by kind and status", ["kind", "status"])
OLDEST_SECONDS = Gauge(
    "orchestrator_jobs_oldest_seconds",
    "How long the job that has waited longest has been waiting or ready",
    ["status"],
)
LANES = Gauge("orchestrator_lanes", "Lanes, by state (held, waited_for, stuck)", ["state"])

_FINAL = sorted(FINAL_STATUSES)
OUTCOMES = ("success", "error", "terminated", "refused", "lost", "left", "failed")
"""How an executor's call can end."""

start_at_zero(REQUESTS, ("accepted", "repeated", "merged", "skipped", "refused"))
start_at_zero(FINISHED, (*_FINAL, JobStatus.WAITING, JobStatus.READY))
start_at_zero(RUNS_FINISHED, _FINAL)
start_at_zero(WAIT_SECONDS, ("configuration", "slot", "parallel_limit"))
start_at_zero(RUN_SECONDS, _FINAL)
start_at_zero(RECOVERED, ("adopted", "taken_over"))
KUBERNETES_REQUESTS = Counter(
    "orchestrator_runner_kubernetes_requests_total",
    "Requests to the Kubernetes API, by what was asked and the status of the answer",
    ["verb", "resource", "code"],
)
KUBERNETES_RELISTS = Counter(
    "orchestrator_runner_kubernetes_relists_total",
    "Times that a watch had to begin anew with a list, after its beginning",
    ["resource"],
)
KUBERNETES_JOBS = Gauge(
    "orchestrator_runner_kubernetes_jobs", "Kubernetes Jobs that this replica follows now"
)
