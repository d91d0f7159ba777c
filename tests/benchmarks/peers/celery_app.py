# mypy: ignore-errors
# (runs in an environment of its own, whose packages are not installed here)
"""Celery as a peer: prefork workers, late acknowledgement, quorum queues, publisher confirms."""

import json
import os
import sys

from celery import Celery
from glue import Glue

glue = Glue(os.environ["PEER_DATABASE_URL"])
app = Celery("peer", broker=os.environ["PEER_AMQP_URL"])
app.conf.update(
    task_acks_late=True,
    task_ignore_result=True,
    task_default_queue="peer",
    task_default_queue_type="quorum",
    worker_prefetch_multiplier=8,
    broker_transport_options={"confirm_publish": True},
    broker_connection_retry_on_startup=True,
)


@app.task(name="begin")
def begin(run: str, sizes: list[int]) -> None:
    send(run, *glue.begin(run, sizes))


@app.task(name="work")
def work(run: str, phase: int, task: int) -> None:
    following = glue.done(run, phase, task)
    if following:
        send(run, *following)


def send(run: str, phase: int, size: int) -> None:
    for task in range(size):
        work.delay(run, phase, task)


def main(role: str) -> None:
    """The client: sends what its input says."""
    for line in sys.stdin:
        request = json.loads(line)
        for each in request["runs"]:
            begin.delay(each, request["sizes"])
