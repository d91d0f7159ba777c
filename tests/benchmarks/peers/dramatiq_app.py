# mypy: ignore-errors
# (runs in an environment of its own, whose packages are not installed here)
"""Dramatiq as a peer: threads, durable queues, publisher confirms."""

import json
import os
import sys

import dramatiq
from dramatiq.brokers.rabbitmq import RabbitmqBroker
from glue import Glue

glue = Glue(os.environ["PEER_DATABASE_URL"])
dramatiq.set_broker(RabbitmqBroker(url=os.environ["PEER_AMQP_URL"], confirm_delivery=True))


@dramatiq.actor
def begin(run: str, sizes: list[int]) -> None:
    send(run, *glue.begin(run, sizes))


@dramatiq.actor
def work(run: str, phase: int, task: int) -> None:
    following = glue.done(run, phase, task)
    if following:
        send(run, *following)


def send(run: str, phase: int, size: int) -> None:
    for task in range(size):
        work.send(run, phase, task)


def main(role: str) -> None:
    """The client: sends what its input says."""
    for line in sys.stdin:
        request = json.loads(line)
        for each in request["runs"]:
            begin.send(each, request["sizes"])
