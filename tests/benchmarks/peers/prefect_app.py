# mypy: ignore-errors
# (runs in an environment of its own, whose packages are not installed here)
"""Prefect as a peer: flows in threads of one long-lived process, the tasks of a phase submitted together."""

import json
import os
from concurrent.futures import ThreadPoolExecutor

import psycopg
from prefect import flow, task
from prefect.task_runners import ThreadPoolTaskRunner

FLOWS = 50
TASKS = int(os.environ["PEER_CONCURRENCY"])


@task
def work() -> None:
    """Nothing."""


@flow(flow_run_name="{run}", task_runner=ThreadPoolTaskRunner(max_workers=TASKS))
def phases(run: str, sizes: list[int]) -> None:
    for size in sizes:
        for future in [work.submit() for _ in range(size)]:
            future.result()


def main(role: str) -> None:
    """The worker: runs what the database's notifications ask for, and notifies of each end."""
    url = os.environ["PEER_DATABASE_URL"]
    told = psycopg.connect(url, autocommit=True)

    def execute(run: str, sizes: list[int]) -> None:
        try:
            phases(run, sizes)
        finally:  # a failure is found by looking at what was recorded
            told.execute("SELECT pg_notify('peer_finished', %s)", (run,))

    with psycopg.connect(url, autocommit=True) as asked, ThreadPoolExecutor(FLOWS) as threads:
        asked.execute("LISTEN peer_requests")
        print("ready", flush=True)
        for notification in asked.notifies():
            request = json.loads(notification.payload)
            for run in request["runs"]:
                threads.submit(execute, run, request["sizes"])
