"""Rooms of the api: a contract of import-linter keeps every store to its own room."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
API = ROOT / "services" / "api" / "src" / "orchestrator_api"


def test_every_store_is_kept_to_its_room() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    kept = {
        (*each["protected_modules"], *each["allowed_importers"])
        for each in contracts
        if each["type"] == "protected"
    }
    rooms = [f"orchestrator_api.{store.parent.name}" for store in API.glob("*/store.py")]
    assert {(f"{room}.store", room) for room in rooms} <= kept
