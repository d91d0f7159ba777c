"""Links that set a password: mailed or shown, used once, and telling nothing of accounts."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import aio_pika
import httpx
import pytest
from tests.integration.api.conftest import Client, RunningApi, running, said
from tests.integration.api.people import PASSWORD, person_with_password, sign_in, signed_in
from tests.support.brokers import BrokerVhost
from tests.support.databases import Database
from tests.support.stack_settings import LINK_KEY

from orchestrator_api.people import first_link, links
from orchestrator_api.settings import ApiSettings
from orchestrator_shared.contracts.events import PersonMailRequested
from orchestrator_shared.contracts.routing import Queue
from orchestrator_shared.domain.errors import Conflict
from orchestrator_shared.domain.link_purposes import LinkPurpose
from orchestrator_shared.links import sign_link
from orchestrator_shared.messaging.topology import declare
from orchestrator_shared.settings import parse_keys

ADA = "ada@example.com"
NEW = {"password": "another good password", "name": "Ada"}


@pytest.fixture
async def browser(api: RunningApi) -> AsyncIterator[httpx.AsyncClient]:
    async with api.http(None) as http:
        yield http


@pytest.fixture
async def mails(broker: BrokerVhost) -> AsyncIterator[Queue]:
    """What the notifier would hear."""
    queue = Queue("heard-mails", (PersonMailRequested,))
    connection = await aio_pika.connect(broker.url, timeout=30)
    async with connection:
        channel = await connection.channel()
        declared = (await declare(channel, queue))[queue.name]
        yield queue
        await declared.delete(if_empty=False, if_unused=False)


async def shown_link(admin: Client, email: str = ADA, **more: Any) -> str:
    made = await admin.post("/v1/people?show_link=true", {"email": email, **more}, status=201)
    path = str(made["link"])
    assert path.startswith("/links/")
    return f"/v1{path}"


async def test_an_invited_person_chooses_a_password_once(
    admin: Client, browser: httpx.AsyncClient, database: Database
) -> None:
    path = await shown_link(admin)
    assert (await browser.get(path)).json()["email"] == ADA
    seen = await browser.get(path)
    assert (seen.json()["purpose"], seen.headers["cache-control"]) == ("invite", "no-store")
    assert (await browser.post(path, json={"password": "short"})).status_code == 422
    used = await browser.post(path, json=NEW)
    assert (used.status_code, used.json()["email"]) == (200, ADA)
    for again in (await browser.post(path, json=NEW), await browser.get(path)):
        assert again.status_code == 404
        assert "used" in again.json()["detail"]
    assert (await sign_in(browser, ADA, NEW["password"])).json()["person"]["name"] == "Ada"
    await admin.post("/v1/people", {"email": ADA}, status=409)
    everything = await database.fetch(
        "SELECT (SELECT json_agg(l)::text FROM catalog.person_links l)"
        " || (SELECT json_agg(a)::text FROM catalog.audit a) AS text"
    )
    assert path.removeprefix("/v1/links/") not in everything[0]["text"]


async def test_of_two_uses_at_once_one_succeeds(
    admin: Client, browser: httpx.AsyncClient, database: Database
) -> None:
    path = await shown_link(admin)
    passwords = ["first of the two", "second of the two"]
    answers = await asyncio.gather(*(browser.post(path, json={"password": text}) for text in passwords))
    assert sorted(answer.status_code for answer in answers) == [200, 404]
    winner = passwords[[answer.status_code for answer in answers].index(200)]
    assert (await sign_in(browser, ADA, winner)).status_code == 201


async def test_a_link_that_is_used_ends_all_others_and_all_sessions(
    api: RunningApi, admin: Client, browser: httpx.AsyncClient, database: Database
) -> None:
    person = await person_with_password(admin, database, ADA, role="viewer")
    links = [
        str((await admin.post(f"/v1/people/{person}/reset?show_link=true", status=201))["link"])
        for _ in range(2)
    ]
    async with signed_in(api, ADA) as signed:
        assert (await browser.post(f"/v1{links[0]}", json=NEW)).status_code == 200
        assert (await signed.http.get("/v1/me")).status_code == 401
    assert (await browser.post(f"/v1{links[1]}", json=NEW)).status_code == 404
    assert (await sign_in(browser, ADA, PASSWORD)).status_code == 401


async def test_wrong_links_are_all_alike(
    admin: Client, browser: httpx.AsyncClient, database: Database
) -> None:
    """Expired, of another purpose, signed with another key, of a disabled account, of no one."""
    path = await shown_link(admin)
    browser.headers["X-Request-Id"] = "always-the-same"
    row = (await database.fetch("SELECT id, person_id, expires_at FROM catalog.person_links"))[0]
    (key,) = parse_keys(LINK_KEY)
    ghost = UUID(int=0)
    texts = [
        "x",
        sign_link(bytes(32), row["id"], LinkPurpose.INVITE, row["expires_at"]),
        sign_link(key, row["id"], LinkPurpose.RESET, row["expires_at"]),
        sign_link(key, row["id"], LinkPurpose.INVITE, datetime(2020, 1, 1, tzinfo=UTC)),
        sign_link(key, ghost, LinkPurpose.INVITE, row["expires_at"]),
    ]
    assert f"/v1/links/{sign_link(key, row['id'], LinkPurpose.INVITE, row['expires_at'])}" == path
    answers = {(await browser.post(f"/v1/links/{text}", json=NEW)).text for text in texts}
    await admin.call("PATCH", f"/v1/people/{row['person_id']}", {"disabled": True})
    answers.add((await browser.post(path, json=NEW)).text)
    assert len(answers) == 1
    await admin.post(f"/v1/people/{row['person_id']}/reset", status=409)


async def test_the_notifier_hears_ids_only(
    admin: Client, browser: httpx.AsyncClient, broker: BrokerVhost, mails: Queue, database: Database
) -> None:
    member = await admin.post("members", {"email": ADA, "role": "viewer"}, status=201)
    person = member["person_id"]
    answers = [
        await browser.post("/v1/password-resets", json={"email": email})
        for email in (ADA.upper(), ADA, "ghost@example.com")
    ]
    assert [(answer.status_code, answer.content) for answer in answers] == [(202, b"")] * 3
    heard = [envelope["data"] for envelope in await said(broker, mails.name, 2)]
    assert [(data["purpose"], data["person_id"]) for data in heard] == [("invite", person), ("reset", person)]
    assert ADA not in json.dumps(heard)
    rows = await database.fetch(
        "SELECT id, purpose, project, expires_at - created_at < interval '1 hour' AS is_short"
        " FROM catalog.person_links WHERE mail_requested_at IS NOT NULL ORDER BY created_at"
    )
    assert [str(row["id"]) for row in rows] == [data["link_id"] for data in heard]
    assert [(row["purpose"], row["project"], row["is_short"]) for row in rows] == [
        ("invite", "demo", False), ("reset", None, True),
    ]  # fmt: skip


async def test_someone_with_a_password_is_not_invited_by_mail(admin: Client, database: Database) -> None:
    await person_with_password(admin, database, ADA, role="viewer")
    before = await database.fetch("SELECT FROM catalog.person_links")
    await admin.post("/v1/projects", {"id": "other"}, status=201)
    await Client(admin.http, "other").post("members", {"email": ADA, "role": "viewer"}, status=201)
    assert await database.fetch("SELECT FROM catalog.person_links") == before


async def test_a_person_is_mailed_a_few_links_an_hour(
    api: RunningApi, admin: Client, browser: httpx.AsyncClient, database: Database, mails: Queue,
    broker: BrokerVhost,
) -> None:  # fmt: skip
    """Whoever asks: an instance administrator, at the same time too, admins of projects, anyone."""
    answers = await asyncio.gather(
        *(admin.http.post("/v1/people", json={"email": ADA}) for _ in range(links.MAILS_AN_HOUR + 2))
    )
    assert sorted(answer.status_code for answer in answers) == [201] * links.MAILS_AN_HOUR + [429] * 2
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert "show_link" in refused.json()["detail"]
    assert 3500 < int(refused.headers["retry-after"]) <= 3600
    await admin.post("members", {"email": ADA, "role": "viewer"}, status=201)
    assert (await browser.post("/v1/password-resets", json={"email": ADA})).status_code == 202
    mailed = "SELECT count(*) FROM catalog.person_links WHERE mail_requested_at IS NOT NULL"
    assert await database.fetchval(mailed) == links.MAILS_AN_HOUR
    assert len(await said(broker, mails.name, links.MAILS_AN_HOUR)) == links.MAILS_AN_HOUR
    await shown_link(admin)
    await database.execute(
        "UPDATE catalog.person_links SET mail_requested_at = mail_requested_at - interval '1 hour'"
        " WHERE id = (SELECT id FROM catalog.person_links ORDER BY mail_requested_at LIMIT 1)"
    )
    await admin.post("/v1/people", {"email": ADA}, status=201)
    await admin.post("/v1/people", {"email": ADA}, status=429)


async def test_a_new_password_opens_a_closed_account(
    admin: Client, browser: httpx.AsyncClient, database: Database
) -> None:
    person = await person_with_password(admin, database, ADA, role="viewer")
    for _ in range(5):
        await sign_in(browser, ADA, "not the right one")
    assert (await sign_in(browser, ADA)).status_code == 429
    link = (await admin.post(f"/v1/people/{person}/reset?show_link=true", status=201))["link"]
    assert (await browser.post(f"/v1{link}", json=NEW)).status_code == 200
    assert (await sign_in(browser, ADA, NEW["password"])).status_code == 201


async def test_an_administrator_invites_another(admin: Client, browser: httpx.AsyncClient) -> None:
    path = await shown_link(admin, is_administrator=True)
    await browser.post(path, json=NEW)
    await sign_in(browser, ADA, NEW["password"])
    assert (await browser.get("/v1/people")).status_code == 200


async def test_the_first_administrator_gets_a_link_once(settings: ApiSettings, database: Database) -> None:
    settings = settings.model_copy(update={"admin_email": None, "admin_token": None})
    given = first_link.FirstLinkSettings(
        database_url=settings.database_url, link_key=LINK_KEY, public_url="https://o.example.com/"
    )

    async def made() -> str:
        return await first_link.connected(given, ADA)

    async with running(settings) as api, api.http(None) as browser:
        links = [await made(), await made()]  # the first one was lost
        assert links[0].startswith("https://o.example.com/links/")
        path = "/v1" + links[1].removeprefix("https://o.example.com")
        assert (await browser.post(path, json=NEW)).status_code == 200
        await sign_in(browser, ADA, NEW["password"])
        assert (await browser.get("/v1/me")).json()["person"]["is_administrator"]
        with pytest.raises(Conflict, match="there is an administrator already"):
            await made()


async def test_a_token_of_an_administrator_is_a_way_in_too(api: RunningApi, settings: ApiSettings) -> None:
    given = first_link.FirstLinkSettings(database_url=settings.database_url, link_key=LINK_KEY)
    with pytest.raises(Conflict):
        await first_link.connected(given, ADA)
