"""How clients are listed: what each may, its keys with their age and day of last use. No secrets."""

from models.clock import DAY_US, to_datetime
from models.db.clients import Client, Key, KeyKind

_NAMES = {KeyKind.PUBLIC_KEY: "public key", KeyKind.HMAC: "secret", KeyKind.CERTIFICATE: "certificate"}


def state_of(client: Client, now_us: int) -> str:
    """Whether somebody is known by it: revoked, without a key that counts, or active."""
    if client.revoked_us is not None:
        return "revoked"
    return "active" if any(key.counts(now_us) for key in client.keys) else "without key"


def state_of_key(client: Client, key: Key, now_us: int) -> str:
    """How one key stands."""
    if client.revoked_us is not None or (key.until_us is not None and key.until_us <= now_us):
        return "ended"
    return "active" if key.until_us is None else "ending"


def structure(client: Client, now_us: int) -> dict[str, object]:
    """For scripts. **Units**: times as ISO 8601, UTC."""
    return {
        "client_id": client.client_id,
        "organisation_id": str(client.user.organisation_id),
        "state": state_of(client, now_us),
        "names_patients": client.names_patients,
        "per_second": client.per_second,
        "burst": client.burst,
        "adapter": client.adapter,
        "added_at": _iso(client.added_us),
        "revoked_at": _iso(client.revoked_us),
        "keys": [
            {
                "number": key.number,
                "kind": key.kind.value,
                "state": state_of_key(client, key, now_us),
                "certificate": _certificate(key),
                "from_at": _iso(key.from_us),
                "until_at": _iso(key.until_us),
                "used_on": None if key.used_on is None else key.used_on.isoformat(),
            }
            for key in client.keys
        ],
    }


def lines_of(client: Client, now_us: int) -> list[str]:
    """For people: one line for the client, and one for each key."""
    may = " names patients" if client.names_patients else ""
    adapter = "" if client.adapter is None else f" adapter {client.adapter}"
    head = (
        f"{client.client_id}  {client.user.organisation_id}  {state_of(client, now_us)}  "
        f"{client.per_second:g}/s{may}{adapter}"
    )
    return [head, *(_line(client, key, now_us) for key in client.keys)]


def _line(client: Client, key: Key, now_us: int) -> str:
    days = (now_us - key.from_us) // DAY_US
    state = state_of_key(client, key, now_us)
    until = f" at {_iso(key.until_us)}" if state == "ending" else ""
    used = "never used" if key.used_on is None else f"last used on {key.used_on.isoformat()}"
    what = f" {certificate}" if (certificate := _certificate(key)) else ""
    return f"    key {key.number}: {_NAMES[key.kind]}{what}, {days} days old, {used}, {state}{until}"


def _certificate(key: Key) -> str | None:
    return key.subject if key.thumbprint is None else f"SHA-256 {key.thumbprint.hex()}"


def _iso(us: int | None) -> str | None:
    return None if us is None else to_datetime(us).isoformat(timespec="seconds")
