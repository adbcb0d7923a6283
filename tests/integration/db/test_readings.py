"""Readings come out of Postgres bit for bit as they went in; duplicates and conflicts are told apart."""

import asyncio
import dataclasses
import math
import struct
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import date
from typing import Any
from uuid import UUID

import asyncpg
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.clock import DAY_US, to_us
from models.db.partitions import ensure_months, ensure_partitions, months_of
from models.db.pool import Connection, Pool
from models.db.readings import NEVER_US, NotNew, Staged, copy_readings, newest_known, stage_readings
from tests.rows import PATIENT, T0_US, Row, readings

OTHER = UUID(int=70, version=4)
# Within the partitions that the tests make.
TIMES = st.integers(T0_US - 30 * DAY_US, T0_US + 30 * DAY_US)
EARLIER_TIMES = st.integers(-400 * DAY_US, 400 * DAY_US)
TEXTS = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), min_size=1, max_size=30)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
ROWS = st.lists(
    st.builds(
        Row,
        offset=st.integers(0, 2**62),
        position=st.integers(0, 4999),
        patient_id=st.uuids(),
        kind=st.integers(0, 32_767),
        taken_at_us=TIMES,
        device=TEXTS,
        revision=st.integers(0, 2_000_000_000),
        void=st.booleans(),
        value=st.none() | FLOATS,
        value_received=st.none() | FLOATS,
        unit_received=st.none() | TEXTS,
        code=st.none() | st.integers(0, 32_767),
        code_received=st.none() | TEXTS,
        absent=st.none() | TEXTS,
        text=st.none() | st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0")),
        group=st.none() | TEXTS,
        source=TEXTS,
        received_at_us=EARLIER_TIMES,
        sent_at_us=EARLIER_TIMES,
        utc_offset_min=st.none() | st.integers(-840, 840),
        too_late=st.booleans(),
        organisation_id=st.uuids(),
        upload_id=st.uuids(),
    ),
    min_size=1,
    max_size=20,
    unique_by=lambda row: (row.patient_id, row.kind, row.taken_at_us, row.device, row.revision, row.void),
)


@asynccontextmanager
async def undone(connection: Connection) -> AsyncGenerator[None]:
    """A transaction that is rolled back, so that examples do not meet each other."""
    transaction = connection.transaction()
    await transaction.start()
    try:
        yield
    finally:
        await transaction.rollback()


@pytest.fixture
async def partitions(ingest: Pool) -> None:
    async with ingest.connection() as connection:
        await ensure_partitions(connection, T0_US - 31 * DAY_US, T0_US + 31 * DAY_US)


def bits(number: float | None) -> bytes | None:
    return None if number is None else struct.pack(">d", number)


def as_row(record: asyncpg.Record) -> Row:
    stored = dict(record)
    stored.pop("log_partition")
    names = {
        "device_id": "device",
        "group_label": "group",
        "log_offset": "offset",
        "log_position": "position",
    }
    times: dict[str, Any] = {
        f"{name}_us": to_us(stored.pop(name)) for name in ("taken_at", "received_at", "sent_at")
    }
    fields: dict[str, Any] = {names.get(name, name): value for name, value in stored.items()}
    return Row(**fields, **times)


def comparable(rows: Sequence[Row]) -> dict[UUID, dict[str, Any]]:
    found: dict[UUID, dict[str, Any]] = {}
    for row in rows:
        fields = dataclasses.asdict(row)
        fields |= {name: bits(fields[name]) for name in ("value", "value_received")}
        found[row.patient_id] = fields
    return found


@pytest.mark.usefixtures("partitions")
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS)
async def test_rows_come_back_bit_for_bit(ingest: Pool, rows: list[Row]) -> None:
    rows = list({row.patient_id: row for row in rows}.values())
    async with ingest.connection() as connection, undone(connection):
        assert await copy_readings(connection, [readings(rows, partition=3)]) == len(rows)
        stored = await connection.fetch("SELECT * FROM reading")
        assert {record["log_partition"] for record in stored} == {3}
        assert comparable([as_row(record) for record in stored]) == comparable(rows)


