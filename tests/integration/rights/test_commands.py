"""The commands, as somebody types them."""

import asyncio
import json
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer
from click.testing import CliRunner, Result

import thuiswacht
from ingest.keys import key_of
from models.db.pool import Connection
from models.errors import BadInput
from simulators.stack import Stack
from tests.integration.rights.conftest import World, end_follow_up, rows_of

REASON = ("--reason", "asked for by letter of 20 November")
Run = Callable[..., "asyncio.Future[Result]"]


@pytest.fixture
def run(database: str, monkeypatch: pytest.MonkeyPatch) -> Callable[..., object]:
    """Types a command, in a thread of its own: it brings its own loop."""
    monkeypatch.setenv("THUISWACHT_POSTGRES", database)
    monkeypatch.setenv("THUISWACHT_IDENTITY_KEY", b64encode(bytes(32)).decode())

    async def typed(*words: object) -> Result:
        return await asyncio.to_thread(
            CliRunner().invoke, thuiswacht.thuiswacht, [str(word) for word in words]
        )

    return typed


async def test_the_log_is_verified_written_out_and_found_wanting(
    run: Run, admin: Connection, tmp_path: Path, world: World
) -> None:
    file = tmp_path / "checkpoint.json"
    looked = await run("rights", "looks", world.patient, "--as", world.officer, *REASON)
    assert looked.exit_code == 0, looked.output
    assert (await run("audit", "checkpoint", "--out", file)).exit_code == 0
    assert (await run("audit", "checkpoint", "--out", file)).exit_code == 1, "never over another one"
    whole = await run("audit", "verify", "--checkpoint", file)
    assert (whole.exit_code, whole.output) == (0, "2 rows: whole.\n")
    await admin.execute(
        "SET session_replication_role = replica;"
        "UPDATE audit SET user_role = 'nurse' WHERE user_role = 'privacy_officer'"
    )
    flawed = await run("audit", "verify")
    assert flawed.exit_code == 1
    assert "row 1: was changed after it was written" in flawed.output
    told = json.loads((await run("audit", "verify", "--json", "--checkpoint", file)).output)
    assert [flaw["what"] for flaw in told["flaws"]] == ["was changed after it was written"]


async def test_looks_and_copy(run: Run, admin: Connection, tmp_path: Path, world: World) -> None:
    await run("rights", "looks", world.patient, "--as", world.officer, *REASON)
    told = await run("rights", "looks", world.patient, "--as", world.officer, *REASON)
    assert (
        "F. Kuipers (functionaris voor uw privacy, Ziekenhuis Duin) maakte dit overzicht voor u"
        in told.output
    )
    file = tmp_path / "copy.json"
    assert (
        await run("rights", "copy", world.patient, "--as", world.officer, "--out", file, *REASON)
    ).exit_code == 0
    assert json.loads(file.read_text())["resourceType"] == "Bundle"
    assert file.stat().st_mode & 0o077 == 0
    refused = tmp_path / "refused.json"
    result = await run("rights", "copy", world.patient, "--as", world.nurse, "--out", refused, *REASON)
    assert result.exit_code == 1
    assert "NotAllowed" in repr(result.exception)
    assert not refused.exists()


async def test_as_whom_is_asked_where_it_is_not_clear(run: Run, admin: Connection, world: World) -> None:
    await admin.execute(
        "INSERT INTO person_role (person_id, organisation_id, role) "
        "SELECT person_id, organisation_id, 'coordinator' FROM person_role WHERE person_id = $1",
        world.officer,
    )
    result = await run("rights", "looks", world.patient, "--as", world.officer, *REASON)
    assert isinstance(result.exception, BadInput)
    assert "--role privacy_officer" in str(result.exception)
    told = await run(
        "rights", "looks", world.patient, "--as", world.officer, "--role", "privacy_officer", *REASON
    )
    assert told.exit_code == 0


async def test_an_objection_and_its_end(run: Run, admin: Connection, world: World) -> None:
    for words, left in (((), 1), (("--take-back",), 0)):
        result = await run("rights", "object", world.patient, "--as", world.officer, *REASON, *words)
        assert result.exit_code == 0, result.output
        found = await admin.fetchval(
            "SELECT count(*) FROM objection WHERE patient_id = $1 AND until_at IS NULL", world.patient
        )
        assert found == left


