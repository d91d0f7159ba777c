"""How a person wants to see the pages is kept in cookies, which hold nothing that a stranger has written."""

import pytest
from starlette.responses import Response

from orchestrator_api.web import viewer


@pytest.mark.parametrize(
    "theme", ["", "žlutá", "dark\r\nset-cookie: a=b", "dark; Domain=example.com", "x" * 9999]
)
def test_only_a_known_theme_is_kept(theme: str) -> None:
    response = Response()
    viewer.keep_theme(response, theme)
    (cookie,) = response.headers.getlist("set-cookie")
    assert cookie == 'orchestrator_theme=""; HttpOnly; Max-Age=0; Path=/; SameSite=lax'
