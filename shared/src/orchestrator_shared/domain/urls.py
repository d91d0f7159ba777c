"""URLs with passwords: refused where parsers would cut them differently, without quoting them."""

import re
from urllib.parse import unquote

PERCENT_ENCODE = (
    "the password must be percent-encoded: "
    "write %40 for @, %2F for /, %3F for ?, %23 for #, %5B for [ and %5D for ]"
)
_HOST = r"(?:\[[0-9A-Fa-f:.]+(?:%[^\]]*)?\]|[^\[\]:@]*)(?::\d*)?"
_HOSTS = re.compile(rf"{_HOST}(?:,{_HOST})*")
_QUERY = re.compile(r"[^=&#]+=[^&#]*(?:&[^=&#]+=[^&#]*)*")


def require_unambiguous(url: str, *, example: str) -> None:
    """Raise ValueError unless every reader finds the same password in this URL, and nothing of it elsewhere.

    Parsers quote what they take for a host, a port or a query: it may be the rest of a password.
    """
    _, _, rest = url.partition("://")
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    user, at, hosts = authority.rpartition("@")
    if rest.count("@") != len(at) or re.search(r"[\[\]]", user):
        raise ValueError(PERCENT_ENCODE)
    if not url.isprintable() or " " in url.strip():
        raise ValueError("must not hold blanks or control characters: percent-encode them")
    if not _HOSTS.fullmatch(hosts):
        raise ValueError(f"the host and port cannot be read; expected a URL such as {example}")
    query = rest.partition("#")[0].partition("?")[2]
    if query and not _QUERY.fullmatch(query):
        raise ValueError("what follows the ? must be name=value pairs joined by &")


def without_password(text: str, url: str) -> str:
    """The text without the URL's password, as it is written there and as it is sent."""
    authority = re.split(r"[/?#]", url.partition("://")[2], maxsplit=1)[0]
    password = authority.rpartition("@")[0].partition(":")[2]
    for form in sorted({password, unquote(password)} - {""}, key=len, reverse=True):
        text = text.replace(form, "***")
    return text
