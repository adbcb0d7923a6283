"""A patient with something in every table, a nurse who treats them, and who sees to their rights."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from ingest.on_command import Who
from models.access import Role
from models.db.pool import Connection, Pool, connect

OURS, THEIRS = UUID(int=1, version=4), UUID(int=2, version=4)
TAKEN_AT = datetime(2026, 11, 22, 7, 12, tzinfo=UTC)
PLACE = ("cluster", "log", 0)


@dataclass(frozen=True)
class World:
    """Ids of those who are there."""

    officer: UUID
    nurse: UUID
    patient: UUID
    other: UUID

    @property
    def as_officer(self) -> Who:
        return Who(self.officer)


@pytest.fixture
async def auditor(database: str) -> AsyncIterator[Pool]:
    """What who verifies the audit log may do."""
    pool = await connect(database, role="thuiswacht_audit", application="test", max_size=1)
    yield pool
    await pool.close()


@pytest.fixture
async def world(admin: Connection) -> World:
    """Two organisations, two people, two patients of the first organisation."""
    await admin.execute(
        "INSERT INTO organisation (organisation_id, name, kind) VALUES "
        "($1, 'Ziekenhuis Duin', 'hospital'), ($2, 'Praktijk Vlier', 'gp_practice')",
        OURS, THEIRS,
    )  # fmt: skip
    officer = await person(admin, "F. Kuipers", Role.PRIVACY_OFFICER)
    nurse = await person(admin, "M. Jansen", Role.NURSE)
    await admin.execute("SELECT ensure_reading_partitions(ARRAY['2026-11-01'::date])")
    await admin.execute(
        "INSERT INTO log_position (consumer_group, cluster_id, topic, partition, next_offset) "
        "VALUES ('thuiswacht.ingest', $1, $2, $3, 100), ('thuiswacht.alerting', $1, $2, $3, 100)",
        *PLACE,
    )
    return World(officer, nurse, await record(admin, nurse, 10), await record(admin, nurse, 20))


async def person(admin: Connection, name: str, role: Role, organisation: UUID = OURS) -> UUID:
    """Somebody who may act as this role there."""
    person_id = uuid4()
    await admin.execute("INSERT INTO person (person_id, name) VALUES ($1, $2)", person_id, name)
    await admin.execute(
        "INSERT INTO person_role (person_id, organisation_id, role, from_at) "
        "VALUES ($1, $2, $3, '2020-01-01Z')",
        person_id, organisation, role.value,
    )  # fmt: skip
    return person_id


FILL = """
INSERT INTO registration (patient_id, organisation_id, origin, entered_at)
    VALUES ('{p}', '{o}', 'simulated', '2026-11-01Z');
INSERT INTO treatment_relation VALUES ('{p}', '{o}', '2026-11-01Z');
INSERT INTO consent (patient_id, organisation_id, from_at, by) VALUES ('{p}', '{t}', '2026-11-02Z', '{n}');
INSERT INTO objection (patient_id, organisation_id, from_at, until_at, by, reason)
    VALUES ('{p}', '{t}', '2026-11-03Z', '2026-11-04Z', '{n}', 'liever niet');
INSERT INTO emergency_access VALUES
    (gen_random_uuid(), '{p}', '{n}', '{o}', '2026-11-05Z', '2026-11-05 01:00Z', 'does not answer the door');
INSERT INTO patient VALUES
    ('{p}', '{o}', 'simulated', 'De Vlier', 'Loosduinen', 'nl', 'cluster', 'log', 0, {f}, '2026-11-01Z');
INSERT INTO patient_change VALUES
    ('{p}', '{o}', gen_random_uuid(), 'cluster', 'log', 0, {f}, '2026-11-01Z', '2026-11-01Z', false,
     '{{"register": {{"origin": "simulated", "organisation_id": "{o}"}}}}'),
    ('{p}', '{o}', gen_random_uuid(), 'cluster', 'log', 0, {f} + 1, '2026-11-01Z', '2026-11-01Z', false,
     '{{"enrol": {{"programme": "heart_failure", "version": 1,
        "limits": {{"weight": {{"value": 2.5, "unit": "kg", "set_by": "nurse"}}}}}}}}');
INSERT INTO reading (taken_at, received_at, log_offset, value, value_received, revision, log_position, kind,
    log_partition, code, void, too_late, patient_id, organisation_id, upload_id, device_id, source,
    unit_received, code_received, absent, text)
SELECT at, at + interval '1 minute', {f} + 2, value, received, revision, place, kind, 0, code, void, false,
    '{p}', '{o}', gen_random_uuid(), device, 'vendor-a', unit, code_received, absent, said
