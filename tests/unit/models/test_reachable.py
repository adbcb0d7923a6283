"""Which addresses are let through, and what an https address is."""

import pytest

from alerting.notify.https import Https, NotReached, tls_of
from models.errors import BadInput
from models.reachable import is_loopback, is_public, require_allowed, require_https
from models.register import Channel

REFUSED = (
    "0.0.0.0", "10.1.2.3", "100.64.0.1", "100.127.255.254", "127.0.0.1", "127.8.8.8", "169.254.169.254",
    "172.16.0.1", "172.31.255.255", "192.0.0.8", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1",
    "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::ffff:0:8.8.8.8", "64:ff9b::8.8.8.8",
    "64:ff9b::10.0.0.1", "64:ff9b:1::1", "100::1", "2001::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:10::1", "2001:db8::1", "2002:7f00:1::", "2002:808:808::1", "3fff::1", "5f00::1", "fc00::1",
    "fd12:3456::1", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "ff0e::1",
    "2a00:1450::5efe:10.0.0.1", "2a00:1450::200:5efe:808:808", "localhost", "", "1", "0x7f.1", "8.8.8.8 ",
)  # fmt: skip
PUBLIC = (
    "8.8.8.8", "9.255.255.255", "100.63.255.255", "100.128.0.1", "172.15.0.1", "172.32.0.1", "192.0.3.1",
    "193.0.6.139", "223.255.255.255",
    "2a00:1450:400e::200e", "2001:67c:2e8:22::c100:68b", "2620:0:2d0:200::7",
)  # fmt: skip


@pytest.mark.parametrize("address", REFUSED)
def test_inside_and_round_about_is_refused(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_what_everybody_reaches_is_let_through(address: str) -> None:
    assert is_public(address)


def test_this_machine_said_plainly() -> None:
    assert [a for a in REFUSED if is_loopback(a)] == ["127.0.0.1", "127.8.8.8", "::1"]


@pytest.mark.parametrize(
    "url",
    [
        "http://a.example.org/", "ftp://a.example.org", "https://", "https:///x", "//a.example.org",
        "a.example.org",
        "https://user@a.example.org/", "https://u:p@a.example.org", "https://a.example.org/#x",
        "https://a.example.org:0/", "https://a.example.org:99999/", "https://a.example.org/\r\nHost: b",
        "https://a.example.org /", "https://ä.example.org/", "https://@a.example.org/", "HTTPS",
    ],
)  # fmt: skip
def test_only_plain_https_is_an_address(url: str) -> None:
    with pytest.raises(BadInput) as refused:
        require_https(url)
    assert "example" not in str(refused.value)


def test_what_an_address_says() -> None:
    assert require_https("https://a.example.org:8443/x?y=1") == ("a.example.org", 8443, "/x?y=1")
    assert require_https("https://[2a00::1]") == ("2a00::1", 443, "/")


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (["10.0.0.1"], "address not allowed"),
        # One of them leads inside: none is tried.
        (["8.8.8.8", "127.0.0.1"], "address not allowed"),
        (["2a00:1450::1", "64:ff9b::a00:1"], "address not allowed"),
        ([], "name not found"),
    ],
)
async def test_every_answer_of_the_resolver_is_checked(found: list[str], why: str) -> None:
    async def look_up(host: str, port: int) -> list[str]:
        return found

    with pytest.raises(NotReached) as refused:
        await Https(tls_of(None), look_up=look_up).post("https://hooks.example.org/in", b"{}", {})
    assert refused.value.why == why
    assert refused.value.for_ever == (why == "address not allowed")


@pytest.mark.parametrize("host", ["127.0.0.1", "2130706433", "0x7f000001", "127.1", "localhost", "[::1]"])
async def test_however_this_machine_is_written_it_is_found_out(host: str) -> None:
    with pytest.raises(NotReached) as refused:
        await Https(tls_of(None)).post(f"https://{host}/in", b"{}", {})
    assert refused.value.why in {"address not allowed", "name not found"}


@pytest.mark.parametrize("channel", [Channel.WEBHOOK, Channel.FHIR])
def test_what_may_be_entered_as_an_address(channel: Channel) -> None:
    for name in ("hooks.example.org", "a.localhost.example", "8.8.8.8", "[2a00:1450::1]"):
        require_allowed(channel, f"https://{name}/in", own_machine=False)
    for here in ("localhost", "a.localhost", "127.0.0.1", "[::1]"):
        require_allowed(channel, f"https://{here}:8443/in", own_machine=True)
        with pytest.raises(BadInput, match="everybody can reach"):
            require_allowed(channel, f"https://{here}:8443/in", own_machine=False)
    for inside in ("10.1.2.3", "2130706433", "0x7f.1", "0x7f000001", "[fe80::1]", "[::ffff:10.0.0.1]"):
        with pytest.raises(BadInput, match="everybody can reach"):
            require_allowed(channel, f"https://{inside}/in", own_machine=True)


def test_what_may_be_entered_as_a_mailbox() -> None:
    require_allowed(Channel.EMAIL, "meldkamer@zorg.example.nl", own_machine=False)
    for wrong in ("", "a", "a@b", "a b@c.nl", "a@b.nl\n", "a@b.nl, c@d.nl"):
        with pytest.raises(BadInput, match="NAME@DOMAIN"):
            require_allowed(Channel.SECURE_MAIL, wrong, own_machine=False)
    require_allowed(Channel.PHONE, "070 312 45 67", own_machine=False)
