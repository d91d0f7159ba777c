"""What a browser is called by what it says of itself."""

import pytest

from orchestrator_api.web.account.browsers import browser_of

CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Safari/537.36"


@pytest.mark.parametrize(
    ("said", "called"),
    [
        (CHROME, "Chrome on Linux"),
        (CHROME.replace("X11; Linux x86_64", "Windows NT 10.0") + " Edg/120.0", "Edge on Windows"),
        ("Mozilla/5.0 (Android 14; Mobile; rv:121.0) Gecko/121.0 Firefox/121.0", "Firefox on Android"),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) Safari/604.1",
            "Safari on iPhone",
        ),
        ("python-httpx/0.27.0", "python-httpx"),
        ("", "Unknown browser"),
    ],
)
def test_a_browser_is_called_by_what_it_says(said: str, called: str) -> None:
    assert browser_of(said) == called
