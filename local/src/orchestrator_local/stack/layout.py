"""Where a local stack keeps its files: all paths are below one state folder."""

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Layout:
    """The state folder and the places in it."""

    root: Path

    @classmethod
    def at(cls, folder: Path) -> "Layout":
        return cls(folder.absolute())

    def prepare(self) -> None:
        """Create the folders, for the owner only: they hold keys, tokens and mails."""
        # PostgreSQL and tasks started by root run as other users, who must reach their own folders.
        passed = 0o711 if os.geteuid() == 0 else 0o700
        self.root.mkdir(parents=True, exist_ok=True)
        for folder in (self.root, self.files, self.work):
            folder.mkdir(exist_ok=True)
            folder.chmod(passed)
        for folder in (self.logs, self.mails, self.ports):
            folder.mkdir(exist_ok=True)
            folder.chmod(0o700)
        for path in (*self.root.iterdir(), *self.files.iterdir()):
            self._close(path)

    def _close(self, path: Path) -> None:
        """Close what an earlier release left open."""
        known = (self.files, self.work, self.postgres, self.rabbitmq)
        if path not in known and not path.is_symlink() and path.stat().st_uid == os.geteuid():
            path.chmod(path.stat().st_mode & 0o7700)

    @property
    def postgres(self) -> Path:
        return self.root / "postgres"

    @property
    def rabbitmq(self) -> Path:
        return self.root / "rabbitmq"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def mails(self) -> Path:
        return self.root / "mails"

    @property
    def files(self) -> Path:
        """What components may read and write (ORCHESTRATOR_FILES_DIR)."""
        return self.root / "files"

    @property
    def work(self) -> Path:
        return self.root / "work"

    @property
    def ports(self) -> Path:
        return self.root / "ports"

    @property
    def keys(self) -> Path:
        return self.root / "keys.json"

    @property
    def record(self) -> Path:
        return self.root / "stack.json"

    @property
    def lock(self) -> Path:
        return self.root / "supervisor.lock"

    def log(self, name: str) -> Path:
        return self.logs / f"{name}.log"
