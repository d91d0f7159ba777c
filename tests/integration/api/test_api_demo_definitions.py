"""The flights demo through the API: what the page loads into an empty project."""

from tests.integration.api.conftest import Client

from orchestrator_local.stack.welcome import builtin_components


async def test_the_demo_is_applied_to_an_empty_project_like_any_definitions(admin: Client) -> None:
    for each in builtin_components():
        await admin.put(f"/v1/components/{each['component']}", each)
    await admin.post("/v1/projects", {"id": "first-steps"}, status=201)
    client = Client(admin.http, "first-steps")
    demo = await client.get("definitions/demo")
    variables = {"variables": {"#warehouse": "postgresql://u:p@127.0.0.1/w"}}
    applied = await client.post("definitions/apply", {"documents": [*demo["documents"], variables]})
    assert {each["action"] for each in applied["changes"]} == {"create"}
    assert applied["errors"] == []
    listed = await client.get("orchestrations")
    assert [each["id"] for each in listed["items"]] == ["broken", "carrier-report", "flights"]
    again = await client.post("definitions/plan", demo)
    assert {each["action"] for each in again["changes"]} == {"unchanged"}
