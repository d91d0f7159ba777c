"""Decides whether tasks can run as other users on this host, and which user belongs to which project."""

import importlib.util
import os
import subprocess
import sys
import sysconfig
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import structlog

from orchestrator_runner.executors.task_users import AUTO, DEFAULT, NONE, SETTING, TaskUsers
from orchestrator_shared.database.pool import acquire
from orchestrator_shared.database.queries import Queries
from orchestrator_shared.database.store import Store
from orchestrator_shared.settings import SettingsError

log = structlog.get_logger(__name__)

_TRIAL_SECONDS = 30
_LOOK = "import os, sys; [os.stat(os.path.join(folder, '.')) for folder in sys.argv[1:]]"


def choose_task_users(setting: str, folders: Iterable[Path]) -> TaskUsers | None:
    """Choose as the setting says; None means as the runner itself.

    Tasks must be able to reach these folders.
    """
    if setting == NONE or (setting == AUTO and os.geteuid() != 0):
        return None
    if os.geteuid() != 0:
        raise SettingsError(f"{SETTING}: only a runner that is root can run tasks as other users")
    folders = list(folders)
    for folder in folders:
        folder.mkdir(mode=0o711, parents=True, exist_ok=True)
    users = DEFAULT if setting == AUTO else TaskUsers.parse(setting)
    if (problem := _unreachable(users.first, folders)) and setting != AUTO:
        raise SettingsError(f"{SETTING}: {problem}")
    python = [sys.executable, "-I", "-S", "-c", _LOOK, *_installed()]
    if (python_problem := problem or _try(users.first, python)) is None:
        log.info("tasks.isolated", first=users.first, last=users.last)
        return users
    if setting == AUTO:
        log.warning("tasks.not_isolated", reason=python_problem, way_out=_WAY_OUT)
        return None
    log.warning("tasks.python_unreachable", reason=python_problem, way_out=_WAY_OUT)
    return users


_WAY_OUT = (
    "install where every user may read (not below root's home), and put ORCHESTRATOR_WORK_DIR and "
    f"ORCHESTRATOR_FILES_DIR where every user may pass; {SETTING}=none runs tasks as root without this line"
)


def _installed() -> list[str]:
    """The folder in which a task's `{python}` finds its packages."""
    found = importlib.util.find_spec("orchestrator_components")
    packages = [] if found is None else list(found.submodule_search_locations or ())
    return [sysconfig.get_path("purelib"), *packages]


def _unreachable(user: int, folders: Iterable[Path]) -> str | None:
    """Ask as the user itself: modes alone do not show everything, such as a namespace without the user."""
    for folder in folders:
        if _try(user, ["/bin/sh", "-c", 'cd -- "$1"', "sh", str(folder)]) is not None:
            return _try(user, ["/bin/sh", "-c", ":"]) or f"user {user} cannot reach {folder}"
    return None


def _try(user: int, program: list[str]) -> str | None:
    try:
        done = subprocess.run(
            program,
            user=user,
            group=user,
            extra_groups=[],
            cwd="/",
            env={},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_TRIAL_SECONDS,
        )
    except (OSError, subprocess.SubprocessError) as error:
        return f"user {user} cannot run {program[0]}: {getattr(error, 'strerror', None) or error}"
    last = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
    return f"user {user} cannot use {program[0]}: {last}" if done.returncode else None


@dataclass(frozen=True, slots=True)
class _Numbered:
    project: str
    number: int


class ProjectNumberStore(Store):
    """The permanent numbers of projects."""

    queries = Queries.load(__package__, "task_users.sql")

    async def numbers(self, *, projects: Sequence[str]) -> dict[str, int]:
        """The numbers of these projects, without those that have none."""
        rows = await self._many(_Numbered, "project_numbers", projects=projects)
        return {row.project: row.number for row in rows}

    async def number(self, *, projects: Sequence[str]) -> None:
        """Give a number to each of these projects that has none."""
        await self._run("number_projects", projects=projects)


class ProjectUsers:
    """Each project's user: the same on every host as long as the range starts at the same number."""

    def __init__(self, pool: asyncpg.Pool, users: TaskUsers) -> None:
        self._pool = pool
        self._users = users
        self._numbers: dict[str, int] = {}

    async def load(self, projects: set[str]) -> None:
        """Give a permanent number to projects that have none: the files of a project belong to its user."""
        missing = sorted(projects - self._numbers.keys())
        if not missing or not self._users.is_per_project:
            return
        async with acquire(self._pool) as connection:
            store = ProjectNumberStore(connection)
            numbers = await store.numbers(projects=missing)
            if len(numbers) < len(missing):
                await store.number(projects=missing)
                numbers = await store.numbers(projects=missing)
        self._numbers |= numbers

    def of(self, project: str) -> int:
        """The user of a loaded project; raises UserError if the range has no user left."""
        return self._users.of(self._numbers.get(project, 0))
