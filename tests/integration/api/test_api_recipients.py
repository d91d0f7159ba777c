"""Who will be notified of a run, asked over HTTP; and the hint at the first schedule."""

from typing import Any

from tests.integration.api.conftest import Client, RunningApi
from tests.integration.api.test_api_jobs import Runner
from tests.support.databases import Database

PATH = "orchestrations/daily/notifications/recipients"


def told(found: dict[str, Any]) -> dict[str, list[str]]:
    return {
        each["event"]: [one["address"] for one in each["recipients"]]
        for each in found["events"]
        if each["recipients"]
    }


async def test_who_hears_of_a_run(api: RunningApi, furnished: Client) -> None:
    subscriptions = [
        {"event": "error", "address": "team@example.com"},
        {"event": "success", "address": "boss@example.com"},
    ]
    await furnished.put("orchestrations/daily/notifications", {"subscriptions": subscriptions})
    own = await furnished.get(PATH)
    assert own["origin"] == "manual", "a person would start it by hand"
    assert set(told(own)) == {"error", "warning", "success", "terminated", "cancelled"}
    assert set(map(tuple, told(own).values())) == {("admin@example.com",)}
    unattended = await furnished.get(f"{PATH}?origin=unattended")
    assert told(unattended) == {"error": ["team@example.com"], "success": ["boss@example.com"]}
    made = await furnished.post("tokens", {"name": "ci", "scopes": ["read"]}, status=201)
    async with api.http(made["token"]) as http:
        client = Client(http)
        assert await client.get(PATH) == unattended, "a token without a person"
        assert told(await client.get(f"{PATH}?origin=manual")) == {}
    await furnished.get("orchestrations/ghost/notifications/recipients", status=404)
    await furnished.get(f"{PATH}?origin=x", status=422)


async def test_the_first_schedule_of_what_never_ran(furnished: Client, database: Database) -> None:
    path, times = "orchestrations/daily/schedules", {"cron": "30 5 * * *"}
    first = await furnished.put(f"{path}/first", times, status=201)
    assert first["hint"].startswith("no run of this orchestration has finished yet: run it by hand first")
    assert (await furnished.get(f"{path}/first"))["hint"] is None
    assert (await furnished.put(f"{path}/first", {"cron": "0 6 * * *"}))["hint"] is None
    assert (await furnished.put(f"{path}/second", times, status=201))["hint"] is None
    for name in ("first", "second"):
        await furnished.delete(f"{path}/{name}")
    runner = Runner(database)
    await runner.connect()
    await runner.job("daily", 1, "cancelled", component="orchestrator", started_at=None, attempt=0)
    assert (await furnished.put(f"{path}/first", times, status=201))["hint"] is not None
    await furnished.delete(f"{path}/first")
    await runner.job("daily", 2, "error", component="orchestrator")
    assert (await furnished.put(f"{path}/first", times, status=201))["hint"] is None


async def test_a_test_mail_goes_to_a_subscribed_address_ten_times_an_hour(furnished: Client) -> None:
    base = "orchestrations/daily/notifications"
    subscriptions = [{"event": "error", "address": "team@example.com"}]
    await furnished.put(base, {"subscriptions": subscriptions})
    refused = await furnished.post(f"{base}/test-deliveries", {"address": "x@example.com"}, status=422)
    assert refused["errors"][0]["field"] == "address"
    wish = {"address": "team@example.com"}
    made = [await furnished.post(f"{base}/test-deliveries", wish, status=202) for _ in range(10)]
    assert len({each["fact_key"] for each in made}) == 10
    (record, *_) = (await furnished.get("audit?action=notifications.tested"))["items"]
    assert (record["subject"], record["detail"]["address"]) == ("daily", "team@example.com")
    too_many = await furnished.post(f"{base}/test-deliveries", wish, status=429)
    assert too_many["detail"].startswith("10 test mails were sent in this project in the last hour")
    await furnished.post("orchestrations/ghost/notifications/test-deliveries", wish, status=404)
