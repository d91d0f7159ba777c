"""Settings of the runner."""

import socket
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator, model_validator

from orchestrator_runner.executors.docker.engine import EngineAddress
from orchestrator_runner.executors.docker.images import Registries
from orchestrator_runner.executors.images import AllowedImages
from orchestrator_runner.executors.task_users import AUTO, NONE, TaskUsers
from orchestrator_shared.domain.internal_hosts import InternalHosts
from orchestrator_shared.sealed_values import SecretForm
from orchestrator_shared.settings import EncryptionKeys, ServiceSettings


class RunnerSettings(ServiceSettings):
    """See docs/reference/settings.md."""

    encryption_keys: EncryptionKeys = Field(min_length=1, repr=False)
    secret_form: SecretForm = "v2"  # noqa: S105  a form, no secret
    """The form in which states are encrypted; both are read."""
    runner_name: str = Field(default_factory=socket.gethostname, min_length=1, max_length=200)
    database_pool_min: int = Field(default=4, ge=0, le=100)
    runner_slots: int = Field(default=8, ge=1, le=1000)
    lease_seconds: float = Field(default=30, ge=1, le=600)
    heartbeat_seconds: float = Field(default=10, gt=0, le=200)
    poll_seconds: float = Field(default=1, gt=0, le=60)
    scan_seconds: float = Field(default=10, gt=0, le=600)
    work_dir: Path = Path("/tmp/orchestrator-runner")  # noqa: S108  made with mode 0700, refused if not ours
    files_dir: Path | None = None
    """Contains one folder per project, which its components get as ORCHESTRATOR_FILES_DIR."""
    process_executor: Literal["on", "off"] = "on"
    """Whether components of executor process may run here."""
    task_uids: str = AUTO
    """The users that tasks run as when the runner is root."""
    task_grace_seconds: float = Field(default=10, ge=0, le=600)
    task_drain_seconds: float = Field(default=2, ge=0, le=60)
    log_max_bytes: int = Field(default=100 * 1024 * 1024, ge=1024)
    api_url: str | None = None
    internal_hosts: str = ""
    """Non-public addresses that components of executor http may connect to."""
    allowed_images: str = "[]"
    """The images of components that run in containers."""
    kubernetes_namespace: str | None = Field(default=None, pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")
    """Where components of executor kubernetes run; without it, none do."""
    kubernetes_url: str | None = Field(default=None, pattern=r"^https?://[^/\s]+(/\S*)?$")
    kubernetes_token_file: Path | None = None
    kubernetes_ca_file: Path | None = None
    """The pod's own service account is used for what is not set."""
    kubernetes_keep_seconds: int = Field(default=600, ge=0, le=604_800)
    """How long ended Jobs stay in the cluster."""
    registry_credentials: str | None = Field(default=None, repr=False, max_length=64 * 1024)
    """User names and passwords of registries, as `docker login` writes them."""
    docker_url: str | None = None
    """The engine of executor docker; without it, no component runs in it."""
    docker_installation: str = Field(default="orchestrator", pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")
    """Tells the containers of several installations on one engine apart."""
    max_chain_length: int = Field(default=20, ge=1, le=1_000)
    """The longest chain of runs in which each was started by table updates of the one before."""
    retention_days: int = Field(default=90, ge=1)
    log_retention_days: int = Field(default=30, ge=1)

    @field_validator("task_uids")
    @classmethod
    def _are_users(cls, text: str) -> str:
        if text not in (AUTO, NONE):
            TaskUsers.parse(text)
        return text

    @field_validator("internal_hosts")
    @classmethod
    def _are_hosts(cls, text: str) -> str:
        InternalHosts.parse(text)
        return text

    @field_validator("allowed_images")
    @classmethod
    def _are_images(cls, text: str) -> str:
        AllowedImages.parse(text)
        return text

    @field_validator("registry_credentials")
    @classmethod
    def _are_credentials(cls, text: str | None) -> str | None:
        if text is not None:
            Registries.parse(text)
        return text

    @field_validator("docker_url")
    @classmethod
    def _is_engine(cls, url: str | None) -> str | None:
        if url is not None:
            EngineAddress.parse(url)
        return url

    @model_validator(mode="after")
    def _heartbeat_fits(self) -> "RunnerSettings":
        if self.heartbeat_seconds * 2 > self.lease_seconds:
            raise ValueError(
                "ORCHESTRATOR_HEARTBEAT_SECONDS must be at most half of ORCHESTRATOR_LEASE_SECONDS"
            )
        return self
