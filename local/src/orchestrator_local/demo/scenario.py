"""What the demo runs: the example's orchestrations, and what each must show."""

from dataclasses import dataclass
from pathlib import Path

from orchestrator_cli.failures import BadInput

BY_HAND = "flights"
BY_EVENT = "carrier-report"
BY_TIME = "minutely"
ON_PURPOSE = "broken"
SCHEDULE = "every-minute"
ORIGINS = {BY_HAND: "manual", BY_EVENT: "trigger", BY_TIME: "schedule", ON_PURPOSE: "manual"}
"""An administrator's token belongs to a person, so a run started with it counts as started by hand."""
EXPECTED_END = {BY_HAND: "success", BY_EVENT: "success", BY_TIME: "success", ON_PURPOSE: "error"}
RESULT_TABLE = "out.c-nyc.weather_impact"
DATA_FOLDER = "nycflights"
DEFINITIONS = "orchestrator.yaml"
FETCHER = "fetch_data.py"


@dataclass(frozen=True)
class Example:
    """The folder of the example: its definitions and the program that fetches its data."""

    folder: Path

    @property
    def definitions(self) -> Path:
        return self.folder / DEFINITIONS

    @property
    def fetcher(self) -> Path:
        return self.folder / FETCHER


def find_example(named: Path | None) -> Example:
    """The given folder, or examples/nycflights here or in the checkout that this code runs from."""
    checkout = Path(__file__).resolve().parents[4]
    candidates = [named] if named else [Path("examples") / DATA_FOLDER, checkout / "examples" / DATA_FOLDER]
    for folder in candidates:
        if (folder / DEFINITIONS).is_file():
            return Example(folder)
    raise BadInput(
        f"{candidates[0]} has no {DEFINITIONS}: run this in a checkout, or pass the folder with --example"
    )
