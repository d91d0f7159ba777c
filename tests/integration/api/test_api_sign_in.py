"""People sign in with a password, and guessing it is slow."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from argon2 import PasswordHasher
from tests.integration.api.conftest import Client, RunningApi, running
from tests.integration.api.people import PASSWORD, person_with_password, sign_in, signed_in
from tests.support.databases import Database

from orchestrator_api.people.passwords import HASHER
from orchestrator_api.settings import ApiSettings

ADA = "ada@example.com"


@dataclass
class Work:
    """How often passwords were compared and hashed."""

    verified: int = 0
    hashed: int = 0


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Work:
    """Counts what the hasher of the api does; those of tests do not count."""
    work, verify, make = Work(), PasswordHasher.verify, PasswordHasher.hash

    def counted_verify(hasher: PasswordHasher, stored: str, password: bytes) -> bool:
        work.verified += hasher is HASHER
        return bool(verify(hasher, stored, password))

    def counted_hash(hasher: PasswordHasher, password: bytes) -> str:
        work.hashed += hasher is HASHER
        return str(make(hasher, password))

    monkeypatch.setattr(PasswordHasher, "verify", counted_verify)
    monkeypatch.setattr(PasswordHasher, "hash", counted_hash)
    return work


@pytest.fixture
async def browser(api: RunningApi) -> AsyncIterator[httpx.AsyncClient]:
    async with api.http(None) as http:
        yield http


@pytest.fixture
async def ada(admin: Client, database: Database) -> None:
    await person_with_password(admin, database, ADA, role="editor")


async def audited(database: Database, action: str) -> list[tuple[str, dict[str, Any]]]:
    rows = await database.fetch(
        "SELECT subject, detail ->> 'reason' AS reason, detail ->> 'address' AS address FROM catalog.audit"
        " WHERE project IS NULL AND action = $1 ORDER BY at",
        action,
    )
    return [(row["subject"], {"reason": row["reason"], "address": row["address"]}) for row in rows]


@pytest.mark.usefixtures("ada")
async def test_a_person_signs_in_and_out(browser: httpx.AsyncClient, database: Database) -> None:
    answer = await sign_in(browser, "ADA@example.com")
    assert answer.status_code == 201
    assert answer.json()["person"]["email"] == ADA
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("orchestrator_session=")
    assert cookie.endswith("; Path=/; Max-Age=1209600; HttpOnly; SameSite=Lax")
    secret = browser.cookies["orchestrator_session"]
    stored = await database.fetch("SELECT sessions::text AS row FROM catalog.sessions")
    assert len(stored) == 1
    assert secret not in stored[0]["row"]
    me = (await browser.get("/v1/me")).json()
    assert (me["person"]["email"], me["token"], me["memberships"][0]["role"]) == (ADA, None, "editor")
    current = (await browser.get("/v1/sessions/current")).json()
    assert current == answer.json()
    headers = {"Sec-Fetch-Site": "same-origin", "X-CSRF-Token": current["csrf_token"]}
    out = await browser.delete("/v1/sessions/current", headers=headers)
    assert (out.status_code, "Max-Age=0" in out.headers["set-cookie"]) == (204, True)
    browser.cookies.set("orchestrator_session", secret)
    assert (await browser.get("/v1/me")).status_code == 401
    assert [subject for subject, _ in await audited(database, "session.opened")] == [ADA]


@pytest.mark.usefixtures("ada")
async def test_over_https_the_cookie_is_for_https_only(settings: ApiSettings) -> None:
    settings = settings.model_copy(update={"public_url": "https://orchestrator.example.com"})
    async with running(settings) as api, api.http(None) as browser:
        cookie = (await sign_in(browser, ADA)).headers["set-cookie"]
        assert cookie.startswith("__Host-orchestrator_session=")
        assert cookie.endswith("; Path=/; Max-Age=1209600; HttpOnly; SameSite=Lax; Secure")


@pytest.mark.usefixtures("ada")
async def test_only_our_own_pages_change_anything(browser: httpx.AsyncClient) -> None:
    token = (await sign_in(browser, ADA)).json()["csrf_token"]
    path, body = "/v1/projects/demo/variables/limit", {"value": "1"}
    ours = {"Sec-Fetch-Site": "same-origin", "X-CSRF-Token": token}
    forged = [
        {},
        {"X-CSRF-Token": token},
        {"Sec-Fetch-Site": "same-origin"},
        {**ours, "X-CSRF-Token": "0" * 64},
        {**ours, "Sec-Fetch-Site": "cross-site"},
        {**ours, "Sec-Fetch-Site": "same-site"},
        {"X-CSRF-Token": token, "Origin": "http://evil.example"},
    ]
    for headers in forged:
        answer = await browser.put(path, json=body, headers=headers)
        assert answer.status_code == 403, headers
        assert "another site" in answer.json()["detail"]
    assert (await browser.get(path, headers={"Sec-Fetch-Site": "cross-site"})).status_code == 404
    assert (await browser.put(path, json=body, headers=ours)).status_code == 201
    by_origin = {"X-CSRF-Token": token, "Origin": "http://api", "If-Match": "*"}
    assert (await browser.put(path, json=body, headers=by_origin)).status_code == 200


@pytest.mark.usefixtures("ada")
async def test_another_site_signs_no_one_in(browser: httpx.AsyncClient) -> None:
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "http://evil.example"}):
        form = {"email": ADA, "password": PASSWORD}
        assert (await browser.post("/v1/sessions", json=form, headers=headers)).status_code == 403


@pytest.mark.usefixtures("ada")
async def test_a_token_is_preferred_to_a_cookie(api: RunningApi, admin: Client) -> None:
    async with signed_in(api, ADA) as browser:
        headers = {"Authorization": admin.http.headers["Authorization"]}
        assert (await browser.http.get("/v1/me", headers=headers)).json()["person"]["is_administrator"]


@pytest.mark.usefixtures("ada")
async def test_whatever_is_wrong_the_answer_and_the_work_are_the_same(
    browser: httpx.AsyncClient, work: Work, admin: Client, database: Database
) -> None:
    await admin.post("members", {"email": "invited@example.com", "role": "viewer"}, status=201)
    disabled = await person_with_password(admin, database, "disabled@example.com", role="viewer")
    await admin.call("PATCH", f"/v1/people/{disabled}", {"disabled": True})
    answers, done = set(), []
    for email in (ADA, "ghost@example.com", "invited@example.com", "disabled@example.com"):
        password = PASSWORD if email == "disabled@example.com" else "not the right one"
        before = (work.verified, work.hashed)
        answer = await sign_in(browser, email, password)
        body = {**answer.json(), "request_id": None}
        answers.add((answer.status_code, str(body), tuple(sorted(answer.headers.keys()))))
        done.append((work.verified - before[0], work.hashed - before[1]))
    assert len(answers) == 1
    assert done[:3] == [(1, 0)] * 3
    assert [detail["reason"] for _, detail in await audited(database, "sign_in.refused")] == [
        "wrong password", "no such account", "no password yet", "the account is disabled",
    ]  # fmt: skip
    refused = "SELECT DISTINCT address FROM catalog.audit WHERE action = 'sign_in.refused'"
    assert await database.fetchval(refused) == "127.0.0.1"


@pytest.mark.usefixtures("ada")
@pytest.mark.parametrize("email", [ADA, "ghost@example.com"])
async def test_an_account_is_closed_for_longer_after_each_wrong_password(
    browser: httpx.AsyncClient, work: Work, database: Database, email: str
) -> None:
    for _ in range(5):
        assert (await sign_in(browser, email, "not the right one")).status_code == 401
    closed = await sign_in(browser, email)
    assert (closed.status_code, closed.headers["retry-after"]) == (429, "1")
    assert work.verified == 5
    await open_again(database)
    assert (await sign_in(browser, email, "not the right one")).status_code == 401
    assert (await sign_in(browser, email)).headers["retry-after"] == "2"
    await open_again(database)
    assert (await sign_in(browser, email)).status_code == (201 if email == ADA else 401)
    rows = await database.fetch("SELECT failures FROM catalog.sign_in_attempts")
    assert [row["failures"] for row in rows] == ([] if email == ADA else [7])


async def open_again(database: Database) -> None:
    async with database.connection() as connection:
        await connection.execute("UPDATE catalog.sign_in_attempts SET next_at = clock_timestamp()")


@pytest.mark.usefixtures("ada")
async def test_guesses_at_the_same_moment_do_not_escape(browser: httpx.AsyncClient, work: Work) -> None:
    answers = await asyncio.gather(*(sign_in(browser, ADA, f"guess number {n}") for n in range(12)))
    assert sorted(answer.status_code for answer in answers) == [401] * 5 + [429] * 7
    assert work.verified == 5


@pytest.mark.usefixtures("ada")
async def test_one_address_may_be_wrong_so_often(settings: ApiSettings) -> None:
    settings = settings.model_copy(update={"wrong_tokens_per_minute": 3})
    async with running(settings) as api, api.http(None) as browser:
        assert (await sign_in(browser, ADA)).status_code == 201
        for n in range(3):
            assert (await sign_in(browser, f"ghost{n}@example.com")).status_code == 401
        refused = await sign_in(browser, "another@example.com")
        assert refused.status_code == 429
        assert "from your address" in refused.json()["detail"]
        assert (await sign_in(browser, ADA)).status_code == 201, "it has signed in from here"


@pytest.mark.usefixtures("ada")
async def test_a_cheap_hash_is_replaced_by_a_dear_one(
    browser: httpx.AsyncClient, work: Work, database: Database
) -> None:
    for rehashed in (1, 1):
        assert (await sign_in(browser, ADA)).status_code == 201
        assert work.hashed == rehashed
    rows = await database.fetch("SELECT password_hash FROM catalog.people WHERE email = $1", ADA)
    assert rows[0]["password_hash"].startswith("$argon2id$v=19$m=65536,t=3,p=1$")
