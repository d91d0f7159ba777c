"""Addresses are one mailbox each, or refused."""

import pytest

from orchestrator_notifier.domain.addresses import BadAddress, Sender, parse_address


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("a@example.com", "a@example.com"),
        ("first.last+tag@sub.example.com", "first.last+tag@sub.example.com"),
        ("a@bücher.example", "a@xn--bcher-kva.example"),
        ("root@localhost", "root@localhost"),
    ],
)
def test_addresses(text: str, spec: str) -> None:
    assert parse_address(text).addr_spec == spec


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "@",
        "a@",
        "@b",
        "a@b@c",
        "a@b, c@d",
        "a@b\r\nBcc: c@d",
        "a b@c",
        "<a@b>",
        "a@b\x00",
        "a@b;c@d",
        '"a b"@c',
        "a@" + "x" * 400,
        "a@[127.0.0.1]",
        "a@" + "ü" * 80 + ".example",
        "a@b..c",
        "a@.b",
        "=?utf-8?q?=0d=0aBcc=3a_b=40example.com?=@example.com",
        "=?utf-8?b?DQpCY2M6IGJAZQ?=@example.com",
    ],
)
def test_invalid_addresses(text: str) -> None:
    with pytest.raises(BadAddress):
        parse_address(text)


def test_senders() -> None:
    assert str(Sender.parse("o@example.com").address) == "Orchestrator <o@example.com>"
    sender = Sender.parse('"The Data, Team" <o@example.com>')
    assert (str(sender.address), sender.domain) == ('"The Data, Team" <o@example.com>', "example.com")
    for text in ("nobody", "a@b, c@d", "X\r\nBcc: y <a@b>"):
        with pytest.raises(ValueError, match="expected"):
            Sender.parse(text)
