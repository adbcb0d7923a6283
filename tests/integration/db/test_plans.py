"""The hot queries find their rows by the key, also when the planner knows nothing of the tables yet."""

from datetime import UTC, datetime
from uuid import UUID

import numpy as np

from models.clock import DAY_US
from models.db.partitions import ensure_partitions
from models.db.pool import Connection, Pool
from models.db.readings import NEWEST, TELL_APART, copy_readings, stage_readings
from tests.rows import T0_US, Row, readings

PATIENTS = [UUID(int=number, version=4) for number in range(200)]


async def filled(connection: Connection) -> None:
    await ensure_partitions(connection, T0_US - 60 * DAY_US, T0_US)
    rows = [
        Row(offset, patient_id=patient, taken_at_us=T0_US - day * DAY_US, kind=offset % 3)
        for offset, (day, patient) in enumerate((day, patient) for day in range(60) for patient in PATIENTS)
    ]
    await copy_readings(connection, [readings(rows)])


async def plan(connection: Connection, statement: str, *arguments: object) -> str:
    return "\n".join(row[0] for row in await connection.fetch("EXPLAIN " + statement, *arguments))


async def test_telling_duplicates_from_conflicts(ingest: Pool) -> None:
    async with ingest.transaction() as connection:
        await filled(connection)
        batch = readings([Row(50_000 + offset, patient_id=one) for offset, one in enumerate(PATIENTS)])
        await stage_readings(connection, [batch])
        found = await plan(connection, TELL_APART)
    assert "Index Scan using reading_2026_11_pkey" in found
    assert "Seq Scan on reading_2" not in found


async def test_the_newest_known(ingest: Pool) -> None:
    since = datetime.fromtimestamp(T0_US / 1e6, UTC)
    async with ingest.transaction() as connection:
        await filled(connection)
        for start in (since, datetime(1970, 1, 1, tzinfo=UTC)):
            found = await plan(
                connection,
                NEWEST,
                PATIENTS[:50],
                np.zeros(50, np.int16).tolist(),
                ["scale-1"] * 50,
                [start] * 50,
            )
            assert "using reading_2026_11_pkey" in found
            assert "Seq Scan on reading_2" not in found
