"""The option that `dev` and `demo` share."""

from pathlib import Path
from typing import Annotated

import typer

from orchestrator_cli.context import STATE_FOLDER

StateDirOption = Annotated[
    Path, typer.Option("--state-dir", help="The folder with the local stack's data, logs and keys.")
]
DEFAULT_STATE_DIR = Path(STATE_FOLDER)
