"""A token that sends too many requests is told so, and others are not held up."""

from tests.integration.api.conftest import ADMIN_TOKEN, Client, running

from orchestrator_api.http.metrics import REQUESTS_LIMITED
from orchestrator_api.settings import ApiSettings


async def test_a_token_that_sends_too_many_requests_is_refused(settings: ApiSettings) -> None:
    slow = settings.model_copy(update={"requests_per_second": 1, "requests_burst": 20})
    before = REQUESTS_LIMITED._value.get()
    async with running(slow) as api, api.http(ADMIN_TOKEN) as admin, api.http("orc_wrong") as other:
        await Client(admin).post("/v1/projects", {"id": "demo"}, status=201)
        answers = [await admin.get("/v1/projects/ghost") for _ in range(40)]
        statuses = [answer.status_code for answer in answers]
        assert statuses[:10] == [404] * 10
        refused = next(answer for answer in answers if answer.status_code == 429)
        assert answers[0].headers["ratelimit-policy"] == '"token";q=20;w=20'
        assert answers[0].headers["ratelimit"] == '"token";r=18;t=0'
        assert refused.headers["ratelimit"] == '"token";r=0;t=1'
        assert refused.headers["retry-after"] == "1"
        assert refused.headers["content-type"] == "application/problem+json"
        assert "ORCHESTRATOR_REQUESTS_PER_SECOND" in refused.json()["detail"]
        assert refused.json()["request_id"] == refused.headers["x-request-id"]
        assert (await other.get("/v1/projects")).status_code == 401
        async with api.http(None) as nobody:
            anonymous = [await nobody.get("/v1/openapi.json") for _ in range(30)]
    assert {answer.status_code for answer in anonymous} == {200}
    assert "ratelimit" not in anonymous[0].headers
    assert REQUESTS_LIMITED._value.get() == before + statuses.count(429)