async def test_a_correction_goes_to_the_log(
    run: Run, admin: Connection, world: World, stack: Stack, topic: str
) -> None:
    result = await run(
        "rights", "correct", world.patient, "--as", world.nurse, "--kind", "body_weight",
        "--device", "scale-1", "--taken-at", "2026-11-22T07:12:00Z", "--value", 71.4, "--unit", "kg",
        "--kafka", stack.kafka, "--topic", topic, *REASON,
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert "Corrected, as revision 1." in result.output
    assert await admin.fetchval("SELECT count(*) FROM correction WHERE told_at IS NOT NULL") == 1
    consumer: Any = AIOKafkaConsumer(topic, bootstrap_servers=stack.kafka, auto_offset_reset="earliest")
    await consumer.start()
    try:
        message = await consumer.getone()
    finally:
        await consumer.stop()
    assert message.key == key_of(world.patient)
    content = json.loads(message.value or b"")
    assert content["readings"][0]["revision"] == 1
    again = await run("rights", "tell", "--kafka", stack.kafka, "--topic", topic)
    assert again.output == "0 told.\n"


async def test_a_record_is_shown_before_it_is_destroyed(run: Run, admin: Connection, world: World) -> None:
    words = ("rights", "destroy", world.patient, "--as", world.officer, *REASON)
    followed = await run(*words, "--really")
    assert followed.exit_code == 1
    assert "wordt nog gevolgd" in followed.output
    await end_follow_up(admin, world.patient)
    shown = await run(*words)
    assert "would be destroyed: reading 9" in shown.output
    assert "reading" in await rows_of(admin, world.patient)
    done = await run(*words, "--really", "--json")
    assert json.loads(done.output)["done"]
    assert await rows_of(admin, world.patient) == {}


async def test_retention_shows_first_and_then_does(run: Run, admin: Connection, world: World) -> None:
    await end_follow_up(admin, world.patient)
    words = ("rights", "retention", "--as", world.officer)
    now = await run(*words)
    assert "0 records older than 20 years; 0 audit rows may go." in now.output
    later = (*words, "--at", "2060-01-01")
    shown = await run(*later)
    assert f"{world.patient}: may go" in shown.output
    assert f"{world.other}: still_followed" in shown.output
    assert "reading" in await rows_of(admin, world.patient)
    done = await run(*later, "--really")
    assert f"{world.patient}: destroyed" in done.output, done.output
    assert await rows_of(admin, world.patient) == {}
    assert "reading" in await rows_of(admin, world.other)
    verified = await run("audit", "verify")
    assert verified.exit_code == 0, verified.output
    assert await admin.fetchval("SELECT count(*) FROM audit WHERE event_code = 'audit.let_go'") > 0


async def test_a_candidate_that_is_tried_on_an_old_record_does_not_keep_it(
    run: Run, admin: Connection, world: World
) -> None:
    await end_follow_up(admin, world.patient)
    await admin.execute("INSERT INTO shadow VALUES ('tried', '[]', 'digest', 'earliest')")
    await admin.execute(
        "INSERT INTO shadow_finding SELECT patient_id, 'tried', gen_random_uuid(), organisation_id, 0, "
        "'copd', 1, 'hash', 'spo2_low', 'breathing', 'low', '2026-11-22Z', NULL, NULL, false, false, false, "
        "'{}', NULL, '2059-12-31Z' FROM patient WHERE patient_id = $1",
        world.patient,
    )  # fmt: skip
    words = ("rights", "retention", "--as", world.officer, "--at", "2060-01-01")
    assert f"{world.patient}: may go" in (await run(*words)).output
    await run(*words, "--really")
    assert await rows_of(admin, world.patient) == {}


async def test_looks_are_reviewed_by_command(run: Run, admin: Connection, world: World) -> None:
    result = await run("audit", "review", "--as", world.officer)
    assert result.exit_code == 0, result.output
    assert "M. Jansen: Op 5 november 2026 om 01:00 uur: toegang zonder behandelrelatie" in result.output
    emergency = await admin.fetchval("SELECT emergency_id FROM emergency_access LIMIT 1")
    closed = await run("audit", "verdict", emergency, "--not-justified", "--as", world.officer)
    assert closed.output == f"{emergency}: not_justified.\n"