FROM (VALUES
    ('2026-11-22 07:12Z'::timestamptz, 81.4::float8, 81400::float8, 0, 0, 0, NULL::smallint, false,
     'scale-1', 'g', NULL, NULL, NULL),
    ('2026-11-21 07:12Z', 81.0, 81.0, 0, 1, 0, NULL, false, 'scale-1', 'kg', NULL, NULL, NULL),
    ('2026-11-21 07:12Z', 80.9, 80.9, 1, 2, 0, NULL, false, 'scale-1', 'kg', NULL, NULL, NULL),
    ('2026-11-20 07:12Z', 79.0, 79.0, 0, 3, 0, NULL, false, 'scale-1', 'kg', NULL, NULL, NULL),
    ('2026-11-20 07:12Z', NULL, NULL, 0, 4, 0, NULL, true, 'scale-1', NULL, NULL, NULL, NULL),
    ('2026-11-22 07:13Z', 140, 140, 0, 5, 1, NULL, false, 'cuff-1', 'mm[Hg]', NULL, NULL, NULL),
    ('2026-11-22 07:14Z', NULL, NULL, 0, 6, 19, 2, false, 'form', NULL, 'moderate', NULL, NULL),
    ('2026-11-22 07:15Z', NULL, NULL, 0, 7, 4, NULL, false, 'cuff-1', NULL, NULL, 'not-performed', NULL),
    ('2026-11-22 07:16Z', NULL, NULL, 0, 8, 19, NULL, false, 'form2', NULL, NULL, NULL, 'sliep slecht')
) AS r (at, value, received, revision, place, kind, code, void, device, unit, code_received, absent, said);
INSERT INTO quarantine_message (cluster_id, topic, log_partition, log_offset, organisation_id, raw)
    VALUES ('cluster', 'log', 0, {f} + 3, '{o}', '\\x7b7d');
INSERT INTO quarantine (cluster_id, topic, log_partition, log_offset, log_position, patient_id,
    organisation_id, reason, field, expected, found, readings)
    VALUES ('cluster', 'log', 0, {f} + 3, 0, '{p}', '{o}', 'sentinel', 'value', 'a measured value', '0', 1);
INSERT INTO finding (patient_id, finding_id, organisation_id, programme, version, programme_hash, rule,
    signal, severity, opened_at, cleared_at, opening, log_partition)
    VALUES ('{p}', '{q}', '{o}', 'heart_failure', 1, 'h', 'weight_up', 'fluid', 'high', '2026-11-22Z', NULL,
    '{{}}', 0);
INSERT INTO alert (patient_id, alert_id, organisation_id, origin, signal, severity, opened_at)
    VALUES ('{p}', '{a}', '{o}', 'simulated', 'fluid', 'high', '2026-11-22Z');
INSERT INTO alert_finding (patient_id, alert_id, finding_id, joined_at, organisation_id)
    VALUES ('{p}', '{a}', '{q}', '2026-11-22Z', '{o}');
INSERT INTO alert_event (patient_id, alert_id, organisation_id, happened_at, event, by)
    VALUES ('{p}', '{a}', '{o}', '2026-11-22Z', 'opened', 'engine');
INSERT INTO reevaluation (patient_id, organisation_id, cluster_id, topic, log_partition, log_offset, from_at)
    VALUES ('{p}', '{o}', 'cluster', 'log', 0, {f} + 2, '2026-11-20Z');
INSERT INTO measurement_request (patient_id, kind, taken_at, request_id, organisation_id, origin,
    log_partition, due_at, reason, status, value, former, asked_at, changed_at)
    VALUES ('{p}', 'body_weight', '2026-11-22 07:12Z', gen_random_uuid(), '{o}', 'simulated', 0,
    '2026-11-22 11:00Z', 'jump', 'confirmed', 81.4, 72, '2026-11-22Z', '2026-11-22Z');
INSERT INTO call (patient_id, call_id, organisation_id, alert_id, by, happened_at, outcome, written_at)
    VALUES ('{p}', gen_random_uuid(), '{o}', '{a}', '{n}', '2026-11-22Z', 'reached', '2026-11-22Z');
INSERT INTO incident (incident_id, source, began_at, noticed_at, patients)
    VALUES ('{p}', 'vendor-{f}', '2026-11-22Z', '2026-11-22Z', 3);
INSERT INTO incident_alert (patient_id, alert_id, organisation_id, incident_id, held_at)
    VALUES ('{p}', '{a}', '{o}', '{p}', '2026-11-22Z');
"""


async def record(admin: Connection, nurse: UUID, first_offset: int) -> UUID:
    """A patient of ours with something in every table."""
    patient_id = uuid4()
    await admin.execute(
        FILL.format(p=patient_id, q=uuid4(), a=uuid4(), o=OURS, t=THEIRS, n=nurse, f=first_offset)
    )
    return patient_id


async def end_follow_up(admin: Connection, patient_id: UUID, offset: int = 50) -> None:
    """The end of the follow-up, as ingest stores it."""
    await admin.execute(
        "INSERT INTO patient_change VALUES ($1, $2, gen_random_uuid(), $3, $4, $5, $6, '2026-11-23Z', "
        "'2026-11-23Z', false, '{\"end\": {\"reason\": \"withdrew\"}}')",
        patient_id, OURS, *PLACE, offset,
    )  # fmt: skip


async def rows_of(admin: Connection, patient_id: UUID) -> dict[str, int]:
    """How many rows each table holds of a patient."""
    tables = [row["name"] for row in await admin.fetch("SELECT tables_of_patients()::text AS name")]
    counts = {
        table: await admin.fetchval(f"SELECT count(*) FROM {table} WHERE patient_id = $1", patient_id)
        for table in tables
    }
    return {table: count for table, count in counts.items() if count}
