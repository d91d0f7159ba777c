"""Secrets stay hidden however a text is cut into chunks."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator_runner.domain.masking import MASK, Masker, mask, secret_forms

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


def test_tiny_secrets_are_left_alone() -> None:
    assert mask(b"1, 12, 123", secret_forms(["1", "12", ""])) == b"1, 12, 123"


def test_ordinary_text_is_not_held_back() -> None:
    assert Masker(secret_forms(["secret"])).feed(b"Loading 10 %") == b"Loading 10 %"
