"""The forms in which programs usually write a secret: escaped, quoted, percent-encoded, base64 or hex."""

import base64
import json
import re
from collections.abc import Iterator, Mapping
from itertools import chain
from urllib.parse import quote, unquote, unquote_plus

_SAFE_SETS = ("", "/", "!'()*", "!'()*;,/?:@&=+$#", "!$&'()*+,;=", "!$&'()*+,;=:@/?")
"""Characters left unescaped: by the RFC, Python, JavaScript's two functions, user information, paths."""
_URL_USER = re.compile(r"^\s*[A-Za-z][A-Za-z0-9+.-]*://(.*)", re.DOTALL)
_NAMED = re.compile(
    r"(?i)(?:pass\w*|pwd|secret|token|api_?key|access_?key|sig(?:nature)?)\s*=\s*"
    r"('[^']*'|\"[^\"]*\"|\{[^}]*\}|[^\s&;#'\"{]+)"
)
_TELLING_KEY = re.compile(r"(?i)pass|pwd|secret|token|key|credential")
_ANGLES = {"<": "&lt;", ">": "&gt;"}
_MIN_NAMED = 6
"""Excludes settings such as TOKEN_LIMIT=100, which are not secret."""
_MIN_ALIGNED = 6
"""Shorter secrets leave too few predictable base64 characters to tell them from other text."""


def inner_secrets(secret: str) -> Iterator[str]:
    """The parts that are secret on their own: passwords in URLs, in key=value pairs and in JSON documents."""
    for found in chain(_url_passwords(secret), _named_values(secret), _json_values(secret)):
        yield from (found, unquote(found), unquote_plus(found))


def secrets_of_environment(environment: Mapping[str, str]) -> set[str]:
    """Secrets that a component gets by name instead of as a parameter; no `#` marks them there."""
    telling = {value for name, value in environment.items() if _TELLING_KEY.search(name)}
    inner = {found for value in environment.values() for found in inner_secrets(value)}
    return {value for value in telling | inner if len(value) >= _MIN_NAMED}


def _url_passwords(secret: str) -> Iterator[str]:
    """The passwords of URLs, also together with the user name as in basic authentication.

    In a URL that is not quoted correctly, any `@` may end the password: which one depends on the driver.
    """
    match = _URL_USER.match(secret)
    if match is None:
        return
    rest = match[1]
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    for end in {rest.find("@"), authority.rfind("@"), rest.rfind("@")} - {-1}:
        _, colon, password = rest[:end].partition(":")
        if colon:
            yield from (password, rest[:end])


def _named_values(secret: str) -> Iterator[str]:
    for match in _NAMED.finditer(secret):
        quoted = match[1][0] in "'\"{"
        yield match[1][1:-1] if quoted else match[1]


def _json_values(secret: str) -> Iterator[str]:
    if not secret.lstrip().startswith(("{", "[")):
        return
    try:
        yield from _telling_values(json.loads(secret))
    except (ValueError, RecursionError):
        return


def _telling_values(value: object, *, telling: bool = False) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _telling_values(item, telling=bool(_TELLING_KEY.search(key)))
    elif isinstance(value, list):
        for item in value:
            yield from _telling_values(item, telling=telling)
    elif telling and isinstance(value, str | int) and not isinstance(value, bool):
        yield str(value)


def escaped(text: str) -> Iterator[str]:
    """The text as it appears in URLs, JSON, HTML, SQL, shells and Python literals."""
    yield text
    if text.isascii() and text.isalnum():
        return  # nothing in it needs escaping
    yield from _percent_encoded(text)
    yield from _json_escaped(text)
    yield from (repr(text)[1:-1], ascii(text)[1:-1], repr(text.encode(errors="surrogatepass"))[2:-1])
    yield from _in_pages(text)
    quoted = text.replace("'", "''")
    yield from (quoted, text.replace("'", "'\\''"), text.replace("'", "'\"'\"'"))
    yield from (quoted.replace("\\", "\\\\"), text.replace('"', '""'))  # SQL's E'…', and CSV


def _percent_encoded(text: str) -> Iterator[str]:
    for safe in _SAFE_SETS:
        upper = quote(text, safe=safe, errors="replace")
        for form in (upper, upper.replace("~", "%7E"), _with_letters_kept(text, safe)):
            lower = re.sub("%[0-9A-F]{2}", lambda match: match[0].lower(), form)
            yield from (form, lower, form.replace("%20", "+"), lower.replace("%20", "+"))
    twice = quote(quote(text, safe="", errors="replace"), safe="")  # a URL inside a URL
    yield from (twice, re.sub("%25[0-9A-F]{2}", lambda match: match[0].lower(), twice))


def _with_letters_kept(text: str, safe: str) -> str:
    """As addresses are displayed to people: only ASCII characters are encoded."""
    return re.sub("[\\x00-\\x7f]+", lambda match: quote(match[0], safe=safe), text)


def _in_pages(text: str) -> Iterator[str]:
    """As HTML text and attributes, whether a program escapes everything it can or only what it must."""
    for angles in ("", "<", "<>"):
        page = text.replace("&", "&amp;")
        for angle in angles:
            page = page.replace(angle, _ANGLES[angle])
        for mark in ('"', "&quot;", "&#34;"):
            for apostrophe in ("'", "&#39;", "&#x27;", "&apos;"):
                yield page.replace('"', mark).replace("'", apostrophe)


def _json_escaped(text: str) -> Iterator[str]:
    """As Python, JavaScript, PHP (`\\/`), Go and Java (`\\u0026`) write it, and escaped again inside JSON."""
    for form in (json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]):
        yield from (form, json.dumps(form)[1:-1], form.replace("/", "\\/"))
        for marks in ("&<>", "&<>'", "&<>'="):
            for code in ("\\u{:04x}", "\\u{:04X}"):
                safe = form.translate({ord(mark): code.format(ord(mark)) for mark in marks})
                yield from (safe, safe.replace("/", "\\/"))
        yield re.sub(r"\\u[0-9a-f]{4}", lambda match: "\\u" + match[0][2:].upper(), form)


def binary_encoded(value: bytes) -> Iterator[bytes]:
    """In hex and base64: encoded alone, and at any position in a longer text such as `user:password`."""
    yield from (value.hex().encode(), value.hex().upper().encode())
    yield base64.b64encode(value)
    yield from (line for line in base64.encodebytes(value).splitlines() if len(line) > _MIN_ALIGNED)
    if len(value) >= _MIN_ALIGNED:
        for before in range(3):
            yield from _aligned(value, before)


def _aligned(value: bytes, before: int) -> Iterator[bytes]:
    """The characters that do not depend on what comes before and after; those at both ends may."""
    first = (0, 2, 3)[before]
    certain = (before + len(value)) * 8 // 6
    code = base64.b64encode(bytes(before) + value)
    yield from (code[first:certain], code[first:].rstrip(b"="), code[first:])


def url_safe(code: bytes) -> bytes:
    """The same base64 in the URL-safe alphabet."""
    return code.translate(bytes.maketrans(b"+/", b"-_"))
