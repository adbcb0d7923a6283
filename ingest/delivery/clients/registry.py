"""The registry of clients: added, given another key, revoked, on record. Works as thuiswacht_login.

Whoever may use the command line of the server may do this, as with accounts; administrators have the console.
"""

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

from ingest.delivery.adapter import adapters
from ingest.delivery.clients.certificates import certificate_from_file, subject_of
from ingest.delivery.clients.sealing import NONCE_BYTES, SECRET_BYTES, Sealing, as_told, secret_of
from ingest.gateway.login import record
from ingest.gateway.login.keys import public_key_from_pem, public_pem
from models.access import Role, User
from models.clock import SECOND_US
from models.db import accounts, audit, clients, sessions
from models.db.clients import BURST, PER_SECOND, Client, Key, KeyKind
from models.db.directory import add_person
from models.db.installation import require_migrated
from models.db.pool import Connection, Pool
from models.errors import BadInput
from models.sessions import Ended

MOST_KEYS = 5
"""So many may count at a time: each is tried."""
_ID = re.compile(r"[a-z0-9][a-z0-9._-]{1,62}")


@dataclass(frozen=True, slots=True)
class WantedKey:
    """A key as it is asked for: one of these. `secret` None with `hmac`: we make it, and tell it once."""

    public_key: str | None = None
    """PEM."""
    hmac: bool = False
    secret: str | None = None
    """What somebody else chose, as they write it."""
    certificate: bytes | None = None
    """PEM or DER; known by its digest."""
    subject: str | None = None
    """The name in a certificate, whichever it is."""


@dataclass(frozen=True, slots=True)
class WantedClient:
    """A client as it is asked for."""

    client_id: str
    name: str
    organisation_id: UUID
    key: WantedKey
    names_patients: bool = False
    per_second: float = PER_SECOND
    burst: int | None = None
    """None: so many as it may send in four seconds."""
    adapter: str | None = None


@dataclass(frozen=True, slots=True)
class Made:
    """A key that was made; `secret`, shown once, where we chose it."""

    number: int
    secret: str | None = None


async def add_client(pool: Pool, wanted: WantedClient, sealing: Sealing | None, now_us: int) -> Made:
    """Registers a system with a person of its own, which is no person. **Raises**: BadInput."""
    client_id = wanted.client_id
    if not _ID.fullmatch(client_id):
        raise BadInput(where="client id", expected="2 to 63 of a-z, 0-9 and . _ -", found=client_id)
    if wanted.adapter is not None:
        _require_adapter(wanted.adapter, wanted.key)
    key, made = _key(wanted.key, client_id, 1, sealing, now_us)
    burst = wanted.burst or max(1, round(wanted.per_second * BURST / PER_SECOND))
    async with pool.transaction() as connection:
        await require_migrated(connection)
        if not await accounts.known_organisations(connection, {wanted.organisation_id}):
            raise BadInput(
                where="organisation",
                expected="the id of a registered organisation",
                found=str(wanted.organisation_id),
            )
        if await clients.find_client(connection, client_id) is not None:
            raise BadInput(where="client id", expected="an id that was never given", found=client_id)
        user = User(uuid4(), wanted.organisation_id, Role.SERVICE)
        await add_person(connection, wanted.name, person_id=user.person_id, is_system=True)
        await accounts.give_role(connection, user, now_us, by_login=False)
        client = Client(
            client_id, user, (key,), wanted.names_patients, wanted.per_second, burst, wanted.adapter, now_us
        )
        await clients.add_client(connection, client)
        await audit.write(connection, record.administered("client.added", user, now_us))
    return made


def _require_adapter(name: str, key: WantedKey) -> None:
    if name not in adapters():
        raise BadInput(where="adapter", expected=f"one of {', '.join(adapters())}", found=name)
    if not key.hmac:
        raise BadInput(where="adapter", expected="a secret beside it, for webhooks are signed", found="none")


