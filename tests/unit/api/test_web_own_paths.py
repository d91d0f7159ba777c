"""After signing in, no one is sent to another site."""

from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator_api.web.own_paths import HOME, own_path


@pytest.mark.parametrize("path", ["/", "/cli-login?state=a&port=1", "/docs#runs", "/a%20b", "/x//y"])
def test_own_paths_are_kept(path: str) -> None:
    assert own_path(path) == path


@pytest.mark.parametrize(
    "path",
    [
        None,
        "",
        "x",
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        " //evil.example",
        "/a\\b",
        "javascript:alert(1)",
        "/ä",
        "/a b",
        "/x\r\nset-cookie: a=b",
        "/" + "x" * 2000,
    ],
)
def test_everything_else_leads_home(path: str | None) -> None:
    assert own_path(path) == HOME


def test_below_a_prefix_other_programs_of_the_host_are_not_ours() -> None:
    assert own_path("/x/docs", "/x") == "/x/docs"
    for path in ("/", "/docs", "/xy/docs", "/x", "//evil.example", None):
        assert own_path(path, "/x") == "/x/"


@given(st.text(st.sampled_from("/\\.:@?#a \t\n%"), max_size=12))
def test_what_is_kept_stays_on_this_host(text: str) -> None:
    joined = urlsplit(urljoin("https://own.example/sign-in", own_path(text)))
    assert (joined.scheme, joined.netloc) == ("https", "own.example")
