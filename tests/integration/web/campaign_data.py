"""The configurations of seed 004: what a campaign report loads, transforms and writes, and who reads what."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from tests.integration.web.conftest import Visit

PERFORMANCE = "out.c-campaigns.performance"
COMPONENTS: Mapping[str, Mapping[str, Any]] = {
    "adform": {"type": "extractor", "name": "Adform"},
    "snowflake": {"type": "extractor", "name": "Snowflake"},
    "sql-transformation": {
        "type": "transformation",
        "name": "SQL transformation",
        "reads": ["source"],
        "writes": ["target"],
    },
    "mailchimp": {"type": "writer", "name": "Mailchimp", "reads": ["source"]},
    "csv-writer": {"type": "writer", "name": "CSV writer"},
}
CONFIGURATIONS: Mapping[tuple[str, str], tuple[str, Mapping[str, Any], int]] = {
    ("adform", "campaigns"): ("Campaigns", {}, 221),
    ("snowflake", "email-recipient-index"): ("Email recipient index", {}, 108),
    ("sql-transformation", "campaign-performance"): ("Campaign performance", {"target": PERFORMANCE}, 122),
    ("sql-transformation", "campaign-recipient"): ("Campaign recipient", {"source": PERFORMANCE}, 41),
    ("mailchimp", "new-recipients"): ("New recipients", {}, 46),
    ("csv-writer", "agency-report"): ("Agency report", {}, 4),
}
"""Name, parameters, and how many seconds it usually takes."""


def task(component: str, configuration: str, **more: Any) -> dict[str, Any]:
    """One of them as a task."""
    name, _, _ = CONFIGURATIONS[component, configuration]
    return {"component": component, "configuration": configuration, "name": name, **more}


PHASES: Sequence[Mapping[str, Any]] = (
    {
        "name": "Extract",
        "tasks": [
            task("adform", "campaigns", continue_on_failure=True, attempts=3),
            task("snowflake", "email-recipient-index"),
        ],
    },
    {"name": "Transform", "tasks": [task("sql-transformation", "campaign-performance")]},
    {"name": "Second transformation", "tasks": [task("sql-transformation", "campaign-recipient")]},
    {"name": "Write", "tasks": [task("mailchimp", "new-recipients", timeout_seconds=1800)]},
)


async def campaigns(
    visit: Visit, phases: Sequence[Mapping[str, Any]] = PHASES, name: str = "campaigns"
) -> None:
    """The configurations, and an orchestration of them."""
    for component, document in COMPONENTS.items():
        body = {"command": ["{python}", "-m", "demo"], "parameters": {"type": "object"}, **document}
        await visit.client.put(f"/v1/components/{component}", body)
    for (component, configuration), (title, parameters, _) in CONFIGURATIONS.items():
        body = {"name": title, "parameters": parameters}
        await visit.client.put(f"configurations/{component}/{configuration}", body, status=201)
    await visit.client.put(f"orchestrations/{name}", {"phases": list(phases)}, status=201)


async def with_lengths(visit: Visit) -> None:
    """Five successful jobs of each, so that how long they usually take is known."""
    now: datetime = await visit.site.database.fetchval("SELECT clock_timestamp()")
    for (component, name), (_, _, seconds) in CONFIGURATIONS.items():
        for number in range(1, 6):
            ended = now - timedelta(hours=number)
            times = {"started_at": ended - timedelta(seconds=seconds), "finished_at": ended}
            await visit.runner.job(name, number, "success", component=component, **times)
