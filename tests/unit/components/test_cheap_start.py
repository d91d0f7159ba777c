"""What the built-ins import before they work: a small task costs little more than Python itself."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

DEFINITIONS = Path(__file__).parents[3] / "components" / "src" / "orchestrator_components" / "definitions"
BUILT_INS = sorted(yaml.safe_load(file.read_text())["component"] for file in DEFINITIONS.glob("*.yaml"))
HEAVY = {
    "pydantic",
    "pydantic_core",
    "httpx",
    "httpcore",
    "anyio",
    "rich",
    "click",
    "typer",
    "yaml",
    "structlog",
}
HEAVY |= {"importlib.metadata", "importlib.resources", "email", "http", "xml", "tempfile", "shutil"}
WITHOUT_DATABASE = HEAVY | {"asyncio", "asyncpg", "ssl", "inspect", "dataclasses", "logging"}
LIST = "import json, sys; json.dump(sorted(sys.modules), sys.stderr)"


def imported(folder: Path, component: str) -> set[str]:
    """The modules that are there when it has read its parameters and found them wrong, its last act here."""
    (folder / "config.json").write_text(json.dumps({"parameters": {"extra": "x"}}))
    module = f"orchestrator_components.{component.replace('-', '_')}"
    program = (
        f"import atexit, runpy, sys\natexit.register(lambda: exec({LIST!r}))\n"
        f"runpy.run_module({module!r}, run_name='__main__', alter_sys=True)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program],
        env={"PATH": os.defpath, "ORCHESTRATOR_DATA_DIR": str(folder)},
        cwd=folder,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    told, _, modules = ended.stderr.rpartition("\n")
    assert "parameters.extra: is not a known parameter" in told
    return set(json.loads(modules))


@pytest.mark.parametrize("component", BUILT_INS)
def test_nothing_heavy_is_imported_at_the_start(tmp_path: Path, component: str) -> None:
    forbidden = WITHOUT_DATABASE if component == "command" else HEAVY
    assert not imported(tmp_path, component) & forbidden
