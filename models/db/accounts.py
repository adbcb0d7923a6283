"""People as the login knows them: local accounts, subjects of OpenID providers, failed attempts."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from models.access import Role, User
from models.clock import to_datetime, to_us
from models.db.directory import add_person
from models.db.pool import Connection
from models.throttle import NONE, Failures

_GIVE_ROLE = """
    INSERT INTO person_role (person_id, organisation_id, role, from_at, by_login) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT ON CONSTRAINT person_role_pkey DO UPDATE SET until_at = NULL
    WHERE person_role.by_login AND person_role.until_at IS NOT NULL
"""
_END_ROLES = """
    UPDATE person_role AS r SET until_at = greatest(r.from_at, $4)
    WHERE r.person_id = $1 AND r.by_login AND (r.until_at IS NULL OR r.until_at > $4) AND NOT EXISTS (
        SELECT FROM unnest($2::uuid[], $3::text[]) AS held (organisation_id, role)
        WHERE held.organisation_id = r.organisation_id AND held.role = r.role
    )
"""
_ACCOUNT = """
    SELECT account_id, name, person_id, organisation_id, role, password_argon2, totp_secret, totp_step
    FROM account WHERE removed_at IS NULL
"""


@dataclass(frozen=True, slots=True)
class Account:
    """A local account of a trial."""

    account_id: UUID
    name: str
    user: User
    password_argon2: str
    totp_secret: str
    totp_step: int


async def find_account(connection: Connection, name: str) -> Account | None:
    """The account of that name, unless it was removed."""
    row = await connection.fetchrow(f"{_ACCOUNT} AND name = $1", name)
    return None if row is None else _account(row)


async def list_accounts(connection: Connection) -> list[Account]:
    """All accounts that were not removed, by name."""
    return [_account(row) for row in await connection.fetch(f"{_ACCOUNT} ORDER BY name")]


async def add_account(connection: Connection, account: Account, now_us: int) -> None:
    """A new account; its person and role are there already."""
    user = account.user
    await connection.execute(
        "INSERT INTO account (account_id, name, person_id, organisation_id, role, password_argon2, "
        "totp_secret, added_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        account.account_id, account.name, user.person_id, user.organisation_id, user.role.value,
        account.password_argon2, account.totp_secret, to_datetime(now_us),
    )  # fmt: skip


async def remove_account(connection: Connection, account_id: UUID, now_us: int) -> None:
    """From now on nobody logs in by it; the name may be given again."""
    await connection.execute(
        "UPDATE account SET removed_at = $2 WHERE account_id = $1", account_id, to_datetime(now_us)
    )


async def use_step(connection: Connection, account_id: UUID, step: int) -> bool:
    """Whether this time step, or one after it, was not used before; by compare-and-set."""
    status = await connection.execute(
        "UPDATE account SET totp_step = $2 WHERE account_id = $1 AND totp_step < $2 AND removed_at IS NULL",
        account_id, step,
    )  # fmt: skip
    return status == "UPDATE 1"


async def is_known_browser(connection: Connection, account_id: UUID, token_sha256: bytes) -> bool:
    """Whether the account logged in from this browser before."""
    found: bool = await connection.fetchval(
        "SELECT EXISTS (SELECT FROM known_browser WHERE token_sha256 = $1 AND account_id = $2)",
        token_sha256, account_id,
    )  # fmt: skip
    return found


async def know_browser(connection: Connection, account_id: UUID, token_sha256: bytes, now_us: int) -> None:
    """The account logged in from this browser."""
    await connection.execute(
        "INSERT INTO known_browser VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        token_sha256, account_id, to_datetime(now_us),
    )  # fmt: skip


async def person_of(connection: Connection, issuer: str, subject: str) -> UUID | None:
    """Which person a subject of a provider is; None for one who never logged in."""
    found: UUID | None = await connection.fetchval(
        "SELECT person_id FROM login_identity WHERE issuer = $1 AND subject = $2", issuer, subject
    )
    return found


async def recognise(connection: Connection, issuer: str, subject: str, person_id: UUID, name: str) -> UUID:
    """The person of a subject: the one known, with the name as it is now, or a new one with this id."""
    # Two first logins of one subject at once make one person.
    await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 15))", f"{issuer} {subject}")
    known = await person_of(connection, issuer, subject)
    if known is not None:
        await connection.execute(
            "UPDATE person SET name = $2 WHERE person_id = $1 AND name <> $2", known, name
        )
        return known
    await add_person(connection, name, person_id=person_id)
    await connection.execute("INSERT INTO login_identity VALUES ($1, $2, $3)", issuer, subject, person_id)
    return person_id


async def known_organisations(connection: Connection, organisations: Collection[UUID]) -> set[UUID]:
    """Those of these organisations that are registered."""
    rows = await connection.fetch(
        "SELECT organisation_id FROM organisation WHERE organisation_id = ANY($1)", list(organisations)
    )
    return {row["organisation_id"] for row in rows}


async def give_role(connection: Connection, user: User, now_us: int, *, by_login: bool) -> None:
    """Somebody may act as this role there from now on; what an administrator ended stays ended."""
    await connection.execute(
        _GIVE_ROLE, user.person_id, user.organisation_id, user.role.value, to_datetime(now_us), by_login
    )


async def end_other_roles(
    connection: Connection, person_id: UUID, held: Collection[User], now_us: int
) -> None:
    """Ends the roles that a login gave and that are not among these."""
    await connection.execute(
        _END_ROLES, person_id, [user.organisation_id for user in held], [user.role.value for user in held],
        to_datetime(now_us),
    )  # fmt: skip


async def salt(connection: Connection) -> bytes:
    """What goes into the digests of addresses."""
    found: bytes = await connection.fetchval("SELECT salt FROM login_salt")
    return found


async def lock_failures(connection: Connection, keys: Collection[bytes]) -> dict[bytes, Failures]:
    """The failures of these keys, which nobody else counts until the transaction ends."""
    # In one order, so that two attempts never wait for each other. Where no row is, none can be locked.
    for key in sorted(keys):
        await connection.execute(
            "SELECT pg_advisory_xact_lock($1)", int.from_bytes(key[:8], "big", signed=True)
        )
    rows = await connection.fetch(
        "SELECT key_sha256, failures, failed_at, blocked_until_at FROM login_failure "
        "WHERE key_sha256 = ANY($1)",
        list(keys),
    )
    found = {row["key_sha256"]: _failures(row) for row in rows}
    return {key: found.get(key, NONE) for key in keys}


async def store_failures(connection: Connection, failures: Mapping[bytes, Failures | None]) -> None:
    """What is counted from now on; None: nothing."""
    await connection.execute(
        "DELETE FROM login_failure WHERE key_sha256 = ANY($1)",
        [key for key, one in failures.items() if one is None],
    )
    await connection.executemany(
        "INSERT INTO login_failure VALUES ($1, $2, $3, $4) ON CONFLICT (key_sha256) DO UPDATE SET "
        "failures = excluded.failures, failed_at = excluded.failed_at, "
        "blocked_until_at = excluded.blocked_until_at",
        [
            (
                key,
                one.count,
                to_datetime(one.failed_us),
                None if one.blocked_until_us is None else to_datetime(one.blocked_until_us),
            )
            for key, one in failures.items()
            if one is not None
        ],
    )


def _account(row: asyncpg.Record) -> Account:
    user = User(row["person_id"], row["organisation_id"], Role(row["role"]))
    return Account(
        row["account_id"], row["name"], user, row["password_argon2"], row["totp_secret"], row["totp_step"]
    )


def _failures(row: asyncpg.Record) -> Failures:
    blocked = row["blocked_until_at"]
    return Failures(row["failures"], to_us(row["failed_at"]), None if blocked is None else to_us(blocked))