@pytest.mark.usefixtures("partitions")
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    sent=st.lists(
        st.tuples(
            st.integers(0, 2),  # patient
            st.integers(0, 1),  # moment
            st.integers(0, 1),  # revision
            st.booleans(),  # void
            st.sampled_from([80.0, 80.0, 81.0]),
        ),
        max_size=30,
    ),
    split=st.integers(0, 30),
)
async def test_the_first_in_the_log_counts(
    ingest: Pool, sent: list[tuple[int, int, int, bool, float]], split: int
) -> None:
    rows = [
        Row(
            offset=offset // 2,
            position=offset % 2,
            patient_id=UUID(int=patient, version=4),
            taken_at_us=T0_US + moment,
            revision=revision,
            void=void,
            value=None if void else value,
        )
        for offset, (patient, moment, revision, void, value) in enumerate(sent)
    ]
    first: dict[object, float | None] = {}
    expected: list[str] = []
    for row in rows:
        key = (row.patient_id, row.taken_at_us, row.revision, row.void)
        expected.append("stored" if key not in first else "same" if first[key] == row.value else "conflict")
        first.setdefault(key, row.value)
    async with ingest.connection() as connection, undone(connection):
        for part, verdicts in (
            (rows[:split], expected[:split]),
            (rows[split:], expected[split:]),
        ):
            assert await stage_readings(connection, [readings(part)]) == Staged(
                stored=verdicts.count("stored"),
                duplicates=verdicts.count("same"),
                conflicts=[(0, row) for row, verdict in enumerate(verdicts) if verdict == "conflict"],
            )
        assert await connection.fetchval("SELECT count(*) FROM reading") == expected.count("stored")


@pytest.mark.usefixtures("partitions")
async def test_what_makes_a_duplicate(ingest: Pool) -> None:
    grams = Row(1, value=81.4, value_received=81400.0, unit_received="g")
    answer = Row(2, kind=19, value=None, value_received=None, unit_received=None, code=2, code_received="x")
    remark = Row(3, kind=20, value=None, value_received=None, unit_received=None, text="Ik ben benauwd")
    missing = Row(4, kind=21, value=None, value_received=None, unit_received=None, absent="error")
    first = [Row(0), answer, remark, missing]
    again = [
        grams,
        dataclasses.replace(answer, offset=12, code_received="y"),
        dataclasses.replace(remark, offset=13),
        dataclasses.replace(missing, offset=14),
    ]
    other = [
        Row(20, value=math.nextafter(81.4, 100.0)),
        dataclasses.replace(answer, offset=22, code=3),
        dataclasses.replace(remark, offset=23, text="Ik ben niet benauwd"),
        dataclasses.replace(missing, offset=24, absent="unknown"),
    ]
    async with ingest.transaction() as connection:
        assert await stage_readings(connection, [readings(first)]) == Staged(4, 0, [])
        assert await stage_readings(connection, [readings(again)]) == Staged(0, 4, [])
        conflicts = [(0, row) for row in range(4)]
        assert await stage_readings(connection, [readings(other)]) == Staged(0, 0, conflicts)
    async with ingest.transaction() as connection:
        # The next transaction on this connection starts with an empty staging table.
        assert await stage_readings(connection, []) == Staged(0, 0, [])


@pytest.mark.usefixtures("partitions")
async def test_several_partitions_in_one_go(ingest: Pool) -> None:
    batches = [
        readings([Row(5), Row(6, value=99.0)], partition=0),
        readings([Row(5, patient_id=OTHER), Row(6, patient_id=OTHER)], partition=1),
    ]
    async with ingest.transaction() as connection:
        assert await stage_readings(connection, batches) == Staged(2, 1, [(0, 1)])


