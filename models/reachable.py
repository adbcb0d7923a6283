"""Which addresses a message may be sent to: of the internet those that everybody can reach, and no others.

Whoever may enter an address could otherwise let us talk to our own network on their behalf. Pure.
"""

import ipaddress
import re
from urllib.parse import urlsplit

from models.errors import BadInput
from models.register import Channel

# Source: IANA IPv4 Special-Purpose Address Registry (RFC 6890 and its updates), multicast, and class E.
_NOT_FOR_US_4 = tuple(
    map(
        ipaddress.IPv4Network,
        (
            "0.0.0.0/8",  # this network
            "10.0.0.0/8",  # private
            "100.64.0.0/10",  # shared by customers of a provider (CGNAT)
            "127.0.0.0/8",  # loopback
            "169.254.0.0/16",  # link-local, and the clouds' metadata
            "172.16.0.0/12",  # private
            "192.0.0.0/24",  # protocol assignments
            "192.0.2.0/24",  # documentation
            "192.31.196.0/24",  # AS112
            "192.52.193.0/24",  # AMT
            "192.88.99.0/24",  # 6to4 relays
            "192.168.0.0/16",  # private
            "192.175.48.0/24",  # AS112
            "198.18.0.0/15",  # benchmarks
            "198.51.100.0/24",  # documentation
            "203.0.113.0/24",  # documentation
            "224.0.0.0/4",  # multicast
            "240.0.0.0/4",  # reserved, broadcast
        ),
    )
)
# Source: IANA IPv6 Special-Purpose Address Registry. Global unicast is 2000::/3; of that not:
_GLOBAL_6 = ipaddress.IPv6Network("2000::/3")
_NOT_FOR_US_6 = tuple(
    map(
        ipaddress.IPv6Network,
        (
            "2001::/23",  # protocol assignments, Teredo among them
            "2001:db8::/32",  # documentation
            "2002::/16",  # 6to4
            "2620:4f:8000::/48",  # AS112
            "3fff::/20",  # documentation
        ),
    )
)
# An interface id that holds an IPv4 address (ISATAP, RFC 5214).
_ISATAP = (0x0000_5EFE, 0x0200_5EFE)


_MAILBOX = re.compile(r"[!-~]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")


def require_allowed(channel: Channel, address: str, *, own_machine: bool) -> None:
    """Lets an address through that messages of a channel may go to, as far as can be told by looking at it.

    A name is looked up, and its answers are checked, whenever something is sent. `own_machine`: this machine
    is a receiver too, as in trials.

    >>> require_allowed(Channel.WEBHOOK, "https://hooks.example.org/in", own_machine=False)

    **Raises**: BadInput, without the address, which may hold a secret.
    """
    if channel in (Channel.WEBHOOK, Channel.FHIR):
        host, _, _ = require_https(address)
        is_here = is_loopback(host) or host == "localhost" or host.endswith(".localhost")
        if not (own_machine if is_here else _is_name(host) or is_public(host)):
            raise BadInput(where="address", expected="a host that everybody can reach", found="one inside")
    elif channel in (Channel.EMAIL, Channel.SECURE_MAIL) and not _MAILBOX.fullmatch(address):
        raise BadInput(where="address", expected="NAME@DOMAIN", found="else")


def is_public(address: str) -> bool:
    """Whether this is an address of a host that everybody can reach, and by no way round.

    IPv6 addresses that stand for an IPv4 one (mapped, NAT64, 6to4, Teredo, ISATAP) lead wherever that leads,
    by whoever translates them: none is let through, whatever it stands for.

    >>> [is_public(a) for a in ("192.0.79.32", "2a00:1450::1", "10.1.2.3", "::ffff:192.0.79.32")]
    [True, True, False, False]
    """
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv4Address):
        return not any(found in network for network in _NOT_FOR_US_4)
    if found.scope_id is not None or found not in _GLOBAL_6:
        return False
    if (int(found) >> 32) & 0xFFFF_FFFF in _ISATAP:
        return False
    return not any(found in network for network in _NOT_FOR_US_6)


def _is_name(host: str) -> bool:
    """Whether it is no address by number, however that is written: names end in letters."""
    return not host.rpartition(".")[2].isdigit() and ":" not in host and not host.startswith("0x")


def is_loopback(address: str) -> bool:
    """Whether this is the machine itself, said plainly."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    return found.is_loopback and (isinstance(found, ipaddress.IPv4Address) or int(found) == 1)


def require_https(url: str) -> tuple[str, int, str]:
    """Host, port and target (path with query) of an https address.

    **Raises**: BadInput for any other scheme, for a user, a password, a fragment, or what is no address. The
    message never holds the address, which may hold a secret.

    >>> require_https("https://hooks.example.org/in?x=1")
    ('hooks.example.org', 443, '/in?x=1')
    """
    wrong = BadInput(
        where="address",
        expected="https://HOST[:PORT][/PATH], without user, password or fragment",
        found="else",
    )
    if not url.isascii() or any(char.isspace() or not char.isprintable() for char in url):
        raise wrong
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise wrong from None
    host = (parts.hostname or "").rstrip(".")
    if parts.scheme != "https" or not host or "@" in parts.netloc or parts.fragment or port == 0:
        raise wrong
    target = parts.path or "/"
    return host, port or 443, f"{target}?{parts.query}" if parts.query else target
