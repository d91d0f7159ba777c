"""Secrets stay hidden however a text is cut into chunks."""

import base64
import html
import itertools
import json
import re
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator_runner.executors.encodings import secrets_of_environment
from orchestrator_runner.executors.masking import MASK, Masker, mask, secret_forms
from orchestrator_runner.runs.parameters import secret_values

SECRETS = st.lists(st.text("ab", min_size=1, max_size=5).map(str.encode), min_size=1, max_size=4).map(tuple)
PIECES = st.lists(st.text("abc", max_size=6).map(str.encode), max_size=12)


def obvious_mask(text: bytes, forms: tuple[bytes, ...]) -> bytes:
    """Mark every byte of every occurrence, then write one mask for each run of overlapping ones."""
    found = sorted(
        (start, start + len(form))
        for form in forms
        for start in range(len(text))
        if text.startswith(form, start)
    )
    shown, position = b"", 0
    while found:
        start, end = found.pop(0)
        while found and found[0][0] < end:
            end = max(end, found.pop(0)[1])
        shown, position = shown + text[position:start] + MASK, end
    return shown + text[position:]


@given(SECRETS, PIECES)
def test_chunks_make_no_difference(forms: tuple[bytes, ...], pieces: list[bytes]) -> None:
    masker = Masker(forms)
    shown = b"".join([*map(masker.feed, pieces), masker.finish()])
    assert shown == obvious_mask(b"".join(pieces), forms)


@given(SECRETS, PIECES)
def test_no_more_is_held_back_than_a_beginning(forms: tuple[bytes, ...], pieces: list[bytes]) -> None:
    masker = Masker(forms)
    for end in range(1, len(pieces) + 1):
        masker.feed(pieces[end - 1])
        assert any(form.startswith(masker._held) and form != masker._held for form in forms)


def test_every_cut_of_a_text_hides_the_secret() -> None:
    text, forms = b"user=me password=s3cret!pass end", secret_forms(["s3cret!pass"])
    for first, second in itertools.combinations(range(len(text)), 2):
        masker = Masker(forms)
        parts = [masker.feed(part) for part in (text[:first], text[first:second], text[second:])]
        assert b"".join([*parts, masker.finish()]) == b"user=me password=*** end"


def test_programs_that_do_not_write_utf_8_show_no_secret() -> None:
    """Issue 8, 31: all letters but the umlaut were readable; what latin-1 cannot write masks nothing else."""
    assert mask("<Zürich8000>".encode("latin-1"), secret_forms(["Zürich8000"])) == b"<***>"
    assert mask(b"really???", secret_forms(["日本語"])) == b"really???"


@pytest.mark.parametrize(
    ("secret", "printed"),
    [
        ("p@ss/w rd", "p@ss/w rd"),
        ("p@ss/w rd", "p%40ss%2Fw%20rd"),
        ("p@ss/w rd", "p%40ss%2Fw+rd"),
        ('quo"te\\', 'quo\\"te\\\\'),
        ("žluť", "\\u017elu\\u0165"),
        ("žluť", "žluť"),
        ("-----BEGIN KEY-----\nMIIEvQIBADANBg\n-----END KEY-----\n", "MIIEvQIBADANBg"),
        ("value\n", "value"),
    ],
)
def test_usual_ways_to_print_a_secret(secret: str, printed: str) -> None:
    assert mask(f"<{printed}>".encode(), secret_forms([secret])) == b"<***>"


SECRET = "Pa/s&w+o'r\"d \u017e?@#<\\~"
ENCODED = {
    "as it is": SECRET,
    "percent, upper": quote(SECRET, safe=""),
    "percent, lower": re.sub("%..", lambda match: match[0].lower(), quote(SECRET, safe="")),
    "percent, slash left": quote(SECRET),
    "form": quote_plus(SECRET),
    "JavaScript": quote(SECRET, safe="!'()*~"),
    "json": json.dumps(SECRET)[1:-1],
    "json, not ascii": json.dumps(SECRET, ensure_ascii=False)[1:-1],
    "json of Go": json.dumps(SECRET)[1:-1].replace("&", "\\u0026").replace("<", "\\u003c"),
    "json of PHP": json.dumps(SECRET)[1:-1].replace("/", "\\/"),
    "json in json": json.dumps(json.dumps(SECRET)[1:-1])[1:-1],
    "percent, letters kept": re.sub("[ -~]+", lambda match: quote(match[0], safe=""), SECRET),
    "html": html.escape(SECRET),
    "xml": html.escape(SECRET, quote=False).replace('"', "&quot;").replace("'", "&apos;"),
    "xml attribute": html.escape(SECRET, quote=False).replace('"', "&quot;"),
    "html attribute": SECRET.replace("&", "&amp;").replace('"', "&quot;"),
    "repr": repr(SECRET)[1:-1],
    "repr of bytes": repr(SECRET.encode())[2:-1],
    "sql": SECRET.replace("'", "''"),
    "sql, E": SECRET.replace("\\", "\\\\").replace("'", "''"),
    "csv": SECRET.replace('"', '""'),
    "percent, twice": quote(quote(SECRET, safe=""), safe=""),
    "base64": base64.b64encode(SECRET.encode()).decode(),
    "base64 for URLs": base64.urlsafe_b64encode(SECRET.encode()).decode(),
    "base64, unpadded": base64.urlsafe_b64encode(SECRET.encode()).decode().rstrip("="),
    "hex": SECRET.encode().hex(),
}


