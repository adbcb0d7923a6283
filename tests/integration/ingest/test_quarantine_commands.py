"""The commands `thuiswacht quarantine …`: the same acts as on the screen, by a declared person."""

import asyncio
from uuid import uuid4

from click.testing import CliRunner, Result

from ingest.quarantine.commands import quarantine
from models.db.pool import Connection
from models.errors import BadInput, NotAllowed
from tests.wire import HOSPITAL, PATIENT

_REFUSED = """
WITH message AS (
    INSERT INTO quarantine_message (cluster_id, topic, log_partition, log_offset, raw)
    SELECT 'c', 't', 3, n, '{}' FROM generate_series(1, 3) AS n RETURNING log_offset
), position AS (
    INSERT INTO log_position (consumer_group, cluster_id, topic, partition) VALUES ('g', 'c', 't', 3)
)
INSERT INTO quarantine (cluster_id, topic, log_partition, log_offset, log_position, patient_id, reason, field,
    expected, found, readings, device_id, source, kind)
SELECT 'c', 't', 3, log_offset, 0, $1, 'unknown_unit', 'unit', 'kg', 'stone', 1, 'scale-1', 'vendor-a',
    'body_weight' FROM message
"""


async def run(database: str, *arguments: str) -> Result:
    command = [*arguments, "--postgres", database]
    return await asyncio.to_thread(CliRunner().invoke, quarantine, command)


async def test_who_may_see_a_patient_lists_and_retries_what_was_refused(
    database: str, admin: Connection
) -> None:
    nurse, stranger = str(uuid4()), str(uuid4())
    await admin.execute("INSERT INTO organisation VALUES ($1, 'Hier', 'hospital', 'simulated')", HOSPITAL)
    await admin.execute(
        "INSERT INTO registration (patient_id, organisation_id, origin) VALUES ($1, $2, 'simulated')",
        PATIENT, HOSPITAL,
    )  # fmt: skip
    await admin.execute("INSERT INTO treatment_relation VALUES ($1, $2, now())", PATIENT, HOSPITAL)
    for person_id, role in ((nurse, "nurse"), (stranger, "huisarts")):
        await admin.execute("INSERT INTO person (person_id, name) VALUES ($1, 'Test')", person_id)
        await admin.execute("INSERT INTO person_role VALUES ($1, $2, $3)", person_id, HOSPITAL, role)
    await admin.execute(_REFUSED, PATIENT)

    listed = await run(database, "list", "--as", nurse)
    assert listed.output.count("unknown_unit") == 3
    assert "unit: expected kg, found stone  vendor-a scale-1 body_weight" in listed.output
    assert isinstance((await run(database, "list", "--as", stranger)).exception, NotAllowed)
    assert isinstance((await run(database, "retry", "--as", nurse)).exception, BadInput)
    assert isinstance((await run(database, "retry", "x", "--as", nurse)).exception, BadInput)

    one = await run(database, "retry", "3-2", "--as", nurse)
    assert one.output == "1 messages are tried again.\n"
    rest = await run(database, "retry", "--reason", "unknown_unit", "--as", nurse)
    assert rest.output == "2 messages are tried again.\n"
    assert (await run(database, "list", "--as", nurse)).output == ""
    assert (await run(database, "list", "--retried", "--as", nurse)).output.count("unknown_unit") == 3
    assert await admin.fetchval("SELECT count(*) FROM retry WHERE told_at IS NULL") == 3
