"""Adding and removing local accounts, on record."""

import re
from dataclasses import dataclass
from uuid import UUID, uuid4

from ingest.gateway.login import record
from ingest.gateway.login.passwords import LONGEST, SHORTEST, hash_password, new_totp_secret, otpauth
from models.access import Role, User
from models.clock import wall_now_us
from models.db import accounts, audit
from models.db import sessions as stored
from models.db.accounts import Account
from models.db.directory import add_person
from models.db.installation import purpose, require_migrated
from models.db.pool import Connection, Pool
from models.errors import BadInput, RefuseToStart
from models.sessions import Ended

_NAME = re.compile(r"[a-z0-9][a-z0-9._@-]{1,62}")


@dataclass(frozen=True, slots=True)
class WantedAccount:
    """An account as it is asked for."""

    name: str
    person_name: str
    organisation_id: UUID
    role: str
    password: str


@dataclass(frozen=True, slots=True)
class AddedAccount:
    """What is shown once."""

    name: str
    totp_secret: str
    otpauth: str


async def add_account(pool: Pool, wanted: WantedAccount) -> AddedAccount:
    """Adds an account with a person of its own. **Raises**: RefuseToStart on a live database; BadInput."""
    role = _role(wanted.role)
    name = _plain(wanted.name.lower(), "name")
    if not SHORTEST <= len(wanted.password) <= LONGEST:
        raise BadInput(
            where="password",
            expected=f"{SHORTEST} to {LONGEST} characters",
            found="fewer or more",
        )
    hashed, secret, now_us = hash_password(wanted.password), new_totp_secret(), wall_now_us()
    async with pool.transaction() as connection:
        await _require_trial(connection)
        await _require_organisation(connection, wanted.organisation_id)
        if await accounts.find_account(connection, name) is not None:
            raise BadInput(where="name", expected="a name that nobody has", found=name)
        user = User(uuid4(), wanted.organisation_id, role)
        await add_person(connection, wanted.person_name, person_id=user.person_id)
        await accounts.give_role(connection, user, now_us, by_login=False)
        await accounts.add_account(connection, Account(uuid4(), name, user, hashed, secret, 0), now_us)
        await audit.write(connection, record.administered("account.added", user, now_us))
    return AddedAccount(name, secret, otpauth(secret, name))


async def list_accounts(pool: Pool) -> list[Account]:
    """All accounts."""
    async with pool.connection() as connection:
        await require_migrated(connection)
        return await accounts.list_accounts(connection)


async def remove_account(pool: Pool, name: str) -> None:
    """Removes an account and ends its sessions. **Raises**: BadInput."""
    now_us = wall_now_us()
    async with pool.transaction() as connection:
        await _require_trial(connection)
        found = await accounts.find_account(connection, name.lower())
        if found is None:
            raise BadInput(where="name", expected="the name of an account", found=name)
        await accounts.remove_account(connection, found.account_id, now_us)
        await _withdraw(connection, found.user, "account.removed", now_us)


async def _withdraw(connection: Connection, user: User, code: str, now_us: int) -> None:
    await stored.end_all(connection, user.person_id, Ended.WITHDRAWN, now_us)
    await audit.write(connection, record.administered(code, user, now_us))


async def _require_trial(connection: Connection) -> None:
    await require_migrated(connection)
    if await purpose(connection) != "trial":
        raise RefuseToStart(
            "This is a live database: people log in at their organisation's OpenID provider. Local accounts "
            "are for trial databases only."
        )


async def _require_organisation(connection: Connection, organisation_id: UUID) -> None:
    if not await accounts.known_organisations(connection, {organisation_id}):
        raise BadInput(
            where="organisation", expected="the id of a registered organisation", found=str(organisation_id)
        )


def _role(name: str) -> Role:
    roles = [role for role in Role if role is not Role.SERVICE]
    if name not in roles:
        raise BadInput(where="role", expected=f"one of {', '.join(roles)}", found=name)
    return Role(name)


def _plain(text: str, where: str) -> str:
    if not _NAME.fullmatch(text):
        raise BadInput(where=where, expected="2 to 63 of a-z, 0-9 and . _ - @", found=text)
    return text
