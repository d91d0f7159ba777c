"""The data of the pictures: as that of the demo, with runs that ended in every way."""

from datetime import timedelta

from tests.integration.web.conftest import Visit

DESCRIPTIONS = {
    "broken": "Has a misspelled column, so that there is an error to report",
    "campaigns": "Refresh campaign reporting, then tell Mailchimp about new recipients",
    "carrier-report": "Which airline copes best with bad weather",
    "crm-sync": "Contacts and deals from the CRM",
    "flights": "Load the flights and the weather of 2013, then find what makes them late",
    "legacy-export": "Old file drop for the agency, until January",
    "minutely": "Note every full minute, and how late it was noted",
    "nightly-sales": "Orders, returns and margins for the morning meeting",
    "shop": "Sales figures for the morning, and a file for the warehouse team",
}
SCHEDULES = {
    "campaigns": {"cron": "30 5 * * 1-5", "timezone": "Europe/Prague"},
    "crm-sync": {"every_seconds": 2700},
    "legacy-export": {"cron": "0 23 * * *"},
    "minutely": {"cron": "* * * * *"},
    "nightly-sales": {"cron": "0 2 * * *", "timezone": "Europe/Prague"},
    "shop": {"cron": "15 6 * * 1-6", "timezone": "Europe/Prague"},
}
TABLES = {"campaigns": ["in.c-crm.contacts", "in.c-adform.campaigns"], "carrier-report": ["out.c-nyc.delays"]}
LABELS = {
    "flights demo": ("broken", "carrier-report", "flights", "minutely"),
    "marketing": ("campaigns", "legacy-export"),
    "shop": ("nightly-sales", "shop"),
}
LAST = {
    "broken": "error",
    "campaigns": "error",
    "crm-sync": "waiting",
    "flights": "processing",
    "legacy-export": "terminated",
    "nightly-sales": "processing",
    "shop": "warning",
}


async def demo(visit: Visit) -> None:
    """Orchestrations as in the demo and a shop, with the runs of some weeks."""
    for place, (name, text) in enumerate(DESCRIPTIONS.items()):
        labels = [label for label, names in LABELS.items() if name in names]
        more = {"labels": labels, "enabled": name != "legacy-export"}
        await visit.orchestration(name, description=text, **more)
        if name in SCHEDULES:
            await visit.client.put(f"orchestrations/{name}/schedules/main", SCHEDULES[name], status=201)
        if name in TABLES:
            body = {"tables": TABLES[name], "cool_down_seconds": 3000}
            await visit.client.put(f"orchestrations/{name}/triggers/main", body, status=201)
        count = 7 if name == "broken" else 20
        for number in range(1, count + 1):
            status = LAST.get(name, "success") if number == count else "success"
            status = "error" if name == "broken" or number + place == 14 else status
            status = "warning" if number + 2 * place == 21 else status
            took = 45 * (1 + place) * (1 + (number * 7 + place * 3) % 5 / 5)
            ago = timedelta(hours=(count - number) * 22, minutes=7 * place + 1)
            await visit.ran(name, number, status, ago=ago, took=took)