@pytest.mark.usefixtures("partitions")
async def test_copying_what_is_known_fails_as_a_whole(ingest: Pool, admin: Connection) -> None:
    async with ingest.transaction() as connection:
        await copy_readings(connection, [readings([Row(0)])])
    with pytest.raises(NotNew):
        async with ingest.transaction() as connection:
            await copy_readings(connection, [readings([Row(1, taken_at_us=T0_US + 1), Row(2)])])
    assert await admin.fetchval("SELECT count(*) FROM reading") == 1


@pytest.mark.usefixtures("partitions")
async def test_the_newest_known(ingest: Pool) -> None:
    rows = [
        Row(0, taken_at_us=T0_US),
        Row(1, taken_at_us=T0_US + 5),
        Row(2, taken_at_us=T0_US + 9, device="scale-2"),
        Row(3, taken_at_us=T0_US + 3, kind=5),
        Row(4, taken_at_us=T0_US - 29 * DAY_US, patient_id=OTHER),
    ]
    asked = [(PATIENT, 0, "scale-1"), (PATIENT, 0, "scale-2"), (PATIENT, 5, "scale-1"), (OTHER, 0, "scale-1")]
    asked += [(OTHER, 1, "scale-1"), (PATIENT, 0, "scale-3")]
    ids = np.frombuffer(b"".join(one.bytes for one, _, _ in asked), np.uint8).reshape(-1, 16)
    kinds = np.array([kind for _, kind, _ in asked], np.int16)
    devices = [device for _, _, device in asked]
    async with ingest.transaction() as connection:
        await copy_readings(connection, [readings(rows)])
        newest = await newest_known(connection, ids, kinds, devices)
        since = await newest_known(connection, ids, kinds, devices, np.full(len(asked), T0_US + 5, np.int64))
    known = [T0_US + 5, T0_US + 9, T0_US + 3, T0_US - 29 * DAY_US, NEVER_US, NEVER_US]
    assert newest.tolist() == known
    assert since.tolist() == [T0_US + 5, T0_US + 9, *[NEVER_US] * 4]


async def test_partitions_are_made_once(ingest: Pool, admin: Connection) -> None:
    december, january = 1_796_083_200_000_000, 1_798_761_600_000_000
    async with ingest.connection() as connection:
        assert await ensure_partitions(connection, december, january) == 2
        assert await ensure_partitions(connection, december, january) == 0
        assert await ensure_months(connection, months_of(np.array([january - 1, january]))) == 0
        # Asked for in pieces, for the database refuses more than 1,200 months at once.
        assert await ensure_months(connection, 1_300 * list(months_of(np.array([january])))) == 0
        # The month's last microsecond and the next one's first go to different partitions.
        edge = [Row(0, taken_at_us=january - 1), Row(1, taken_at_us=january)]
        await copy_readings(connection, [readings(edge)])
        with pytest.raises(asyncpg.CheckViolationError, match="no partition"):
            await copy_readings(connection, [readings([Row(2, taken_at_us=T0_US)])])
    rows = await admin.fetch("SELECT tableoid::regclass::text AS name FROM reading ORDER BY taken_at")
    assert [row["name"] for row in rows] == ["reading_2026_12", "reading_2027_01"]
    indexes = await admin.fetchval("SELECT count(*) FROM pg_indexes WHERE tablename = 'reading_2026_12'")
    assert indexes == 2


async def test_partitions_are_made_once_by_many_at_the_same_moment(ingest: Pool, admin: Connection) -> None:
    rounds, at_once = 12, 4

    async def ensure(months: list[date]) -> int:
        async with ingest.transaction() as connection:
            return await ensure_months(connection, months)

    for number in range(rounds):
        months = [date(2050 + number, month, 1) for month in range(1, 13)]
        made = await asyncio.gather(*(ensure(months) for _ in range(at_once)))
        assert sum(made) == len(months)
    names = "SELECT count(*) FROM pg_class WHERE relname ~ '^reading_20[5-6]' AND relkind = 'r'"
    assert await admin.fetchval(names) == 12 * rounds
