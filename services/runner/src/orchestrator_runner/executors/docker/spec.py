"""Translates an attempt into a container: its name, its limits and what it may not do."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from orchestrator_runner.executors.port import AttemptId, Execution
from orchestrator_shared.definitions.docker_component import DockerComponent
from orchestrator_shared.domain.images import Image

VOLUME = "/orchestrator"
DATA_DIR = f"{VOLUME}/data"
"""Below the volume's own folder, which belongs to root: so the program cannot replace it."""
INSTALLATION, JOB, ATTEMPT = "orchestrator.installation", "orchestrator.job", "orchestrator.attempt"
_OF_THE_HOST = frozenset({"PATH", "ORCHESTRATOR_FILES_DIR"})
"""They mean something on the runner's host only."""
_MEGABYTE = 1024 * 1024


def container_name(installation: str, job: UUID, attempt: int) -> str:
    """The same attempt always has the same name, so that no engine starts it twice."""
    return f"{installation}-{job}-{attempt}"


def labels_of(installation: str, execution: Execution) -> dict[str, str]:
    """By these, containers and volumes are found whose attempt is over."""
    told = {
        f"orchestrator.{name}": str(execution.config[name])
        for name in ("component", "configuration")
        if name in execution.config
    }
    if project := execution.environment.get("ORCHESTRATOR_PROJECT"):
        told["orchestrator.project"] = project
    ours = {INSTALLATION: installation, JOB: str(execution.job_id), ATTEMPT: str(execution.attempt)}
    return {**told, **ours}


def attempt_of(labels: Mapping[str, str]) -> AttemptId | None:
    """The attempt that something on the engine belongs to; None if its labels are not ours."""
    try:
        return UUID(labels[JOB]), int(labels[ATTEMPT])
    except (KeyError, ValueError):
        return None


def environment_of(section: DockerComponent, execution: Execution) -> dict[str, str]:
    """What the program finds in its environment."""
    own = section.environment
    given = {
        name: value
        for name, value in execution.environment.items()
        if name not in _OF_THE_HOST or own.get(name) is not None
    }
    path = own.get("PATH")
    home = {"HOME": DATA_DIR, "TMPDIR": "/tmp", "USER": "orchestrator-task"}  # noqa: S108  its own tmpfs
    return {**home, **given, **({"PATH": path} if path else {}), "ORCHESTRATOR_DATA_DIR": DATA_DIR}


def create_body(
    section: DockerComponent, image: Image, execution: Execution, *, installation: str, log_bytes: int
) -> dict[str, Any]:
    """The body of the request that creates the container."""
    labels = labels_of(installation, execution)
    body: dict[str, Any] = {
        "Image": str(image),
        "User": f"{section.user}:{section.user}",
        "Env": [f"{name}={value}" for name, value in environment_of(section, execution).items()],
        "WorkingDir": DATA_DIR,
        "Labels": labels,
        "StopSignal": "SIGTERM",
        "Tty": False,
        "Healthcheck": {"Test": ["NONE"]},
        "HostConfig": _host_config(section, labels, log_bytes),
    }
    if section.command:
        body |= {"Entrypoint": section.command, "Cmd": []}
    return body


def _host_config(section: DockerComponent, labels: Mapping[str, str], log_bytes: int) -> dict[str, Any]:
    memory = section.memory_mb * _MEGABYTE
    return {
        "Memory": memory,
        "MemorySwap": memory,  # the same: no swap
        "NanoCpus": round(section.cpus * 1_000_000_000),
        "PidsLimit": section.pids,
        "Privileged": False,
        "ReadonlyRootfs": True,
        "CapDrop": ["ALL"],
        "SecurityOpt": ["no-new-privileges:true"],
        "NetworkMode": section.network,
        "IpcMode": "private",
        "Init": True,  # as process 1, a program would ignore SIGTERM
        "Tmpfs": {"/tmp": "rw,exec,nosuid,nodev,mode=1777"},  # noqa: S108  the container's own; counts as its memory
        "Mounts": [
            {
                "Type": "volume",
                "Target": VOLUME,
                "VolumeOptions": {"NoCopy": True, "Labels": dict(labels)},
            }
        ],
        "RestartPolicy": {"Name": "no"},
        # What is beyond is not kept anyway; without a limit, an endless log would fill the engine's disk.
        # The driver json-file would replace bytes that are not UTF-8 before they are masked.
        "LogConfig": {
            "Type": "local",
            "Config": {"max-size": str(log_bytes), "max-file": "1", "compress": "false"},
        },
    }
