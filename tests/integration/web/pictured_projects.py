"""Opens the pages of a project and of the installation for their pictures."""

from playwright.async_api import expect
from tests.integration.web.conftest import Visit


async def trash(visit: Visit) -> None:
    await visit.client.delete("orchestrations/legacy-export")
    await visit.client.put("configurations/demo-extractor/old", {"parameters": {"rows": 1}})
    await visit.client.delete("configurations/demo-extractor/old")
    await visit.open("trash")


async def trashed(visit: Visit) -> None:
    await visit.open("orchestrations/legacy-export")


TOKENS: tuple[dict[str, object], ...] = (
    {
        "name": "start-button",
        "description": "The button on the wall of the sales team",
        "scopes": ["run"],
        "components": ["orchestrator/campaigns", "orchestrator/nightly-sales"],
        "expires_at": "2027-06-30T00:00:00Z",
    },
    {"name": "erp-loader", "scopes": ["publish"], "buckets": ["in.c-erp", "in.c-crm"]},
    {
        "name": "deploy",
        "description": "CI applies the files in git",
        "scopes": ["configure", "run"],
        "components": ["*"],
    },
    {"name": "dashboard", "scopes": ["read"], "expires_at": "2026-12-24T00:00:00Z"},
)


async def tokens(visit: Visit) -> None:
    for each in TOKENS if not (await visit.client.get("tokens?kind=api"))["items"] else ():
        await visit.client.post("tokens", each, status=201)
    await visit.open("tokens")


async def new_token(visit: Visit) -> None:
    await visit.open("tokens")
    await visit.page.get_by_role("link", name="New token…").first.click()
    dialog = visit.page.get_by_role("dialog")
    await dialog.get_by_label("Name").fill("start-button")
    await dialog.get_by_label("campaigns").check()


async def revoke_token(visit: Visit) -> None:
    await visit.open("tokens")
    await visit.page.get_by_role("link", name="Revoke start-button…").click()
    await expect(visit.page.get_by_role("dialog")).to_be_visible()


async def secret_of_token(visit: Visit) -> None:
    await visit.open("tokens")
    await visit.page.get_by_role("link", name="Refresh start-button…").click()
    await visit.page.get_by_role("button", name="Refresh start-button").click()
    await expect(visit.page.get_by_label("Secret")).to_be_visible()


MEMBERS = (
    ("tomas.riha@example.com", "Tomáš Říha", "admin", False),
    ("eva@example.com", "Eva Malá", "editor", False),
    ("on.call@example.com", "On call", "viewer", True),
    ("auditor@example.com", "auditor@example.com", "viewer", False),
)


async def members(visit: Visit) -> None:
    there = [each["email"] for each in (await visit.client.get("members"))["items"]]
    for email, name, role, may_run in MEMBERS:
        if email not in there:
            body = {"email": email, "name": name, "role": role, "may_run": may_run}
            await visit.client.post("members", body, status=201)
    await visit.open("members")


async def invite(visit: Visit) -> None:
    await visit.open("members")
    await visit.page.get_by_role("link", name="Invite…").click()
    await expect(visit.page.get_by_role("dialog")).to_be_visible()


VARIABLES = {
    "export_url": ("https://exports.example.com/shop", False),
    "mailchimp_key": ("3f2a9c1b07de", True),
    "region": ("eu-central-1", False),
    "report_columns": (
        "order_id, customer, amount, currency, created_at, shipped_at, carrier, warehouse",
        False,
    ),
}


async def variables(visit: Visit) -> None:
    for name, (value, secret) in VARIABLES.items():
        await visit.client.put(f"variables/{name}", {"value": value, "secret": secret})
    body = {"parameters": {"rows": 1, "#password": "{{ vars.mailchimp_key }}"}}
    await visit.client.put("configurations/demo-extractor/mailchimp", body)
    await visit.open("variables")


async def variable(visit: Visit) -> None:
    await visit.open("variables")
    await visit.page.get_by_role("link", name="mailchimp_key", exact=True).click()
    await expect(visit.page.get_by_role("dialog")).to_be_visible()


async def audit(visit: Visit) -> None:
    body = {"parameters": {"rows": 250, "#password": "{{ vars.mailchimp_key }}"}}
    await visit.client.put("configurations/demo-extractor/mailchimp", body)
    await visit.open("audit?action=configuration.changed")
    await visit.page.locator("li[id^=audit-] summary").first.click()


async def settings(visit: Visit) -> None:
    await visit.open("settings")


async def as_administrator(visit: Visit) -> None:
    """The visitor, from now on."""
    await visit.site.database.execute(
        "UPDATE catalog.people SET is_administrator = true WHERE id = (SELECT person_id "
        "FROM catalog.members JOIN catalog.people ON id = person_id WHERE project = $1 "
        "ORDER BY password_hash IS NULL LIMIT 1)",
        visit.project,
    )


async def people(visit: Visit) -> None:
    await as_administrator(visit)
    await visit.open("/people")


async def all_projects(visit: Visit) -> None:
    await visit.open("/all-projects")


async def instance_audit(visit: Visit) -> None:
    await visit.open("/audit")
