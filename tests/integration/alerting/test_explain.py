"""`thuiswacht explain` on a real Postgres: from a finding's id to a page."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from alerting.engine.programme_files import PACKAGED
from alerting.explain.explanation import Basis
from alerting.explain.stored import explain_stored
from models.changes import PlacedChange
from models.clock import DAY_US, HOUR_US, to_datetime
from models.db.findings import find_finding, write_findings
from models.db.partitions import ensure_partitions
from models.db.patients import load_changes_of, store_changes
from models.db.pool import Pool, connect
from models.db.programmes import UsedVersion, first_use
from models.db.readings import copy_readings
from models.db.values import load_values
from models.errors import BadInput, RefuseToStart
from models.findings import CODE_UNIT, Evidence, EvidenceReading, Finding, Severity, Signal, finding_id
from models.kinds import KIND_BY_NAME
from models.messages import Change
from simulators.stack.ports import free_port
from tests import shipped, wire
from tests.rows import T0_US, Row, readings

LIMITS = {
    "programme": "heart_failure",
    "limits": {
        "gain_3d": {"value": 1.5, "unit": "kg", "set_by": "dr. De Wit", "until_us": T0_US + 30 * DAY_US}
    },
}
CHANGES = [
    wire.registration(),
    wire.change("enrol", {"programme": "heart_failure", "version": 1}),
    wire.change("limits", LIMITS),
]
WEIGHTS = [
    Row(offset=10, patient_id=wire.PATIENT, taken_at_us=T0_US - 4 * DAY_US, value_received=78.0),
    Row(offset=11, patient_id=wire.PATIENT, taken_at_us=T0_US - 2 * DAY_US, value_received=79.0),
    Row(
        offset=12, patient_id=wire.PATIENT, taken_at_us=T0_US - DAY_US,
        value=80.0, value_received=176.4, unit_received="[lb_av]",
    ),
    Row(offset=13, patient_id=wire.PATIENT, taken_at_us=T0_US, value_received=81.4),
    # What does not count: too late, taken back, of another patient, of later.
    Row(offset=14, patient_id=wire.PATIENT, taken_at_us=T0_US - HOUR_US, too_late=True),
    Row(offset=15, patient_id=wire.PATIENT, taken_at_us=T0_US - 2 * HOUR_US),
    Row(
        offset=16, patient_id=wire.PATIENT, taken_at_us=T0_US - 2 * HOUR_US, void=True,
        value=None, value_received=None, unit_received=None,
    ),
    Row(offset=17, patient_id=wire.STRANGER, taken_at_us=T0_US - DAY_US),
    Row(offset=18, patient_id=wire.PATIENT, taken_at_us=T0_US + HOUR_US),
    # Revised: the highest counts.
    Row(offset=19, patient_id=wire.PATIENT, taken_at_us=T0_US - 3 * HOUR_US, value_received=99.0),
    Row(offset=20, patient_id=wire.PATIENT, taken_at_us=T0_US - 3 * HOUR_US, revision=1, value_received=80.5),
    # Of another kind: an answer.
    Row(
        offset=21, patient_id=wire.PATIENT, kind=KIND_BY_NAME["symptom_dyspnoea"].number, taken_at_us=T0_US,
        value=None, value_received=None, unit_received=None, code=2,
    ),
]  # fmt: skip
COUNTING = (
    EvidenceReading("body_weight", T0_US - 2 * DAY_US, 79.0, "kg"),
    EvidenceReading("body_weight", T0_US - DAY_US, 176.4, "[lb_av]"),
    EvidenceReading("body_weight", T0_US - 3 * HOUR_US, 80.5, "kg"),
    EvidenceReading("body_weight", T0_US, 81.4, "kg"),
)


def gain() -> Finding:
    programme = shipped.programme("heart_failure")
    return Finding(
        finding_id=finding_id(wire.PATIENT, "heart_failure", "weight_gain_3d", T0_US),
        patient_id=wire.PATIENT,
        organisation_id=wire.HOSPITAL,
        log_partition=0,
        programme="heart_failure",
        version=programme.version,
        rule="weight_gain_3d",
        signal=Signal.FLUID,
        severity=Severity.MEDIUM,
        opened_at_us=T0_US,
        opening=(Evidence("rise(body_weight, days=3)", 2.4, "kg", "gain_3d", 1.5),),
        programme_hash=programme.hash,
    )


@pytest.fixture
async def stored(pool: Pool, storing_pool: Pool) -> Finding:
    """A finding with the changes and readings behind it."""
    finding = gain()
    changes = [
        PlacedChange(0, offset, Change.model_validate_json(raw), T0_US - 10 * DAY_US)
        for offset, raw in enumerate(CHANGES)
    ]
    async with storing_pool.connection() as connection:
        await ensure_partitions(connection, T0_US - 5 * DAY_US, T0_US + DAY_US)
    async with storing_pool.transaction() as connection:
        await store_changes(connection, "cluster", "topic", changes)
        await copy_readings(connection, [readings(WEIGHTS)])
    async with pool.transaction() as connection:
        await write_findings(
            connection, [finding, replace(finding, finding_id=uuid4(), programme_hash="old")]
        )
    return finding


@pytest.fixture
async def reading_pool(database: str) -> AsyncIterator[Pool]:
    """What who only looks may do."""
    opened = await connect(database, role="thuiswacht_read", application="test", max_size=1)
    yield opened
    await opened.close()


async def test_a_finding_is_found_by_its_id_alone(stored: Finding, reading_pool: Pool) -> None:
    async with reading_pool.connection() as connection:
        assert await find_finding(connection, stored.finding_id) == stored
        assert await find_finding(connection, uuid4()) is None
        assert len(await load_changes_of(connection, stored.patient_id)) == len(CHANGES)
        assert await load_changes_of(connection, wire.STRANGER) == []


async def test_readings_are_those_that_count_as_they_were_received(
    stored: Finding, reading_pool: Pool
) -> None:
    async def values(*kinds: str, most: int = 100) -> tuple[int, list[EvidenceReading]]:
        after_us = T0_US - 3 * DAY_US
        return await load_values(connection, stored.patient_id, kinds, after_us, T0_US, most)

    async with reading_pool.connection() as connection:
        assert await values("body_weight") == (4, list(COUNTING))
        assert await values("body_weight", most=2) == (4, list(COUNTING[-2:]))
        assert await values("symptom_dyspnoea") == (
            1,
            [EvidenceReading("symptom_dyspnoea", T0_US, 2.0, CODE_UNIT)],
        )
        assert await values("spo2") == (0, [])
        assert await values("no_such_kind") == (0, [])


async def test_what_a_repeat_made_suspect_is_not_among_them(
    stored: Finding, pool: Pool, reading_pool: Pool
) -> None:
    async with pool.transaction() as connection:
        for taken_at_us, status in ((T0_US, "suspect"), (T0_US - DAY_US, "confirmed")):
            await connection.execute(
                """
                INSERT INTO measurement_request (
                    patient_id, kind, taken_at, request_id, organisation_id, origin, log_partition, due_at,
                    reason, status, value, former, asked_at, changed_at
                )
                VALUES ($1, 'body_weight', $2, $3, $4, 'simulated', 0, $2, 'jump', $5, 81.4, 70, $2, $2)
                """,
                stored.patient_id, to_datetime(taken_at_us), uuid4(), wire.HOSPITAL, status,
            )  # fmt: skip
    async with reading_pool.connection() as connection:
        after_us = T0_US - 3 * DAY_US
        found = await load_values(connection, stored.patient_id, ["body_weight"], after_us, T0_US, 100)
    assert found == (3, list(COUNTING[:-1]))


async def test_notices_of_refused_readings_are_states_of_the_device(
    stored: Finding, storing_pool: Pool, reading_pool: Pool
) -> None:
    place = "cluster", "topic", 0, 30
    async with storing_pool.transaction() as connection:
        await connection.execute(
            """
            INSERT INTO quarantine_message (cluster_id, topic, log_partition, log_offset, raw)
            VALUES ($1, $2, $3, $4, '')
            """,
            *place,
        )
        await connection.execute(
            """
            INSERT INTO quarantine (
                cluster_id, topic, log_partition, log_offset, log_position, patient_id, organisation_id,
                reason, field, expected, found, readings, device_id, notice_at, notice_code
            )
            VALUES ($1, $2, $3, $4, 0, $5, $6, 'sentinel', 'value', 'a weight', '0', 1, 'scale', $7, 7)
            """,
            *place, stored.patient_id, wire.HOSPITAL, to_datetime(T0_US),
        )  # fmt: skip
    async with reading_pool.connection() as connection:
        found = await load_values(
            connection, stored.patient_id, ["device_state"], T0_US - DAY_US, T0_US, most=5
        )
    assert found == (1, [EvidenceReading("device_state", T0_US, 7.0, CODE_UNIT)])


async def test_the_explanation_rests_on_what_is_stored(stored: Finding, database: str) -> None:
    explanation = await explain_stored(database, stored.finding_id, shipped.programmes())
    (because,) = explanation.because
    (part,) = because.parts
    (source,) = part.sources
    assert part.readings == COUNTING
    assert source.agrees
    assert source.held is not None
    assert (source.held.limit.set_by, source.held.limit.value) == ("dr. De Wit", 1.5)


async def test_an_unknown_id_is_bad_input(database: str, empty_database: str) -> None:
    with pytest.raises(BadInput, match="the id of a finding in this database"):
        await explain_stored(database, UUID(int=1), shipped.programmes())
    with pytest.raises(RefuseToStart, match="thuiswacht migrate"):
        await explain_stored(empty_database, UUID(int=1), shipped.programmes())


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "thuiswacht", "explain", *arguments],
        env=os.environ | {"PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


async def test_the_command_says_it_in_both_languages(stored: Finding, database: str) -> None:
    said = await asyncio.to_thread(run, str(stored.finding_id), "--postgres", database)
    assert said.returncode == 0, said.stderr
    dutch, english = (
        said.stdout.index("Het gewicht steeg 2,4 kg"),
        said.stdout.index("The weight rose 2.4 kg"),
    )
    assert dutch < english
    assert "za 21-11-2026 08:31  176,4 pond (lb)" in said.stdout
    assert "persoonlijk, ingesteld door dr. De Wit" in " ".join(said.stdout.split())
    assert max(map(len, said.stdout.splitlines())) <= 80
    assert said.stderr == ""


async def test_the_command_speaks_json(stored: Finding, database: str) -> None:
    said = await asyncio.to_thread(
        run, str(stored.finding_id), "--postgres", database, "--json", "--language", "nl"
    )
    data = json.loads(said.stdout)
    assert (data["rule"], data["programme_hash"]) == ("weight_gain_3d", stored.programme_hash)
    (feature,) = data["because"][0]["features"]
    assert feature["limits"][0]["personal"]["set_by"] == "dr. De Wit"
    assert [reading["value"] for reading in feature["readings"]] == [79.0, 176.4, 80.5, 81.4]
    assert set(data["page"]) == {"nl"}


async def test_another_folder_may_hold_another_version(
    stored: Finding, database: str, tmp_path: Path
) -> None:
    text = (PACKAGED / "heart_failure.yaml").read_text(encoding="utf-8")
    (tmp_path / "changed.yaml").write_text(
        text.replace("title: {nl: Hartfalen", "title: {nl: Anders"), "utf-8"
    )
    said = await asyncio.to_thread(
        run, str(stored.finding_id), "--postgres", database, "--programmes", str(tmp_path), "--language", "nl"
    )
    assert "(een andere hash:" in " ".join(said.stdout.split())
    assert "Het gewicht steeg 2,4 kg in 3 dagen; de grens is 1,5 kg." in said.stdout


async def test_a_version_that_was_used_explains_though_its_file_is_gone(
    stored: Finding, pool: Pool, database: str
) -> None:
    programme = shipped.programme("heart_failure")
    async with pool.transaction() as connection:
        content = json.dumps(programme.model_dump(mode="json", by_alias=True))
        used = UsedVersion("heart_failure", programme.version, "written otherwise", content)
        await first_use(connection, [used])
        await write_findings(connection, [replace(stored, programme_hash="written otherwise")])
    assert (await explain_stored(database, stored.finding_id, [])).basis is Basis.PROGRAMME
    async with pool.transaction() as connection:
        await write_findings(connection, [stored])
    assert (await explain_stored(database, stored.finding_id, [])).basis is Basis.PROGRAMME
    async with pool.transaction() as connection:
        await write_findings(connection, [replace(stored, programme_hash="another")])
    assert (await explain_stored(database, stored.finding_id, [])).basis is Basis.OTHER_CONTENT


async def test_what_goes_wrong_has_its_exit_code(database: str) -> None:
    unknown = await asyncio.to_thread(run, str(uuid4()), "--postgres", database)
    assert unknown.returncode == 65
    assert unknown.stderr.startswith("thuiswacht: FINDING_ID: expected the id of a finding in this database")
    away = f"postgresql://nobody@127.0.0.1:{free_port()}/none"
    assert (await asyncio.to_thread(run, str(uuid4()), "--postgres", away)).returncode == 75
    assert (await asyncio.to_thread(run, "not-an-id", "--postgres", database)).returncode == 2
