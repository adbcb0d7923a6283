"""Which servers may be talked to: off this machine, only those whose name and traffic are protected."""

import ipaddress
from urllib.parse import parse_qs, unquote, urlsplit

from models.errors import RefuseToStart

_POSTGRES_SCHEMES = ("postgres", "postgresql")


def is_loopback(host: str) -> bool:
    """Whether traffic to this host stays on this machine; a name that has to be looked up does not count.

    >>> [is_loopback(host) for host in ("localhost", "127.0.0.2", "::1", "kafka", "127.0.0.1.example.org")]
    [True, True, True, False, False]
    """
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_mail_address(text: str) -> bool:
    """Whether this is one plain address, and can hide nothing else in a header.

    >>> [is_mail_address(a) for a in ("a@example.org", "A <a@example.org>", "a@example.org, b@example.org")]
    [True, False, False]
    """
    local, at, domain = text.rpartition("@")
    plain = text.isascii() and text.isprintable() and not set(text) & set(' <>(),;:"[]\\')
    return bool(plain and at and local and "@" not in local and "." in domain)


def require_safe_kafka(bootstrap: str, security_protocol: str) -> None:
    """Let through Kafka on this machine, and Kafka anywhere that is encrypted and asks who we are.

    **Raises**: RefuseToStart when an address is malformed, or off loopback without SASL_SSL.
    """
    hosts = [_host_of_broker(address.strip()) for address in bootstrap.split(",")]
    distant = [host for host in hosts if not is_loopback(host)]
    if distant and security_protocol.upper() != "SASL_SSL":
        raise RefuseToStart(
            f"Kafka at {', '.join(distant)} is not on this machine, so the security protocol must be "
            f"SASL_SSL; found {security_protocol or 'none'}. Set THUISWACHT_KAFKA_SECURITY_PROTOCOL=SASL_SSL "
            "with its credentials, or use a broker on 127.0.0.1."
        )


def require_safe_postgres(dsn: str) -> None:
    """Let through Postgres on this machine, and Postgres anywhere whose certificate is checked.

    **Raises**: RefuseToStart when the address names no host, or is off loopback without sslmode=verify-full;
    the message never holds the password.
    """
    hosts, sslmodes = _hosts_and_sslmodes(dsn)
    distant = [host for host in hosts if not (host.startswith("/") or is_loopback(host))]
    if distant and (not sslmodes or any(mode != "verify-full" for mode in sslmodes)):
        raise RefuseToStart(
            f"Postgres at {', '.join(distant)} is not on this machine, so its address must say "
            f"sslmode=verify-full; found sslmode={' and '.join(sslmodes) or 'none'}. Add "
            "?sslmode=verify-full (and sslrootcert when the authority is your own), "
            "or use a server on 127.0.0.1."
        )


def require_safe_watcher(url: str) -> None:
    """Let through a watcher anywhere that is spoken with over TLS, and one on this machine.

    **Raises**: RefuseToStart when the address is not one, or off loopback without https; the message never
    holds it, because who knows it can send heartbeats.
    """
    expected = "The address of the watcher outside (THUISWACHT_HEARTBEAT_URL) must be https://HOST[:PORT]/…"
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError as error:
        raise RefuseToStart(f"{expected}; the one given cannot be read as an address.") from error
    if parts.scheme not in ("https", "http") or not host:
        raise RefuseToStart(f"{expected}; the one given does not start like that.")
    if parts.scheme == "http" and not is_loopback(host):
        raise RefuseToStart(f"{expected}; http is for a watcher on this machine only.")


def _host_of_broker(address: str) -> str:
    host, separator, port = address.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        host = ""
    if not separator or not host or not _is_port(port):
        raise RefuseToStart(
            "The address of Kafka must be HOST:PORT, several separated by commas ([ADDRESS]:PORT for IPv6); "
            f"found {address or 'nothing'}."
        )
    return host


def _hosts_and_sslmodes(dsn: str) -> tuple[list[str], list[str]]:
    expected = "The address of Postgres must be postgresql://USER:PASSWORD@HOST:PORT/DATABASE"
    try:
        parts = urlsplit(dsn)
    except ValueError as error:
        raise RefuseToStart(f"{expected}; the one given cannot be read as an address.") from error
    if parts.scheme not in _POSTGRES_SCHEMES:
        raise RefuseToStart(f"{expected}; the one given does not start with postgresql://.")
    query = parse_qs(parts.query)
    specs = parts.netloc.rpartition("@")[2].split(",")
    for value in query.get("host", []):
        specs += value.split(",")
    hosts = [host for host in map(_host_of_spec, specs) if host]
    if not hosts:
        # The driver would then ask PGHOST, which nobody has checked.
        raise RefuseToStart(f"{expected}; the one given names no host.")
    return hosts, query.get("sslmode", [])


def _host_of_spec(spec: str) -> str:
    spec = unquote(spec)
    if spec.startswith("["):
        return spec[1:].partition("]")[0]
    if spec.startswith("/") or spec.count(":") > 1:
        return spec
    return spec.partition(":")[0]


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdigit() and 0 < int(text) < 65536
