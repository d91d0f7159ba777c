"""The page's files: vendored as locked, small, linked below the prefix, and without anything inline."""

import gzip
import hashlib
import re
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from orchestrator_api.http.prefix import Prefix, prefix_of
from orchestrator_api.web import pages
from orchestrator_api.web.addresses import OTHERS, PAGES
from orchestrator_api.web.environment import ENVIRONMENT
from orchestrator_api.web.orchestrations.filters import ListFilters
from orchestrator_api.web.static_files import FOLDER, StaticFiles
from orchestrator_api.web.statuses import STATUSES
from orchestrator_api.web.urls import Urls

ROOT = Path(__file__).parents[3]
LOCKED = {
    line.split("  ", 1)[1]: line.split("  ", 1)[0]
    for line in (ROOT / ".ci/vendor.lock").read_text().splitlines()
}
MOST_SCRIPT_BYTES = 60_000
TEMPLATES = sorted((FOLDER.parent / "templates").rglob("*.j2"))
SCRIPTS = sorted(FOLDER.rglob("*.js"))


def test_vendored_files_are_what_the_lock_says_and_nothing_else() -> None:
    files = {name: digest for name, digest in LOCKED.items() if "/" in name and "@" not in name}
    for name, digest in files.items():
        assert hashlib.sha256((ROOT / name).read_bytes()).hexdigest() == digest, name
    vendored = [*(FOLDER / "vendor").iterdir(), *(ROOT / "tests/support/vendor").iterdir()]
    assert {path.relative_to(ROOT).as_posix() for path in vendored} <= files.keys()
    assert "://" not in "".join(LOCKED), "a lock names no hosts"


def test_every_vendored_file_comes_with_a_licence() -> None:
    for folder in {(ROOT / name).parent for name in LOCKED if "/vendor/" in name}:
        licences = [path for path in folder.iterdir() if path.name.endswith(".licence.txt")]
        assert licences
        assert all(path.read_text().strip() for path in licences)


def test_all_scripts_together_are_small() -> None:
    sizes = {path.name: len(gzip.compress(path.read_bytes(), 9)) for path in SCRIPTS}
    assert sum(sizes.values()) <= MOST_SCRIPT_BYTES, sizes
    own = sum(size for path, size in zip(SCRIPTS, sizes.values(), strict=True) if path.parent.name == "js")
    assert own <= 16_000, sizes


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_templates_hold_nothing_that_the_policy_forbids(path: Path) -> None:
    text = path.read_text()
    assert not re.search(r"\sstyle=|<style|\son[a-z]+=|hx-on|javascript:|js:", text)
    assert not re.search(r"<script(?![^>]*\bsrc=)", text)
    assert not re.search(r"(?:href|src|action|hx-\w+)=\"/", text), "an address is made by url_for or static"
    for tag in re.findall(r"<(?!hx-partial|html|meta)\w+[^<]*\shx-(?:get|post|sse:connect)=.*?(?<!%)>", text):
        assert 'hx-nonce="{{ nonce }}"' in tag, f"htmx ignores what has no nonce: {tag[:80]}"


def test_every_icon_that_is_used_is_in_the_sprite() -> None:
    sprite = set(re.findall(r'<symbol id="([^"]+)"', (FOLDER / "icons.svg").read_text()))
    written = "".join(path.read_text() for path in TEMPLATES)
    used = set(re.findall(r'(?:icon|empty)\("([a-z0-9-]+)"', written))
    assert used
    assert used <= sprite
    assert {look.glyph for look in STATUSES.values()} - {"st-skipped"} <= sprite


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_templates_compile(path: Path) -> None:
    ENVIRONMENT.get_template(path.relative_to(FOLDER.parent / "templates").as_posix())


async def served(path: str, accepted: str = "gzip", files: StaticFiles = pages.STATIC) -> httpx.Response:
    app = Starlette(routes=[Route("/static/{version}/{path:path}", files.serve)])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api") as http:
        return await http.get(path, headers={"accept-encoding": accepted})


async def test_files_are_compressed_and_kept_for_as_long_as_their_address_stays() -> None:
    current = f"/static/{pages.STATIC.version}"
    style = await served(f"{current}/orchestrator.css")
    assert style.headers["content-encoding"] == "gzip"
    assert style.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert style.headers["content-type"].startswith("text/css")
    assert style.content == (FOLDER / "orchestrator.css").read_bytes()
    assert "content-encoding" not in (await served(f"{current}/orchestrator.css", "identity")).headers
    font = await served(f"{current}/vendor/inter-latin.woff2")
    assert (font.headers["content-type"], "content-encoding" in font.headers) == ("font/woff2", False)
    old = await served("/static/000000000000/js/live.js")
    assert (old.status_code, old.headers["cache-control"]) == (200, "public, max-age=60")
    for path in ("nothing.css", "..%2fpages.py", ""):
        assert (await served(f"{current}/{path}")).status_code == 404, path


def test_another_content_has_another_address(tmp_path: Path) -> None:
    (tmp_path / "a.css").write_text("a{}")
    first = StaticFiles(tmp_path).version
    assert StaticFiles(tmp_path).version == first
    (tmp_path / "a.css").write_text("b{}")
    assert StaticFiles(tmp_path).version != first


def test_addresses_are_made_from_names_and_quoted() -> None:
    urls = Urls({each.name: each.path for each in PAGES} | OTHERS, "/orchestrator")
    assert urls("home") == "/orchestrator/"
    asked = {"q": "a&b ", "after": "", "enabled": None, "sort": "-name"}
    expected = "/orchestrator/projects/a%2Fb/orchestrations?q=a%26b+&sort=-name"
    assert urls("orchestrations", project="a/b", query=asked) == expected
    with pytest.raises(KeyError):
        urls("nothing")


@pytest.mark.parametrize(
    ("public_url", "prefix"),
    [(None, ""), ("https://a.example", ""), ("https://a.example/", ""), ("http://a.example/x/y/", "/x/y")],
)
def test_the_prefix_is_the_path_of_the_public_url(public_url: str | None, prefix: str) -> None:
    assert prefix_of(public_url) == prefix


@pytest.mark.parametrize("path", ["/here", "/x/here"])
async def test_a_proxy_may_remove_the_prefix_or_leave_it(path: str) -> None:
    seen: list[tuple[str, str]] = []

    async def app(scope: dict[str, str], _receive: object, _send: object) -> None:
        seen.append((scope["root_path"], scope["path"]))

    await Prefix(app, "/x")({"type": "http", "path": path, "root_path": ""}, None, None)  # type: ignore[arg-type]
    assert seen == [("/x", "/x/here")]


def test_filters_are_what_the_url_says_and_nothing_it_may_not_say() -> None:
    read = ListFilters.read(
        {"q": " sales ", "enabled": "no", "sort": "-name", "page_size": "20", "after": "x"}
    )
    assert (read.q, read.is_enabled, read.sort, read.page_size, read.after) == (
        "sales",
        False,
        "-name",
        20,
        "x",
    )
    assert read.query(enabled="") == {"q": "sales", "sort": "-name", "page_size": 20}
    assert read.only(status="failed") == {"q": "sales", "status": "failed", "sort": "-name", "page_size": 20}
    wrong = ListFilters.read(
        {"enabled": "maybe", "status": "x", "starts": "x", "sort": "drop table", "page_size": "1e9"}
    )
    assert wrong == ListFilters()
    assert wrong.query() == {}