@pytest.mark.parametrize("printed", [pytest.param(text, id=name) for name, text in ENCODED.items()])
def test_encodings_of_a_secret_are_masked_however_it_is_cut(printed: str) -> None:
    """Issue 8, 31: percent-encoding in either case, `\\u0026`, `\\/` and base64 were printed."""
    forms, text = secret_forms([SECRET]), f"<{printed}>".encode()
    assert mask(text, forms) == b"<***>"
    for cut in range(len(text)):
        masker = Masker(forms)
        assert masker.feed(text[:cut]) + masker.feed(text[cut:]) + masker.finish() == b"<***>"


@pytest.mark.parametrize("user", ["u", "us", "usr", "some-user"])
@pytest.mark.parametrize("after", ["", "\n", ":realm"])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_a_secret_is_masked_inside_base64(user: str, after: str, encode: Callable[[bytes], bytes]) -> None:
    """Issue 8, 31: `Authorization: Basic` holds user:password."""
    password = "hunter2/\u00ff\u00fe?~secret"
    shown = mask(b"Basic " + encode(f"{user}:{password}{after}".encode()), secret_forms([password]))
    assert b"***" in shown
    whole = base64.b64encode(password.encode()).translate(bytes.maketrans(b"+/", b"-_"))
    assert not any(whole[n : n + 4] in shown for n in range(len(whole) - 3))
    assert len(shown) < len(b"Basic ") + 4 * (len(user) + len(after) + 4)


@pytest.mark.parametrize(
    ("secret", "inner"),
    [
        ("postgresql://u:hunter2@host/w", "hunter2"),
        ("postgresql://u:hunt%2Fer2@host/w", "hunt/er2"),
        ("postgresql://u:hunt%2Fer2@host/w", "hunt%2Fer2"),
        ("postgresql://u:hunt%2Fer2@host/w", base64.b64encode(b"u:hunt/er2").decode()),
        ("postgresql://u:Head/Tail@host/w", "Head/Tail"),
        ("postgresql://u:Head@Tail@host/w", "Head@Tail"),
        ("postgresql://host/w?user=u&password=hunter2", "hunter2"),
        ("host=h user=u password='hun ter2'", "hun ter2"),
        ("Server=h;Uid=u;Pwd=hunter2;", "hunter2"),
        ('{"client": "me", "private_key": "hunter2"}', "hunter2"),
    ],
)
def test_what_is_secret_inside_a_secret_is_masked_alone(secret: str, inner: str) -> None:
    """Issue 8, 13: the password of a URL was printed where it stood by itself."""
    assert mask(f"<{inner}>".encode(), secret_forms([secret])) == b"<***>"


def test_names_beside_a_password_stay_readable() -> None:
    forms = secret_forms(["postgresql://reader:hunter2@warehouse/main"])
    assert mask(b"reader connects to main on warehouse", forms) == b"reader connects to main on warehouse"


@pytest.mark.parametrize(
    ("value", "printed"),
    [(918273645546372, "918273645546372"), (1.5e3, "1500.0"), (1.5e3, "1500"), (-12345, "-12345")],
)
def test_secret_numbers_are_masked(value: float, printed: str) -> None:
    """Issue 8, 13: `"#pin": 918273645546372` was printed."""
    found = secret_values({"#pin": value, "#on": True, "limit": 100})
    shown = mask(f"pin {printed}, limit 100, True".encode(), secret_forms(found))
    assert shown == b"pin ***, limit 100, True"


def test_secrets_that_a_component_is_handed_in_its_environment() -> None:
    """Issue 8, 13, a sibling: they are not parameters, so no key with # marks them."""
    environment = {
        "API_KEY": "k-0123456789",
        "SOURCE": "https://me:hunter2hunter@host/x",
        "TOKEN_LIMIT": "100",
        "ORCHESTRATOR_ALLOWED_COMMANDS": '[["dbt", "run"]]',
        "ORCHESTRATOR_FILES_DIR": "/srv/files/demo",
    }
    shown = mask(
        b"k-0123456789 hunter2hunter 100 dbt host /srv/files",
        secret_forms(secrets_of_environment(environment)),
    )
    assert shown == b"*** *** 100 dbt host /srv/files"


def test_tiny_secrets_are_left_alone() -> None:
    assert mask(b"1, 12, 123", secret_forms(["1", "12", ""])) == b"1, 12, 123"


def test_ordinary_text_is_not_held_back() -> None:
    assert Masker(secret_forms(["secret"])).feed(b"Loading 10 %") == b"Loading 10 %"
