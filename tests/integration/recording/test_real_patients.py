"""Patients who exist are recorded by who may, for a reason, and each recording is on record."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from alerting.recording.reading import RecordingFile
from ingest.log import log_of
from ingest.worker import IngestHandler
from models.access import Role
from models.db.migrate import migrate
from models.db.pool import Connection, connected
from models.settings import Settings
from simulators.recording.messages import Messages, patients_of
from simulators.stack import Stack
from tests.integration.alerting.following import Record
from tests.integration.alerting.small_log import START_US, Message, SmallLog
from tests.integration.live import write
from tests.integration.recording.recorded_log import Command, command, files_in

OURS, THEIRS = UUID(int=1, version=4), UUID(int=2, version=4)
OUR_PATIENT, SHY_PATIENT, THEIR_PATIENT = (UUID(int=number, version=4) for number in (11, 12, 13))
REASON = "Trying another limit for weight gain"


@pytest.fixture
async def live(empty_database: str) -> AsyncIterator[Connection]:
    """The superuser of a live database."""
    await migrate(empty_database, purpose="live")
    connection = await asyncpg.connect(empty_database)
    yield connection
    await connection.close()


@pytest.fixture
async def house(live: Connection, stack: Stack, empty_database: str, topic: str) -> Command:
    """A live database with three real patients, whose log was stored; and the command line beside it."""
    log = real_log()
    settings = Settings(kafka=stack.kafka, topic=topic)
    await write(settings, log)
    for organisation in (OURS, THEIRS):
        await live.execute(
            "INSERT INTO organisation (organisation_id, name, kind) VALUES ($1, 'Huis', 'hospital')",
            organisation,
        )
    await store(empty_database, settings, log)
    for patient, organisation in ((OUR_PATIENT, OURS), (SHY_PATIENT, OURS), (THEIR_PATIENT, THEIRS)):
        await live.execute(
            "INSERT INTO registration (patient_id, organisation_id, origin) VALUES ($1, $2, 'real')",
            patient, organisation,
        )  # fmt: skip
    await live.execute(
        "INSERT INTO objection (patient_id, organisation_id, by) VALUES ($1, $2, $3)",
        SHY_PATIENT,
        OURS,
        uuid4(),
    )
    return command(stack, empty_database, topic)


def real_log() -> list[Message]:
    log = SmallLog(seed=1, patients=0, days=1)
    for patient, organisation in ((OUR_PATIENT, OURS), (SHY_PATIENT, OURS), (THEIR_PATIENT, THEIRS)):
        register = {"origin": "real", "organisation_id": str(organisation), "wijk": "wijk-3"}
        log.change(START_US, patient, {"register": register})
        weight: dict[str, object] = {"kind": "body_weight", "value": 81.5, "unit": "kg"}
        remark: dict[str, object] = {"kind": "symptom_cough", "text": "Van mijn buurvrouw"}
        taken = {"taken_at_us": START_US + 5}
        log.upload(START_US + 10, patient, weight | taken, remark | taken)
    return log.messages()


async def store(database: str, settings: Settings, log: list[Message]) -> None:
    """What ingest does with the log; in which partition does not matter here."""
    cluster = (await log_of(settings)).cluster_id
    async with connected(database, role="thuiswacht_ingest", application="test") as pool:
        handler = IngestHandler(pool, settings)
        await handler.assigned(cluster, [0], 1)
        records = [Record(offset, message.value) for offset, message in enumerate(log)]
        await handler.commit(handler.prepare({0: records}))


async def person(live: Connection, role: Role) -> str:
    number = uuid4()
    await live.execute("INSERT INTO person (person_id, name) VALUES ($1, 'F. Kuipers')", number)
    await live.execute(
        "INSERT INTO person_role (person_id, organisation_id, role) VALUES ($1, $2, $3)",
        number,
        OURS,
        role.value,
    )
    return str(number)


def messages(file: Path) -> list[dict[str, Any]]:
    recording = RecordingFile(file)
    return [json.loads(one.message.value) for one in Messages(recording, patients_of(recording))]


@pytest.mark.parametrize("source", ["log", "history"])
async def test_who_may_records_their_own(
    house: Command, live: Connection, tmp_path: Path, source: str
) -> None:
    """Without those who objected, and under other names; on record with the reason and each patient."""
    officer, file = await person(live, Role.PRIVACY_OFFICER), tmp_path / "log.parquet"
    as_officer = "--as", officer, "--reason", REASON, "--source", source
    await house("record", str(file), *as_officer)
    found = messages(file)
    patients = {one["patient_id"] for one in found if one["type"] != "clock"}
    assert len(patients) == 1
    assert not patients & {str(one) for one in (OUR_PATIENT, SHY_PATIENT, THEIR_PATIENT)}
    assert "buurvrouw" not in json.dumps(found)
    (upload,) = (one for one in found if one["type"] == "upload")
    assert [reading.get("value") for reading in upload["readings"]] == [81.5, None]
    row = await live.fetchrow("SELECT * FROM audit WHERE event_code = 'recording.make'")
    assert row is not None
    assert (row["reason"], row["outcome"], row["ground"]) == (REASON, "allowed", "own_organisation")
    assert row["patients"] == [OUR_PATIENT]
    assert str(row["user_id"]) == officer
    assert row["details"] == f"{source}, pseudonyms"


async def test_under_their_own_ids_they_are_evaluated_and_not_sent(
    house: Command, live: Connection, stack: Stack, database: str, topic: str, tmp_path: Path
) -> None:
    officer, file = await person(live, Role.PRIVACY_OFFICER), tmp_path / "log.parquet"
    await house("record", str(file), "--identified", "--as", officer, "--reason", REASON)
    assert {one["patient_id"] for one in messages(file) if "patient_id" in one} == {str(OUR_PATIENT)}
    refused = await command(stack, database, topic)("replay", str(file), code=78)
    assert "real patients under their own ids" in refused.stderr
    await house("evaluate", "--readings", str(file), "--out", str(tmp_path / "findings"))


async def test_nobody_else_records_them(house: Command, live: Connection, tmp_path: Path) -> None:
    file, nurse = str(tmp_path / "log.parquet"), await person(live, Role.NURSE)
    await house("record", file, "--as", nurse, "--reason", REASON, code=1)
    refused = await live.fetchrow("SELECT outcome, user_id FROM audit WHERE event_code = 'recording.make'")
    assert refused is not None
    assert (refused["outcome"], str(refused["user_id"])) == ("refused", nurse)
    officer = await person(live, Role.PRIVACY_OFFICER)
    assert "at least" in (await house("record", file, "--as", officer, "--reason", "x", code=65)).stderr
    assert "--reason" in (await house("record", file, "--as", officer, code=78)).stderr
    assert files_in(tmp_path) == []
