"""Patients, their changes and what was refused: into the tables and back, unaltered."""

from uuid import UUID

import pytest

from models.changes import PlacedChange
from models.columns import Reason, Refusal
from models.db.patients import load_changes, load_patients, store_changes
from models.db.pool import Connection, Pool
from models.db.quarantine import Message, quarantine
from models.errors import Broken
from models.messages import Change, Origin
from tests import wire

LOG = ("cluster", "topic")
LIMITS = {
    "programme": "heart_failure",
    "version": 1,
    "limits": {"gain_3d": {"value": 1.36077711, "unit": "kg", "set_by": "nurse", "until_us": 5}},
    "schedule": {"weight_daily": {"before": "11:00", "on": ["mon", "thu"], "set_by": "nurse"}},
}


def placed(raw: bytes, offset: int, effective_from_us: int = 1_795_332_600_000_001) -> PlacedChange:
    return PlacedChange(2, offset, Change.model_validate_json(raw), effective_from_us)


CHANGES = [
    placed(wire.registration(), 3),
    placed(wire.change("enrol", LIMITS, valid_from_us=1_795_332_600_000_007), 5),
    placed(wire.change("limits", {"programme": "heart_failure", "limits": {"gain_3d": None}}), 6),
    placed(wire.change("pause", {}, correction=True), 9),
    placed(wire.registration(wire.STRANGER, origin="canary"), 11),
    placed(wire.change("end", {"reason": "finished"}), 12),
]


async def test_changes_come_back_as_they_were(ingest: Pool, alerting: Pool) -> None:
    async with ingest.transaction() as connection:
        await store_changes(connection, *LOG, CHANGES)
        await store_changes(connection, *LOG, [])
    async with alerting.connection() as connection:
        assert await load_changes(connection, *LOG, 2) == CHANGES
        assert await load_changes(connection, *LOG, 2, below_offset=9) == CHANGES[:3]
        assert await load_changes(connection, *LOG, 2, patient_ids=[wire.STRANGER]) == CHANGES[4:5]
        assert await load_changes(connection, *LOG, 1) == []


async def test_twice_is_once(ingest: Pool) -> None:
    async with ingest.transaction() as connection:
        await store_changes(connection, *LOG, CHANGES)
        await store_changes(connection, *LOG, CHANGES)
        assert await load_changes(connection, *LOG, 2) == CHANGES


async def test_patients_are_known_from_their_registration_on(ingest: Pool) -> None:
    async with ingest.transaction() as connection:
        await store_changes(connection, *LOG, CHANGES)
        first, second = await load_patients(connection, *LOG, 2)
        assert await load_patients(connection, *LOG, 2, below_offset=11) == [first]
        assert await load_patients(connection, *LOG, 0) == []
    assert (first.patient_id, first.known_from, first.origin) == (wire.PATIENT, 3, Origin.SIMULATED)
    assert (first.organisation_id, first.language) == (wire.HOSPITAL, "nl")
    assert (second.patient_id, second.known_from, second.origin) == (wire.STRANGER, 11, Origin.CANARY)


async def test_the_first_registration_counts(ingest: Pool) -> None:
    again = placed(wire.registration(origin="canary"), 4)
    async with ingest.transaction() as connection:
        await store_changes(connection, *LOG, [CHANGES[0], again])
        (patient,) = await load_patients(connection, *LOG, 2)
    assert (patient.known_from, patient.origin) == (3, Origin.SIMULATED)


async def test_a_change_of_nobody_is_a_mistake_of_ours(ingest: Pool) -> None:
    async with ingest.transaction() as connection:
        with pytest.raises(Broken, match=str(wire.PATIENT)):
            await store_changes(connection, *LOG, CHANGES[1:2])


async def test_an_organisation_keeps_its_name(ingest: Pool, admin: Connection) -> None:
    await admin.execute(
        "INSERT INTO organisation (organisation_id, name, kind) VALUES ($1, 'Ziekenhuis', 'hospital')",
        wire.HOSPITAL,
    )
    async with ingest.transaction() as connection:
        await store_changes(connection, *LOG, CHANGES)
    assert await admin.fetchval("SELECT name FROM organisation WHERE origin IS NULL") == "Ziekenhuis"


def refusal(offset: int, position: int, reason: Reason, patient: str | None, found: str = "x") -> Refusal:
    return Refusal(2, offset, position, reason, "value", "a number", found, patient_id=patient)


async def test_what_was_refused_is_kept_with_its_bytes(ingest: Pool, admin: Connection) -> None:
    poison = b'{"text": "\\u0000 \xff"'
    refusals = [
        refusal(20, -1, Reason.INVALID_JSON, None, "a\0b\ud800" + "c" * 1000),
        refusal(21, 0, Reason.IMPLAUSIBLE, str(wire.PATIENT)),
        refusal(21, 4, Reason.SENTINEL, str(wire.PATIENT)),
        refusal(22, 0, Reason.UNKNOWN_PATIENT, str(wire.STRANGER)),
        refusal(23, 0, Reason.INVALID_FIELD, "not an id"),
    ]
    messages = {
        (2, 20): Message(poison),
        (2, 21): Message(
            b"b", 1_795_332_681_200_000, "scale-1", "vendor-a", ("body_weight", None), retry_of=(1, 7)
        ),
        (2, 22): Message(b"c"),
        (2, 23): Message(b"d"),
        (2, 24): Message(b"not refused"),
    }
    async with ingest.transaction() as connection:
        await store_changes(connection, *LOG, CHANGES[:1])
        for _ in range(2):
            await quarantine(connection, *LOG, refusals, messages)
        await quarantine(connection, *LOG, [], {})
    stored = await admin.fetch(
        "SELECT log_offset, raw, organisation_id, received_at FROM quarantine_message ORDER BY log_offset"
    )
    assert [row["raw"] for row in stored] == [poison, b"b", b"c", b"d"]
    assert [row["organisation_id"] for row in stored] == [None, wire.HOSPITAL, None, None]
    assert [row["received_at"] is None for row in stored] == [True, False, True, True]
    kept = await admin.fetch("SELECT * FROM quarantine ORDER BY log_offset, log_position")
    assert [(row["log_offset"], row["log_position"], row["reason"]) for row in kept] == [
        (20, -1, "invalid_json"),
        (21, 0, "implausible"),
        (21, 4, "sentinel"),
        (22, 0, "unknown_patient"),
        (23, 0, "invalid_field"),
    ]
    patients: list[UUID | None] = [None, wire.PATIENT, wire.PATIENT, wire.STRANGER, None]
    assert [row["patient_id"] for row in kept] == patients
    senders = [
        tuple(row[name] for name in ("device_id", "source", "kind", "retry_of_offset")) for row in kept
    ]
    assert senders == [
        (None,) * 4, ("scale-1", "vendor-a", "body_weight", 7), ("scale-1", "vendor-a", None, 7),
        (None,) * 4, (None,) * 4,
    ]  # fmt: skip
    assert kept[0]["found"].startswith("a\\x00b\\ud800ccc")


async def test_bytes_may_not_be_missing(ingest: Pool) -> None:
    async with ingest.transaction() as connection:
        with pytest.raises(Broken, match="bytes"):
            await quarantine(connection, *LOG, [refusal(1, 0, Reason.CONFLICT, None)], {})
