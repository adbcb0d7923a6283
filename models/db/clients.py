"""Systems that come by themselves, each with its keys, as the role thuiswacht_login."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from uuid import UUID

import asyncpg

from models.access import Role, User
from models.clock import to_datetime, to_us
from models.db.pool import Connection
from models.errors import BadInput

PER_SECOND, BURST = 50.0, 200
"""How much a client may send, where nobody says otherwise."""

_CLIENT = """
    SELECT client_id, person_id, organisation_id, names_patients, per_second, burst, adapter, added_at,
        removed_at
    FROM client
"""
_KEYS = """
    SELECT client_id, number, kind, public_key, sealed_secret, thumbprint, subject, from_at, until_at, used_on
    FROM client_key WHERE client_id = ANY($1) ORDER BY client_id, number
"""
_ADD_KEY = """
    INSERT INTO client_key (
        client_id, number, kind, public_key, sealed_secret, thumbprint, subject, from_at
    ) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
"""


class KeyKind(StrEnum):
    """By what a client is known."""

    PUBLIC_KEY = "public_key"
    """It signs for a token (OAuth 2, private_key_jwt)."""
    HMAC = "hmac"
    """It signs each request with a secret that both sides have."""
    CERTIFICATE = "certificate"
    """A proxy verified its certificate."""


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a client: a public key (PEM), a secret that is sealed, or a certificate.

    **Units**: microseconds since 1970 UTC.
    """

    number: int
    kind: KeyKind
    from_us: int
    until_us: int | None = None
    public_key: str | None = None
    sealed_secret: bytes | None = None
    thumbprint: bytes | None = None
    subject: str | None = None
    used_on: date | None = None

    def counts(self, now_us: int) -> bool:
        """Whether somebody is known by it at this moment."""
        return self.from_us <= now_us and (self.until_us is None or now_us < self.until_us)


@dataclass(frozen=True, slots=True)
class Client:
    """A system: whom it acts as, what it may do, how much it may send, and its keys by number."""

    client_id: str
    user: User
    keys: tuple[Key, ...] = field(default=(), repr=False)
    names_patients: bool = False
    per_second: float = PER_SECOND
    burst: int = BURST
    adapter: str | None = None
    added_us: int = 0
    revoked_us: int | None = None


async def find_client(connection: Connection, client_id: str, *, lock: bool = False) -> Client | None:
    """The client of that id, also a revoked one.

    `lock`: whoever revokes it, or a key of it, waits until this transaction is over, and sees what it did.
    """
    row = await connection.fetchrow(
        f"{_CLIENT} WHERE client_id = $1{' FOR SHARE' if lock else ''}", client_id
    )
    return None if row is None else (await _with_keys(connection, [row]))[0]


async def list_clients(connection: Connection) -> list[Client]:
    """All clients by id, revoked ones too."""
    return await _with_keys(connection, await connection.fetch(f"{_CLIENT} ORDER BY client_id"))


async def add_client(connection: Connection, client: Client) -> None:
    """A new client with its keys; its person and role are there already. **Raises**: BadInput."""
    await connection.execute(
        "INSERT INTO client (client_id, person_id, organisation_id, names_patients, per_second, burst, "
        "adapter, added_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        client.client_id, client.user.person_id, client.user.organisation_id, client.names_patients,
        client.per_second, client.burst, client.adapter, to_datetime(client.added_us),
    )  # fmt: skip
    for key in client.keys:
        await add_key(connection, client.client_id, key)


async def add_key(connection: Connection, client_id: str, key: Key) -> None:
    """One more key of a client. **Raises**: BadInput for a certificate by which another is known."""
    try:
        await connection.execute(
            _ADD_KEY, client_id, key.number, key.kind.value, key.public_key, key.sealed_secret,
            key.thumbprint, key.subject, to_datetime(key.from_us),
        )  # fmt: skip
    except asyncpg.UniqueViolationError as error:
        if error.constraint_name not in ("client_key_certificate_once", "client_key_subject_open_once"):
            raise
        raise BadInput(
            where="certificate",
            expected="a certificate by which nobody is known",
            found="one by which a client is, or was",
        ) from None


async def end_keys(
    connection: Connection, client_id: str, numbers: Sequence[int], until_us: int
) -> list[int]:
    """Keys end at a moment, at the latest; those that it changed something for."""
    rows = await connection.fetch(
        "UPDATE client_key SET until_at = $3 WHERE client_id = $1 AND number = ANY($2) "
        "AND (until_at IS NULL OR until_at > $3) RETURNING number",
        client_id, list(numbers), to_datetime(until_us),
    )  # fmt: skip
    return [row["number"] for row in rows]


async def lock_client(connection: Connection, client_id: str) -> None:
    """Waits until nobody gives it a token any more, and lets nobody do so until the transaction is over."""
    await connection.execute("SELECT FROM client WHERE client_id = $1 FOR NO KEY UPDATE", client_id)


async def revoke_client(connection: Connection, client_id: str, now_us: int) -> None:
    """From now on it is nobody."""
    await connection.execute(
        "UPDATE client SET removed_at = $2 WHERE client_id = $1 AND removed_at IS NULL",
        client_id, to_datetime(now_us),
    )  # fmt: skip


async def note_used(connection: Connection, client_id: str, number: int, now_us: int) -> None:
    """Notes the day on which a key was used."""
    await connection.execute(
        "UPDATE client_key SET used_on = $3 WHERE client_id = $1 AND number = $2 "
        "AND (used_on IS NULL OR used_on < $3)",
        client_id, number, to_datetime(now_us).date(),
    )  # fmt: skip


async def _with_keys(connection: Connection, rows: Sequence[asyncpg.Record]) -> list[Client]:
    keys: dict[str, list[Key]] = {row["client_id"]: [] for row in rows}
    for row in await connection.fetch(_KEYS, list(keys)):
        keys[row["client_id"]].append(_key(row))
    return [_client(row, tuple(keys[row["client_id"]])) for row in rows]


def _key(row: asyncpg.Record) -> Key:
    return Key(
        number=row["number"],
        kind=KeyKind(row["kind"]),
        from_us=to_us(row["from_at"]),
        until_us=None if row["until_at"] is None else to_us(row["until_at"]),
        public_key=row["public_key"],
        sealed_secret=row["sealed_secret"],
        thumbprint=row["thumbprint"],
        subject=row["subject"],
        used_on=row["used_on"],
    )


def _client(row: asyncpg.Record, keys: tuple[Key, ...]) -> Client:
    person_id: UUID = row["person_id"]
    return Client(
        client_id=row["client_id"],
        user=User(person_id, row["organisation_id"], Role.SERVICE),
        keys=keys,
        names_patients=row["names_patients"],
        per_second=row["per_second"],
        burst=row["burst"],
        adapter=row["adapter"],
        added_us=to_us(row["added_at"]),
        revoked_us=None if row["removed_at"] is None else to_us(row["removed_at"]),
    )
