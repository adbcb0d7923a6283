"""Who was destroyed stays away: while the workers run, and when the whole log is read again."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from alerting.escalation.policy_files import load_policies
from alerting.worker import AlertingHandler
from ingest.handler import Handler
from ingest.on_command import Who, acting_as
from ingest.rights.destruction import destroy_on_request
from ingest.worker import IngestHandler
from models.access import Action, Role
from models.audit import Kind
from models.db.pool import Connection, Pool
from models.errors import NotMine
from models.settings import load_settings
from tests import shipped
from tests.integration.alerting.following import CLUSTER, PARTITION, TOPIC, Record
from tests.integration.rights.conftest import person, rows_of
from tests.wire import (
    HOSPITAL,
    PATIENT,
    RECEIVED_AT_US,
    TAKEN_AT_US,
    change,
    clock,
    reading,
    registration,
    upload,
)

OTHER = UUID(int=5, version=4)
DAY_US = 86_400_000_000


async def read_on(handler: Handler[Any], log: Sequence[Record], start: int) -> int:
    """The worker reads the log to its end, message by message; how often it had to take over anew."""
    taken_over = 0
    while start < len(log):
        try:
            await handler.commit(handler.prepare({PARTITION: [log[start]]}))
            start += 1
        except NotMine:
            taken_over += 1
            await handler.dropped([PARTITION])
            start = (await handler.assigned(CLUSTER, [PARTITION], 1))[PARTITION]
    return taken_over


async def destroy(people: Pool, admin: Connection) -> None:
    await admin.execute("INSERT INTO registration VALUES ($1, $2, 'simulated')", PATIENT, HOSPITAL)
    officer = await person(admin, "F. Kuipers", Role.PRIVACY_OFFICER, HOSPITAL)
    reason = "asked for in writing"
    async with acting_as(
        people, Who(officer), Action.DESTRUCTION, Kind.DELETE, patient_id=PATIENT, reason=reason
    ) as deed:
        done = await destroy_on_request(deed.connection, PATIENT, deed.require, deed.decision, reason)
        assert done.is_done, done.obstacle


def enrolled(patient: UUID) -> list[bytes]:
    return [
        registration(patient),
        change("enrol", {"programme": "heart_failure", "version": 1}, patient=patient),
        upload(reading(taken_at_us=TAKEN_AT_US - 1), patient=patient, name="first"),
    ]


async def test_nothing_of_a_destroyed_patient_comes_back(
    storing_pool: Pool, pool: Pool, people: Pool, admin: Connection
) -> None:
    values = [
        clock(RECEIVED_AT_US),
        *enrolled(PATIENT),
        *enrolled(OTHER),
        change("end", {"reason": "withdrew"}),
    ]
    before = len(values)
    values += [
        upload(reading(taken_at_us=TAKEN_AT_US + 1), name="still measures"),
        upload(reading(value=-100), name="and wrongly"),
        clock(RECEIVED_AT_US + 5 * DAY_US),
        upload(patient=OTHER),
    ]
    log = [Record(offset, value) for offset, value in enumerate(values)]
    storing = IngestHandler(storing_pool, load_settings(topic=TOPIC))
    alerting = AlertingHandler(pool, shipped.compiled(), load_policies(), load_settings(topic=TOPIC))
    for handler in (storing, alerting):
        start = (await handler.assigned(CLUSTER, [PARTITION], 1))[PARTITION]
        assert await read_on(handler, log[:before], start) == 0
    assert (await rows_of(admin, PATIENT))["reading"] == 1

    await destroy(people, admin)
    assert await rows_of(admin, PATIENT) == {}
    # The same workers, who have known the patient, and only now hear of it.
    assert await read_on(storing, log, before) == 1
    assert await read_on(alerting, log, before) == 1
    assert await rows_of(admin, PATIENT) == {"quarantine": 2}
    refused = await admin.fetch(
        "SELECT reason, found, notice_code, raw FROM quarantine JOIN quarantine_message USING (log_offset)"
    )
    assert [tuple(row) for row in refused] == [("destroyed_patient", "-", None, b"")] * 2
    assert (await rows_of(admin, OTHER))["reading"] == 2

    # And the whole log once more, from its beginning, into a database that has but the tombstones.
    await admin.execute(
        "TRUNCATE reading, patient, patient_change, finding, alert, quarantine, quarantine_message, "
        "log_position, source_activity, reevaluation CASCADE"
    )
    for again in (
        IngestHandler(storing_pool, load_settings(topic=TOPIC)),
        AlertingHandler(pool, shipped.compiled(), load_policies(), load_settings(topic=TOPIC)),
    ):
        start = (await again.assigned(CLUSTER, [PARTITION], 1))[PARTITION]
        await read_on(again, log, start)
    assert set(await rows_of(admin, PATIENT)) == {"quarantine"}
    raw = await admin.fetch(
        "SELECT DISTINCT raw FROM quarantine_message AS m JOIN quarantine AS q USING (log_offset) "
        "WHERE q.patient_id = $1",
        PATIENT,
    )
    assert [row["raw"] for row in raw] == [b""]
    assert (await rows_of(admin, OTHER))["reading"] == 2
