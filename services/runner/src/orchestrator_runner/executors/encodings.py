"""How programs usually write a secret: escaped, quoted, percent-encoded, in base64 or in hex."""

import base64
import json
import re
from collections.abc import Iterator, Mapping
from itertools import chain
from urllib.parse import quote, unquote, unquote_plus

_SAFE_SETS = ("", "/", "!'()*", "!'()*;,/?:@&=+$#", "!$&'()*+,;=", "!$&'()*+,;=:@/?")
"""What programs leave as it is: by the book, Python, JavaScript's two functions, user information, paths."""
_URL_USER = re.compile(r"^\s*[A-Za-z][A-Za-z0-9+.-]*://(.*)", re.DOTALL)
_NAMED = re.compile(
    r"(?i)(?:pass\w*|pwd|secret|token|api_?key|access_?key|sig(?:nature)?)\s*=\s*"
    r"('[^']*'|\"[^\"]*\"|\{[^}]*\}|[^\s&;#'\"{]+)"
)
_TELLING_KEY = re.compile(r"(?i)pass|pwd|secret|token|key|credential")
_ANGLES = {"<": "&lt;", ">": "&gt;"}
_MIN_NAMED = 6
"""A setting such as TOKEN_LIMIT=100 is no secret."""
_MIN_ALIGNED = 6
"""Shorter secrets leave too few certain base64 characters to tell them from other text."""


def inner_secrets(secret: str) -> Iterator[str]:
    """The parts that are secret by themselves: passwords in URLs, in key=value pairs, in JSON documents."""
    for found in chain(_url_passwords(secret), _named_values(secret), _json_values(secret)):
        yield from (found, unquote(found), unquote_plus(found))


def secrets_of_environment(environment: Mapping[str, str]) -> set[str]:
    """What a component is handed by name instead of as a parameter: no `#` marks it there."""
    telling = {value for name, value in environment.items() if _TELLING_KEY.search(name)}
    inner = {found for value in environment.values() for found in inner_secrets(value)}
    return {value for value in telling | inner if len(value) >= _MIN_NAMED}


def _url_passwords(secret: str) -> Iterator[str]:
    """Also with the user's name, as in basic authentication.

    Where a URL is not quoted as it must be, every `@` may end the password: a driver takes one of them.
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
    """The text as it stands in URLs, JSON, HTML, SQL, shells and Python's own notation."""
    yield text
    if text.isascii() and text.isalnum():
        return  # nobody escapes any of it
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
    twice = quote(quote(text, safe="", errors="replace"), safe="")  # a URL inside of a URL
    yield from (twice, re.sub("%25[0-9A-F]{2}", lambda match: match[0].lower(), twice))


def _with_letters_kept(text: str, safe: str) -> str:
    """As addresses are shown to people: only what is ASCII is encoded."""
    return re.sub("[\\x00-\\x7f]+", lambda match: quote(match[0], safe=safe), text)


def _in_pages(text: str) -> Iterator[str]:
    """As text and as attributes, by those who escape all of it and by those who escape what they must."""
    for angles in ("", "<", "<>"):
        page = text.replace("&", "&amp;")
        for angle in angles:
            page = page.replace(angle, _ANGLES[angle])
        for mark in ('"', "&quot;", "&#34;"):
            for apostrophe in ("'", "&#39;", "&#x27;", "&apos;"):
                yield page.replace('"', mark).replace("'", apostrophe)


def _json_escaped(text: str) -> Iterator[str]:
    """As Python, JavaScript, PHP (`\\/`), Go and Java (`\\u0026`) write it, and again inside a JSON text."""
    for form in (json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]):
        yield from (form, json.dumps(form)[1:-1], form.replace("/", "\\/"))
        for marks in ("&<>", "&<>'", "&<>'="):
            for code in ("\\u{:04x}", "\\u{:04X}"):
                safe = form.translate({ord(mark): code.format(ord(mark)) for mark in marks})
                yield from (safe, safe.replace("/", "\\/"))
        yield re.sub(r"\\u[0-9a-f]{4}", lambda match: "\\u" + match[0][2:].upper(), form)


def binary_encoded(value: bytes) -> Iterator[bytes]:
    """In hex, and in base64: alone, and wherever it stands in what is encoded, as in `user:password`."""
    yield from (value.hex().encode(), value.hex().upper().encode())
    yield base64.b64encode(value)
    yield from (line for line in base64.encodebytes(value).splitlines() if len(line) > _MIN_ALIGNED)
    if len(value) >= _MIN_ALIGNED:
        for before in range(3):
            yield from _aligned(value, before)


def _aligned(value: bytes, before: int) -> Iterator[bytes]:
    """What stays the same whatever stands before and after: the characters at both ends may not."""
    first = (0, 2, 3)[before]
    certain = (before + len(value)) * 8 // 6
    code = base64.b64encode(bytes(before) + value)
    yield from (code[first:certain], code[first:].rstrip(b"="), code[first:])


def url_safe(code: bytes) -> bytes:
    """The same base64 in its alphabet for URLs."""
    return code.translate(bytes.maketrans(b"+/", b"-_"))
