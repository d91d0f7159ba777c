"""Which addresses are public, and which hosts were named."""

import pytest

from orchestrator_shared.domain.addresses import is_public
from orchestrator_shared.domain.internal_hosts import InternalHosts


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
        "192.0.2.1", "198.18.0.1", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255",
        "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "fec0::1", "ff02::1",
        "2001:db8::1",
        "::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe",
        "::7f00:1", "::ffff:0:127.0.0.1", "64:ff9b:1::7f00:1", "5f00::1", "3fff::1", "192.0.0.8",
        "192.88.99.1",
        "2002:7f00:1::", "2002:a9fe:a9fe::1", "2001:0:4136:e378:8000:63bf:5601:5601",
    ],
)  # fmt: skip
def test_internal_addresses(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "93.184.216.34", "2606:4700::1111", "64:ff9b::808:808"])
def test_public_addresses(address: str) -> None:
    assert is_public(address)


def test_named_hosts() -> None:
    named = InternalHosts.parse(" Reports.internal:8080, 10.0.0.7,[::1]:9000 , fd00.test,")
    assert named.allows("reports.INTERNAL", 8080)
    assert not named.allows("reports.internal", 80)
    assert named.allows("10.0.0.7", 1)
    assert named.allows("::1", 9000)
    assert not named.allows("::1", 9001)
    assert not named.allows("x.reports.internal", 8080)
    assert not InternalHosts.parse("").allows("localhost", 80)


@pytest.mark.parametrize("text", ["http://x", "x:0", "x:99999", "x y", "*", "10.0.0.0/8", "::1"])
def test_what_names_no_host(text: str) -> None:
    with pytest.raises(ValueError, match="is not a host"):
        InternalHosts.parse(text)
