"""Names and national numbers: sealed on the way in, opened on the way out, by two functions of Postgres."""

import secrets
from collections.abc import Mapping, Sequence
from datetime import date
from uuid import UUID

import asyncpg

from models.bsn import Bsn
from models.db.pool import Connection
from models.errors import BadInput
from models.identity import NONCE_BYTES, Identity, Keys

_WRITE = "SELECT write_identities($1::uuid[], $2::bytea[], $3, $4::bytea[], $5::bytea[], true)"
_FREE = "SELECT write_identities($1::uuid[], ARRAY[NULL]::bytea[], NULL, NULL, NULL, false)"
_READ = "SELECT patient_id, sealed, key_id FROM read_identities($1::uuid[], $2, $3)"


async def identities(
    connection: Connection,
    keys: Keys,
    *,
    patients: Sequence[UUID] = (),
    bsn: Bsn | None = None,
    name: tuple[str, date] | None = None,
) -> dict[UUID, Identity]:
    """Who these patients are, and who has this number, or this family name and birth date.

    Of patients whom the declared user may see for what they do, and of nobody else.
    **Raises**: Broken when one does not open.
    """
    rows = await connection.fetch(
        _READ,
        list(patients),
        None if bsn is None else keys.bsn_digest(bsn),
        None if name is None else keys.name_digest(*name),
    )
    return {row["patient_id"]: keys.open(row["patient_id"], row["sealed"], row["key_id"]) for row in rows}


async def write_identities(connection: Connection, keys: Keys, persons: Mapping[UUID, Identity]) -> None:
    """Seals and stores who patients are.

    **Raises**: BadInput when a number is another patient's; the transaction is over then.
    """
    sealed = [keys.seal(who, one, secrets.token_bytes(NONCE_BYTES)) for who, one in persons.items()]
    try:
        await connection.execute(
            _WRITE,
            list(persons),
            [one.sealed for one in sealed],
            keys.key_id,
            [one.bsn_digest for one in sealed],
            [one.name_digest for one in sealed],
        )
    except asyncpg.UniqueViolationError as error:
        if error.constraint_name != "patient_identity_bsn_once":
            raise
        raise BadInput(
            where="identity.bsn",
            expected="a BSN that nobody is registered with",
            found="one that somebody is: search for it, or ask who treats them",
            reason="bsn_taken",
        ) from None


async def free_number(connection: Connection, patient_id: UUID) -> None:
    """From now on the same person may be registered anew."""
    await connection.execute(_FREE, [patient_id])
