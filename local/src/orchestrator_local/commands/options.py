"""The `--state-dir` option that `dev` and `demo` share."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

from orchestrator_cli.context import STATE_FOLDER

StateDirOption = Annotated[
    Path, typer.Option("--state-dir", help="The folder with the local stack's data, logs and keys.")
]
DEFAULT_STATE_DIR = Path(STATE_FOLDER)


def state_dir_option(root: Path) -> str:
    """The option that a suggested command needs to reach this stack; empty for the default folder."""
    return "" if root == DEFAULT_STATE_DIR.absolute() else f" --state-dir {shlex.quote(str(root))}"