async def rotate_key(
    pool: Pool, client_id: str, wanted: WantedKey, sealing: Sealing | None, *, keep_s: int, now_us: int
) -> Made:
    """Another key; those of its kind that there were end after `keep_s`, 0 at once. **Raises**: BadInput."""
    async with pool.transaction() as connection:
        client = await _open(connection, client_id)
        number = 1 + max((one.number for one in client.keys), default=0)
        key, made = _key(wanted, client_id, number, sealing, now_us)
        before = [one.number for one in client.keys if one.kind is key.kind and one.counts(now_us)]
        await clients.end_keys(connection, client_id, before, now_us + keep_s * SECOND_US)
        if not keep_s:
            await sessions.end_of_keys(connection, client_id, before, Ended.WITHDRAWN, now_us)
        after = [one for one in client.keys if one.counts(now_us) and (keep_s or one.number not in before)]
        if len(after) >= MOST_KEYS:
            raise BadInput(
                where="keys", expected=f"fewer than {MOST_KEYS} that count: revoke one", found=str(len(after))
            )
        await clients.add_key(connection, client_id, key)
        await audit.write(connection, record.administered("client.rotated", client.user, now_us))
    return made


async def revoke(pool: Pool, client_id: str, number: int | None, now_us: int) -> None:
    """Ends a client, or one key of it, with the tokens given for it, at once. **Raises**: BadInput."""
    async with pool.transaction() as connection:
        client = await _open(connection, client_id)
        if number is None:
            await clients.revoke_client(connection, client_id, now_us)
            await sessions.end_all(connection, client.user.person_id, Ended.WITHDRAWN, now_us)
            await audit.write(connection, record.administered("client.revoked", client.user, now_us))
            return
        if not await clients.end_keys(connection, client_id, [number], now_us):
            raise BadInput(where="key", expected="the number of a key that counts", found=str(number))
        await sessions.end_of_keys(connection, client_id, [number], Ended.WITHDRAWN, now_us)
        await audit.write(connection, record.administered("client.key_revoked", client.user, now_us))


async def list_clients(pool: Pool) -> Sequence[Client]:
    """All clients, revoked ones too."""
    async with pool.connection() as connection:
        await require_migrated(connection)
        return await clients.list_clients(connection)


async def _open(connection: Connection, client_id: str) -> Client:
    """A client that is not revoked, of which nobody gets a token until this transaction is over."""
    await require_migrated(connection)
    await clients.lock_client(connection, client_id)
    client = await clients.find_client(connection, client_id)
    if client is None or client.revoked_us is not None:
        raise BadInput(where="client id", expected="the id of a client that is not revoked", found=client_id)
    return client


def _key(
    wanted: WantedKey, client_id: str, number: int, sealing: Sealing | None, now_us: int
) -> tuple[Key, Made]:
    if wanted.public_key is not None:
        public = public_pem(public_key_from_pem(wanted.public_key))
        return Key(number, KeyKind.PUBLIC_KEY, now_us, public_key=public), Made(number)
    if wanted.certificate is not None:
        thumbprint = certificate_from_file(wanted.certificate).thumbprint
        return Key(number, KeyKind.CERTIFICATE, now_us, thumbprint=thumbprint), Made(number)
    if wanted.subject is not None:
        return Key(number, KeyKind.CERTIFICATE, now_us, subject=subject_of(wanted.subject)), Made(number)
    if sealing is None:
        raise BadInput(where="secret", expected="THUISWACHT_GATEWAY_KEY, to seal it with", found="none")
    ours = wanted.secret is None
    secret = secrets.token_bytes(SECRET_BYTES) if wanted.secret is None else secret_of(wanted.secret)
    sealed = sealing.seal(client_id, number, secret, secrets.token_bytes(NONCE_BYTES))
    made = Made(number, as_told(secret) if ours else None)
    return Key(number, KeyKind.HMAC, now_us, sealed_secret=sealed), made
