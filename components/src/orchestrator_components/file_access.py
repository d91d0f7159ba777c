"""Which files a component may read and write: those below ORCHESTRATOR_FILES_DIR, if it is set."""

import os
from pathlib import Path

from orchestrator_components.contract import UserError

VARIABLE = "ORCHESTRATOR_FILES_DIR"


def base_directory() -> Path | None:
    value = os.environ.get(VARIABLE, "")
    return Path(value).resolve() if value else None


def allowed_path(text: str, *, field: str) -> Path:
    """The real path of `text`; refuses paths outside ORCHESTRATOR_FILES_DIR, including through links."""
    if "\0" in text:
        raise UserError(f"{field}: must not contain a NUL character")
    base = base_directory()
    if base is None:
        return Path(text).resolve()
    path = (base / text).resolve()
    if not path.is_relative_to(base):
        raise UserError(f"{field}: {text} is outside the files directory ({VARIABLE})")
    return path


def prepare_parent(path: Path, *, field: str) -> None:
    """Create missing folders only below ORCHESTRATOR_FILES_DIR; elsewhere a typo would litter the disk."""
    if path.parent.is_dir():
        return
    if base_directory() is None:
        raise UserError(f"{field}: the folder {path.parent} does not exist; create it or set {VARIABLE}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{field}: cannot create the folder {path.parent}: {error.strerror}") from None
