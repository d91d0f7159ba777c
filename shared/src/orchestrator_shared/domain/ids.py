"""Typed identifiers and how new ones are made."""

import os
import time
from typing import NewType
from uuid import UUID, uuid5

ComponentId = NewType("ComponentId", str)
JobId = NewType("JobId", UUID)
TriggerId = NewType("TriggerId", UUID)
ScheduleId = NewType("ScheduleId", UUID)

ORCHESTRATOR = ComponentId("orchestrator")
"""The component whose configurations are orchestrations."""

SLUG = r"^[a-z0-9]([a-z0-9._-]{0,62}[a-z0-9])?$"
"""Ids of projects, components, configurations and tasks; safe in URLs, routing keys and file names."""

PROJECT = r"^[a-z0-9]([a-z0-9_-]{0,62}[a-z0-9])?$"
"""New projects: with dots, routing keys of `a.b` would look like those of `a`. Older ones may have dots."""


_REQUESTS = UUID("6f9c1c1e-5d0a-4c57-9a53-0f1d2f6a7e41")
"""A separate namespace: no caller's key can collide with the id of a schedule's or trigger's job."""


def new_id() -> UUID:
    """A version 7 UUID (RFC 9562): ordered by time, made here because PostgreSQL 15 to 17 cannot."""
    milliseconds = time.time_ns() // 1_000_000
    value = (milliseconds << 80) | int.from_bytes(os.urandom(10), "big")
    value = (value & ~(0xF << 76)) | (0x7 << 76)
    value = (value & ~(0x3 << 62)) | (0x2 << 62)
    return UUID(int=value)


def new_job_id() -> JobId:
    """The id of a job that one of our services is about to request; repeating the request has no effect."""
    return JobId(new_id())


def request_id(project: str, token: UUID, key: str) -> UUID:
    """The request id for an HTTP caller's Idempotency-Key, unique to its project and token."""
    return uuid5(_REQUESTS, f"{project}\n{token}\n{key}")


def trigger_job_id(trigger: TriggerId, generation: int) -> JobId:
    """The job that the given generation of a trigger asks for; the same however often it is asked."""
    return JobId(uuid5(trigger, f"generation:{generation}"))


def fire_job_id(schedule: ScheduleId, fire_key: str) -> JobId:
    """The job that one fire of a schedule asks for."""
    return JobId(uuid5(schedule, f"fire:{fire_key}"))


def output_update_id(job: UUID, table: str) -> UUID:
    """The update by which a job reports a table; the same however often it is sent."""
    return uuid5(job, f"output:{table}")
