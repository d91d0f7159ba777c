"""What holds on every page: signing in, prefix, theme, errors as pages, a stream that comes back."""

import httpx
import pytest
from playwright.async_api import expect
from tests.integration.api.conftest import running, settings_on
from tests.integration.api.people import PASSWORD
from tests.integration.web.conftest import Site, Visit, served, visiting
from tests.support.chromium import PHONE, Watch, axe, overflows
from tests.support.waiting import eventually

from orchestrator_api.notifications import service as notifications

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("browser")]


async def test_one_signs_in_and_lands_where_one_wanted_to_go(site: Site) -> None:
    async with visiting(site) as visit:
        email = (await visit.client.get("members"))["items"][-1]["email"]
        await visit.page.context.clear_cookies()
        page = await visit.open()
        await expect(page).to_have_title("Sign in · Orchestrator")
        assert await axe(page) == []
        await page.get_by_label("E-mail address").fill(email)
        await page.get_by_label("Password").fill("not the password")
        await page.get_by_role("button", name="Sign in").click()
        await expect(page.locator("#problem")).to_have_text("The address or the password is wrong.")
        assert await axe(page) == []
        await page.get_by_label("Password").fill(PASSWORD)
        await page.get_by_role("button", name="Sign in").click()
        await expect(page).to_have_title(f"Orchestrations · {visit.project}")
        await page.get_by_role("button", name="Jana Nováková").click()
        await page.get_by_role("button", name="Sign out").click()
        await expect(page).to_have_title("Sign in · Orchestrator")


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("/projects/{project}/nothing", 404, "there is no page at"),
        ("/projects/someone-elses/orchestrations", 404, "There is no project 'someone-elses'"),
    ],
)
async def test_what_is_not_there_is_said_on_a_page(visit: Visit, path: str, status: int, said: str) -> None:
    address = visit.site.url + path.format(project=visit.project)
    answer = await visit.page.goto(address)
    assert answer is not None
    assert answer.status == status
    await expect(visit.page.get_by_text(said, exact=False).first).to_be_visible()
    assert await axe(visit.page) == []
    await visit.page.set_viewport_size(PHONE)
    assert await overflows(visit.page) == []


async def test_a_lost_stream_comes_back_and_tells_what_was_missed(visit: Visit) -> None:
    await visit.orchestration("campaigns")
    job = await visit.ran("campaigns", 1, "processing")
    page = await visit.open()
    await expect(page.locator("#live")).to_have_text("Live")
    await eventually(lambda: page.evaluate("Boolean(document.querySelector('#stream')._htmx?.sse?.reader)"))
    await page.context.set_offline(True)
    await page.evaluate("document.querySelector('#stream')._htmx.sse?.reader?.cancel()")
    await expect(page.locator("#live")).to_contain_text("Connection lost")
    await visit.becomes(job, "error")
    await page.context.set_offline(False)
    await expect(page.locator("#live")).to_have_text("Live")
    await expect(page.locator("#row-campaigns")).to_contain_text("Error")


async def test_everything_works_below_a_path_prefix(site: Site) -> None:
    settings = settings_on(site.database, site.broker)
    async with visiting(site) as visit:
        await visit.orchestration("campaigns")
        prefixed = settings.model_copy(update={"public_url": "http://127.0.0.1/orchestrator"})
        async with running(prefixed) as api, served(api.app) as url:
            page = await visit.page.context.new_page()
            watch = Watch(url)
            await watch.over(page)
            await page.goto(f"{url}/orchestrator/projects/{visit.project}/orchestrations")
            await expect(page.locator("#live")).to_have_text("Live")
            for each in await page.locator("[href^='/'], [action^='/'], [hx-post], [src]").all():
                for name in ("href", "action", "hx-post", "src"):
                    address = await each.get_attribute(name)
                    assert address is None or address.startswith("/orchestrator/"), address
            await page.close()
            assert watch.faults == []


async def test_what_every_page_says_in_its_headers(site: Site) -> None:
    async with httpx.AsyncClient(base_url=site.url, timeout=30) as http:
        headers = (await http.get("/sign-in")).headers
    policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
    nonce = policy.pop("script-src").removeprefix("'self' ")
    assert nonce.startswith("'nonce-")
    assert policy == {
        "default-src": "'self'",
        "img-src": "'self' data:",
        "object-src": "'none'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
        "form-action": "'self'",
    }
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["cache-control"] == "no-store"


async def test_what_breaks_below_a_dialog_is_said_in_it(
    visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def breaks(*_given: object) -> None:
        raise RuntimeError("a fault of ours")

    await visit.orchestration("campaigns")
    page = await visit.open("orchestrations/campaigns/notifications")
    await page.get_by_role("link", name="Notify an address…").click()
    dialog = page.get_by_role("dialog", name="Notify an address")
    await dialog.get_by_label("E-mail address").fill("ops@example.com")
    with monkeypatch.context() as broken:
        broken.setattr(notifications, "replace", breaks)
        await dialog.get_by_role("button", name="Notify").click()
        await expect(dialog.get_by_role("alert")).to_contain_text("This failed on our side")
    await expect(dialog.get_by_label("E-mail address")).to_have_value("ops@example.com")
    await dialog.get_by_role("button", name="Notify").click()
    await expect(page.locator("#toasts")).to_contain_text("ops@example.com is notified of error.")
