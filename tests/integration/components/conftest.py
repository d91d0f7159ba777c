"""An empty database for the components, and a way to run one as the runner would."""

import json
import os
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from tests.support.databases import Database


@pytest.fixture
def warehouse_url(empty_database: Database) -> str:
    """The URL of an empty database of this test's own."""
    return empty_database.url


@pytest.fixture
async def warehouse(warehouse_url: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    connection = await asyncpg.connect(warehouse_url)
    try:
        yield connection
    finally:
        await connection.close()


@dataclass
class Outcome:
    code: int
    log: str
    message: str
    result: dict[str, Any] | None


@dataclass
class Starter:
    """Prepares a private directory and starts a built-in in a clean environment."""

    directory: Path

    def start(self, module: str, parameters: object, **environment: str) -> subprocess.Popen[str]:
        data_dir = self.directory / uuid.uuid4().hex
        data_dir.mkdir()
        config = {"component": module, "configuration": "test", "version": 1, "parameters": parameters}
        (data_dir / "config.json").write_text(json.dumps(config))
        environment = {
            "PATH": os.defpath,
            "ORCHESTRATOR_DATA_DIR": str(data_dir),
            "ORCHESTRATOR_JOB_ID": data_dir.name,
            **environment,
        }
        self.last_data_dir = data_dir
        return subprocess.Popen(
            [sys.executable, "-m", f"orchestrator_components.{module}"],
            cwd=data_dir,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, module: str, parameters: object, **environment: str) -> Outcome:
        with self.start(module, parameters, **environment) as process:
            out, err = process.communicate(timeout=60)
        result_file = self.last_data_dir / "result.json"
        result = json.loads(result_file.read_text()) if result_file.exists() else None
        return Outcome(process.returncode, out + err, (err.strip().splitlines() or [""])[-1], result)


@pytest.fixture
def starter(tmp_path: Path) -> Starter:
    directory = tmp_path / "jobs"
    directory.mkdir()
    return Starter(directory)
