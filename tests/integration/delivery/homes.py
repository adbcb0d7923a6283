"""Homes with devices, and organisations that treat who lives there: what the front gate decides on."""

from uuid import UUID, uuid4

from models.db.pool import Connection
from models.identity import Identity, Keys

OURS, THEIRS = (UUID(int=n, version=4) for n in (11, 12))


async def make_organisations(admin: Connection) -> None:
    """Ours and another."""
    for organisation in (OURS, THEIRS):
        await admin.execute(
            "INSERT INTO organisation (organisation_id, name, kind, origin) "
            "VALUES ($1, 'Centrum', 'monitoring_centre', 'simulated')",
            organisation,
        )


async def make_patient(
    admin: Connection,
    *,
    treated_by: UUID | None = OURS,
    device: str | None = None,
    identity: tuple[Keys, Identity] | None = None,
) -> UUID:
    """A patient whom an organisation treats, with a device at home."""
    patient_id, owner = uuid4(), treated_by or THEIRS
    await admin.execute(
        "INSERT INTO registration (patient_id, organisation_id, origin) VALUES ($1, $2, 'simulated')",
        patient_id, owner,
    )  # fmt: skip
    await admin.execute(
        "INSERT INTO patient_care (patient_id, organisation_id, version) VALUES ($1, $2, 1)",
        patient_id, owner,
    )  # fmt: skip
    if treated_by is not None:
        await admin.execute(
            "INSERT INTO treatment_relation (patient_id, organisation_id) VALUES ($1, $2)",
            patient_id, treated_by,
        )  # fmt: skip
    if device is not None:
        await lend(admin, patient_id, device)
    if identity is not None:
        keys, who = identity
        sealed = keys.seal(patient_id, who, b"n" * 12)
        await admin.execute(
            "INSERT INTO patient_identity "
            "(patient_id, organisation_id, sealed, key_id, bsn_digest, name_digest) "
            "VALUES ($1, $2, $3, $4, $5, $6)",
            patient_id, owner, sealed.sealed, sealed.key_id, sealed.bsn_digest, sealed.name_digest,
        )  # fmt: skip
    return patient_id


async def lend(admin: Connection, patient_id: UUID, device: str) -> None:
    """A device goes to somebody's home."""
    await admin.execute(
        "INSERT INTO device_loan (patient_id, organisation_id, device_id, kind, handed_out_at) "
        "SELECT patient_id, organisation_id, $2, 'scale', clock_timestamp() FROM registration "
        "WHERE patient_id = $1",
        patient_id, device,
    )  # fmt: skip


async def take_back(admin: Connection, device: str) -> None:
    """It comes back."""
    await admin.execute(
        "UPDATE device_loan SET returned_at = clock_timestamp() WHERE device_id = $1 AND returned_at IS NULL",
        device,
    )


async def merge(admin: Connection, double: UUID, into: UUID) -> None:
    """A registration turns out to be a double."""
    await admin.execute(
        "INSERT INTO patient_care (patient_id, organisation_id, version, ended_at, merged_into) "
        "SELECT patient_id, organisation_id, 2, clock_timestamp(), $2 FROM registration "
        "WHERE patient_id = $1",
        double, into,
    )  # fmt: skip


async def object_to(admin: Connection, patient_id: UUID, organisation_id: UUID) -> None:
    """A patient does not want an organisation to have anything to do with their data."""
    await admin.execute(
        "INSERT INTO objection (patient_id, organisation_id, by) VALUES ($1, $2, gen_random_uuid())",
        patient_id, organisation_id,
    )  # fmt: skip
