# mypy: ignore-errors
# (runs in an environment of its own, whose packages are not installed here)
"""Procrastinate as a peer: jobs in PostgreSQL, woken by NOTIFY; tasks run in threads of one worker."""

import json
import os
import sys

import procrastinate
from glue import Glue

CONCURRENCY = 16
glue = Glue(os.environ["PEER_DATABASE_URL"])
connector = procrastinate.PsycopgConnector(conninfo=os.environ["PEER_DATABASE_URL"], max_size=20, kwargs={})
app = procrastinate.App(connector=connector)


@app.task(name="begin")
def begin(run: str, sizes: list[int]) -> None:
    send(run, *glue.begin(run, sizes))


@app.task(name="work")
def work(run: str, phase: int, task: int) -> None:
    following = glue.done(run, phase, task)
    if following:
        send(run, *following)


def send(run: str, phase: int, size: int) -> None:
    work.configure().batch_defer(*({"run": run, "phase": phase, "task": task} for task in range(size)))


def main(role: str) -> None:
    if role == "schema":
        with app.open():
            app.schema_manager.apply_schema()
    elif role == "worker":
        app.run_worker(concurrency=CONCURRENCY, install_signal_handlers=True, delete_jobs="successful")
    else:
        with app.open():
            for line in sys.stdin:
                request = json.loads(line)
                begin.configure().batch_defer(
                    *({"run": run, "sizes": request["sizes"]} for run in request["runs"])
                )
