"""`thuiswacht explain --as`: who may see the patient is told, and the look is on record."""

from collections.abc import AsyncIterator
from dataclasses import replace
from uuid import UUID, uuid4

import asyncpg
import pytest

from alerting.explain.stored import explain_stored
from ingest.on_command import Who
from models.clock import DAY_US
from models.db.findings import write_findings
from models.db.migrate import migrate
from models.db.pool import Connection, Pool
from models.errors import BadInput
from models.findings import Finding, Severity, Signal, finding_id
from tests import shipped, wire
from tests.rows import T0_US


@pytest.fixture
async def admin(database: str) -> AsyncIterator[Connection]:
    """The superuser, with a patient whom one hospital treats."""
    connection = await asyncpg.connect(database)
    await connection.execute(
        "INSERT INTO organisation (organisation_id) VALUES ($1), ($2)", wire.HOSPITAL, OTHER
    )
    await connection.execute(
        "INSERT INTO registration (patient_id, organisation_id, origin) VALUES ($1, $2, 'simulated')",
        wire.PATIENT, wire.HOSPITAL,
    )  # fmt: skip
    await connection.execute(
        "INSERT INTO treatment_relation VALUES ($1, $2, now() - interval '1 day')",
        wire.PATIENT,
        wire.HOSPITAL,
    )
    yield connection
    await connection.close()


OTHER = UUID(int=99, version=4)
FINDING = Finding(
    finding_id=finding_id(wire.PATIENT, "heart_failure", "weight_gain_3d", T0_US),
    patient_id=wire.PATIENT,
    organisation_id=wire.HOSPITAL,
    programme="heart_failure",
    version=1,
    programme_hash="of another program",
    rule="weight_gain_3d",
    signal=Signal.FLUID,
    severity=Severity.MEDIUM,
    opened_at_us=T0_US,
    log_partition=0,
    opening=(),
)


async def nurse(admin: Connection, organisation_id: UUID) -> Who:
    person_id = uuid4()
    await admin.execute("INSERT INTO person (person_id, name) VALUES ($1, 'Test')", person_id)
    await admin.execute("INSERT INTO person_role VALUES ($1, $2, 'nurse')", person_id, organisation_id)
    return Who(person_id)


async def test_who_treats_the_patient_is_told_and_on_record(
    admin: Connection, database: str, pool: Pool
) -> None:
    async with pool.transaction() as connection:
        await write_findings(
            connection, [FINDING, replace(FINDING, finding_id=uuid4(), opened_at_us=T0_US - DAY_US)]
        )
    ours = await nurse(admin, wire.HOSPITAL)
    explanation = await explain_stored(database, FINDING.finding_id, shipped.programmes(), ours)
    assert explanation.finding.finding_id == FINDING.finding_id
    (row,) = await admin.fetch("SELECT * FROM audit")
    assert (row["event_code"], row["outcome"], row["ground"]) == ("patient.read", "allowed", "treatment")
    assert (row["patients"], row["user_id"], row["source"]) == (
        [wire.PATIENT],
        str(ours.person_id),
        "thuiswacht.cli",
    )


async def test_for_others_there_is_no_such_finding(admin: Connection, database: str, pool: Pool) -> None:
    async with pool.transaction() as connection:
        await write_findings(connection, [FINDING])
    theirs = await nurse(admin, OTHER)
    with pytest.raises(BadInput, match="the id of a finding in this database"):
        await explain_stored(database, FINDING.finding_id, shipped.programmes(), theirs)
    (row,) = await admin.fetch("SELECT * FROM audit")
    assert (row["outcome"], row["patients"]) == ("failed", [])


async def test_in_a_live_database_somebody_says_who_looks(empty_database: str) -> None:
    await migrate(empty_database, purpose="live")
    with pytest.raises(BadInput, match="who looks, in a live database"):
        await explain_stored(empty_database, FINDING.finding_id, shipped.programmes())
