"""What an address of a page is made of; each folder of pages has those of its pages in `addresses.py`."""

from typing import NamedTuple

from orchestrator_api.web.guarding import Handler

READ, BOTH, SEND = ["GET"], ["GET", "POST"], ["POST"]
PROJECT = "/projects/{project}"
ORCHESTRATION = f"{PROJECT}/orchestrations/{{orchestration}}"
RUN = f"{ORCHESTRATION}/runs/{{number}}"


class Address(NamedTuple):
    """Where a page is."""

    name: str
    path: str
    handler: Handler
    methods: list[str]
