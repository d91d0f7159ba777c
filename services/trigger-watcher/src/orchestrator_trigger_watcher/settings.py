"""The trigger-watcher's own settings."""

from pydantic import Field

from orchestrator_shared.settings import ServiceSettings


class TriggerWatcherSettings(ServiceSettings):
    """Environment variables `ORCHESTRATOR_*` of the trigger-watcher."""

    scan_seconds: float = Field(default=30, gt=0, le=3600)
    """How often the database is scanned for changes whose hints were lost."""
    due_poll_seconds: float = Field(default=1, gt=0, le=60)
    """How often deferred fires are looked for."""
    updates_batch_size: int = Field(default=50, ge=1, le=50)
    retention_days: float = Field(default=90, gt=0, le=36500)
    """How long updates, dispositions, fires, edits and deleted triggers are kept."""
    table_retention_days: float = Field(default=365, gt=0, le=36500)
    """How long a table is known that nobody updates and no trigger selects."""
    retention_interval_seconds: float = Field(default=3600, gt=0)
    retention_batch_size: int = Field(default=1000, ge=1, le=100_000)
