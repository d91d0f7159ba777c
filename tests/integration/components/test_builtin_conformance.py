"""The built-ins keep the contract that they ask of others."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from orchestrator_components import local
from orchestrator_components.conformance import check

COLUMNS = {"id": "integer"}
GOOD: dict[str, dict[str, Any]] = {
    "csv_extractor": {"source": "a.csv", "table": "in.c-a.a", "columns": COLUMNS},
    "sql_transformation": {"statements": "SELECT pg_sleep(0.7)"},
    "csv_writer": {"query": "SELECT 1 AS n, pg_sleep(0.7)", "path": "out.csv"},
}


@pytest.mark.parametrize("module", GOOD)
async def test_a_built_in_keeps_the_contract(module: str, warehouse_url: str, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id\n1\n")
    parameters = {**GOOD[module], "#connection": warehouse_url}
    command = ["{python}", "-m", f"orchestrator_components.{module}"]
    environment = {"ORCHESTRATOR_FILES_DIR": str(tmp_path)}

    assert await asyncio.to_thread(check, command, parameters, environment=environment) == []


def test_command_keeps_the_contract() -> None:
    allowed = {"ORCHESTRATOR_ALLOWED_COMMANDS": '[["sleep"]]'}
    command = ["{python}", "-m", "orchestrator_components.command"]

    assert check(command, {"argv": ["sleep", "0.8"]}, environment=allowed) == []


async def test_a_built_in_runs_by_its_name(
    warehouse_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ORCHESTRATOR_FILES_DIR", str(tmp_path))
    config = tmp_path / "config.yaml"
    config.write_text(f"parameters: {{query: SELECT 1 AS n, path: n.csv, '#connection': '{warehouse_url}'}}")

    code = await asyncio.to_thread(local.run, "csv-writer", config)

    assert (code, (tmp_path / "n.csv").read_text()) == (0, "n\n1\n")
    assert "-- success: 1 rows written to n.csv" in capfd.readouterr().out
