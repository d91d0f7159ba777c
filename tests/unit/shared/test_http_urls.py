"""How URLs of users are read, and what is never told of them."""

import pytest

from orchestrator_shared.http_transport.urls import InvalidUrl, authorization_of, read_address, shown


@pytest.mark.parametrize(
    ("url", "authority", "target"),
    [
        ("http://h", "h", "/"),
        ("HTTPS://H.test:443/A?b=C#d", "h.test", "/A?b=C"),
        ("http://h:8080/a b/ü?q=ä b", "h:8080", "/a%20b/%C3%BC?q=%C3%A4%20b"),
        ("http://h/100%.csv?x=%41", "h", "/100%25.csv?x=%41"),
        ("http://h/a/./b/../c", "h", "/a/c"),
        ("http://h/../../c", "h", "/c"),
        ("http://h/@scope/x:y;z", "h", "/@scope/x:y;z"),
        ("http://u:p@h/x", "h", "/x"),
        ("http://bücher.example/", "xn--bcher-kva.example", "/"),
        ("http://[2606:4700::1]:8080/", "[2606:4700::1]:8080", "/"),
    ],
)
def test_an_url_is_read(url: str, authority: str, target: str) -> None:
    address = read_address(url)
    assert (address.authority, address.target) == (authority, target)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://h/x",
        "//h/x",
        "http:///x",
        "http://h:0/",
        "http://h:99999/",
        "http://a b/",
        "http://h\n/",
        "http://h/\x00",
        "http://[::1/",
        "http://\u2100.example/",
        "http://-\u00fc.example/",
        "http://u:s3cret/x@h/",
        "http://u:s3cret@x@h/",
        "http://u:s3cret#x@h/",
        "http://u:s3cret?x@h/",
    ],
)
def test_an_unreadable_url_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(InvalidUrl) as caught:
        read_address(url)
    assert "s3cret" not in str(caught.value)
    assert "s3cret" not in shown(url)


def test_secrets_are_not_shown() -> None:
    assert shown("https://u:s3cret@h:1/x?key=s3cret#s3cret") == "https://h:1/x"


@pytest.mark.parametrize(
    ("url", "header"),
    [
        ("http://h/", None),
        ("http://u@h/", "Basic dTo="),
        ("http://:p@h/", "Basic OnA="),
        ("http://us%20er:p%40ss@h/", "Basic dXMgZXI6cEBzcw=="),
    ],
)
def test_user_and_password_become_a_header(url: str, header: str | None) -> None:
    assert authorization_of(url) == header
