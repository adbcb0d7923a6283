"""All registrations of one person: the one that is asked about, and those that were merged into it."""

from collections.abc import Awaitable, Callable
from uuid import UUID

from models.db import rights
from models.db.pool import Connection

Require = Callable[[UUID], Awaitable[None]]
"""Decides for one more patient than the one who was asked about; raises where it is not allowed."""


async def registrations_of(connection: Connection, patient_id: UUID, require: Require) -> tuple[UUID, ...]:
    """The registrations, those first that were merged into another; each is decided on."""
    found: list[UUID] = []
    waiting = [patient_id]
    while waiting:
        one = waiting.pop()
        if one in found:
            continue
        if one != patient_id:
            await require(one)
        found.append(one)
        waiting += await rights.doubles_of(connection, one)
    return tuple(reversed(found))
