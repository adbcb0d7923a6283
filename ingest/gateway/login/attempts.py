"""Attempts to log in, counted before they are looked at, so that many at once count as many."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from ingest.gateway.login import record
from models.access import User
from models.db import accounts, audit
from models.db.pool import Connection
from models.throttle import Counted, Failures, after_failure, after_success, wait_us


@dataclass(frozen=True, slots=True)
class Attempt:
    """What an attempt counts for; `keys` say where."""

    keys: Mapping[Counted, bytes]
    wait_us: int
    """For so long nothing is looked at; 0: look."""
    failures: Mapping[Counted, Failures]
    """As they are if this one fails."""


async def count(connection: Connection, what: Mapping[Counted, str], now_us: int) -> Attempt:
    """Counts an attempt as failed, unless one has to wait: then it counts for nothing."""
    salt = await accounts.salt(connection)
    keys = {counted: key_of(salt, counted, text) for counted, text in what.items()}
    before = await accounts.lock_failures(connection, keys.values())
    waiting_us = wait_us(before.values(), now_us)
    if waiting_us:
        return Attempt(keys, waiting_us, {})
    after = {counted: after_failure(counted, before[key], now_us) for counted, key in keys.items()}
    await accounts.store_failures(connection, {keys[counted]: one for counted, one in after.items()})
    return Attempt(keys, 0, after)


async def take_back(connection: Connection, attempt: Attempt) -> None:
    """The attempt was right: it does not count."""
    now = await accounts.lock_failures(connection, attempt.keys.values())
    left = {key: after_success(counted, now[key]) for counted, key in attempt.keys.items()}
    await accounts.store_failures(connection, left)


async def record_failure(
    connection: Connection, attempt: Attempt, door: record.Door, user: User | None, why: str, now_us: int
) -> None:
    """Writes the refusal, and each lock-out that it brought about."""
    await audit.write(connection, record.refused(door, user, why, now_us))
    for counted, failures in attempt.failures.items():
        if failures.blocked_until_us is not None:
            await audit.write(connection, record.blocked(door, user, counted.value, now_us))


def key_of(salt: bytes, counted: Counted, text: str) -> bytes:
    """By which failures are stored: no address and no name can be read from it."""
    return hashlib.sha256(salt + f"{counted}:{text}".encode()).digest()
