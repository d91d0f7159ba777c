"""Components and configurations as in the demo, for the pages about them."""

from pathlib import Path
from typing import Any

import yaml
from tests.integration.web.conftest import Visit

ROOT = Path(__file__).parents[3]
DEFINITIONS = ROOT / "components/src/orchestrator_components/definitions"
STATEMENTS = [
    'DROP TABLE IF EXISTS "out.c-campaigns".recipient',
    """CREATE TABLE "out.c-campaigns".recipient AS
SELECT r.email, r.first_name, c.campaign_id, p.score
FROM "in.c-email".recipient_index r
JOIN "out.c-campaigns".performance p USING (segment)
JOIN "in.c-adform".campaigns c USING (campaign_id)
WHERE r.opt_in AND c.ended_at IS NULL""",
    'CREATE INDEX ON "out.c-campaigns".recipient (email)',
]
RECIPIENT: dict[str, Any] = {
    "#connection": "postgresql://jana:hunter2@warehouse:5432/shop",
    "output_tables": ["out.c-campaigns.recipient"],
    "statements": STATEMENTS,
}
ORDERS: dict[str, Any] = {
    "source": "/exports/orders.csv",
    "table": "in.c-sales.orders",
    "columns": {"id": "bigint", "ordered_at": "timestamp", "price": "numeric"},
    "null_values": ["", "NA"],
    "#connection": "{{ vars.warehouse }}",
}
PATH = "configurations/sql-transformation/campaign-recipient"


async def registered(visit: Visit) -> None:
    """The built-in components."""
    for each in sorted(DEFINITIONS.glob("*.yaml")):
        document = yaml.safe_load(each.read_text())
        await visit.client.put(f"/v1/components/{document['component']}", document)


async def configured(visit: Visit) -> None:
    """Some configurations, and an orchestration that runs one of them."""
    await registered(visit)
    orders = {"name": "Orders of the shop", "parameters": ORDERS, "note": "Read the nightly export"}
    await visit.client.put("configurations/csv-extractor/orders", orders)
    for parameters, note in (
        ({**RECIPIENT, "statements": STATEMENTS[:2]}, "First version"),
        (RECIPIENT, "Index the addresses, Mailchimp asks by them"),
    ):
        body = {"name": "Campaign recipient", "parameters": parameters, "note": note}
        body["description"] = "Who gets the next mail of each campaign"
        await visit.client.put(PATH, body)
    written = {"path": "/exports/recipients.csv", "table": "out.c-campaigns.recipient"}
    written["connection"] = "postgresql://warehouse/shop"
    report = {"name": "Recipients for Mailchimp", "parameters": written}
    await visit.client.put("configurations/csv-writer/recipients", report)
    tasks = [{"component": "sql-transformation", "configuration": "campaign-recipient"}]
    made: dict[str, Any] = {"name": "campaigns", "phases": [{"name": "Transform", "tasks": tasks}]}
    await visit.client.put("orchestrations/campaigns", made)


async def job(visit: Visit, number: int, status: str, **more: Any) -> Any:
    """One of the transformation."""
    own = {"component": "sql-transformation", "kind": "component", "requested_by": "Jana Nováková"}
    return await visit.runner.job("campaign-recipient", number, status, **own, **more)
