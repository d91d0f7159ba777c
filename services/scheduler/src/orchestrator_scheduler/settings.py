"""The scheduler's own settings."""

from pydantic import Field

from orchestrator_shared.settings import ServiceSettings


class SchedulerSettings(ServiceSettings):
    """Environment variables `ORCHESTRATOR_*` of the scheduler."""

    poll_seconds: float = Field(default=1, gt=0, le=60)
    """The longest wait before looking for due schedules."""
    scan_seconds: float = Field(default=30, gt=0, le=3600)
    """How often the catalog is scanned for schedules whose change was missed."""
    fire_batch_size: int = Field(default=20, ge=1, le=1000)
    misfire_grace_seconds: float = Field(default=60, gt=0, le=3600)
    """A fire that is later than this was missed."""
    fire_all_most: int = Field(default=100, ge=0, le=1000)
    """How many missed fires `fire_all` makes up at most: the newest."""
    retention_days: float = Field(default=90, gt=0, le=36500)
    """How long fires are kept."""
    retention_interval_seconds: float = Field(default=3600, gt=0)
    retention_batch_size: int = Field(default=1000, ge=1, le=100_000)
