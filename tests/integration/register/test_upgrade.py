"""A database from before there was a register: who was in its log is registered, nothing is told again."""

import json
from uuid import UUID

import asyncpg
import pytest

from ingest.acting import Deed, Known, doing
from ingest.register import acts
from ingest.register.forms import ChangeForm, filled_in
from models.access import Action, Role, User
from models.audit import Kind
from models.clock import wall_now_us
from models.db import migrate as migrating
from models.db.installation import migration_files
from models.db.pool import connect
from models.db.register import waiting
from models.identity import Keys

PATIENT, HOSPITAL, PERSON = UUID(int=7), UUID(int=1), UUID(int=9)
CHANGES = (
    {"register": {"origin": "simulated", "organisation_id": str(HOSPITAL)}},
    {"enrol": {"programme": "heart_failure", "version": 1}},
    {"pause": {"reason": "vakantie"}},
)


async def test_what_is_in_the_log_is_in_the_register(
    empty_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = [file for file in migration_files() if file[0] < 14]
    with monkeypatch.context() as patched:
        patched.setattr(migrating, "migration_files", lambda: before)
        await migrating.migrate(empty_database, purpose="trial")
    admin = await asyncpg.connect(empty_database)
    await admin.execute("INSERT INTO organisation VALUES ($1, 'Zee', 'hospital')", HOSPITAL)
    await admin.execute("INSERT INTO person (person_id, name) VALUES ($1, 'Test')", PERSON)
    await admin.execute("INSERT INTO person_role VALUES ($1, $2, 'nurse')", PERSON, HOSPITAL)
    await admin.execute(
        "INSERT INTO patient VALUES ($1, $2, 'simulated', 'praktijk', 'wijk-3', 'tr', 'c', 't', 0, 0, now())",
        PATIENT, HOSPITAL,
    )  # fmt: skip
    await admin.execute(
        "INSERT INTO registration (patient_id, organisation_id, origin) VALUES ($1, $2, 'simulated')",
        PATIENT, HOSPITAL,
    )  # fmt: skip
    await admin.execute(
        "INSERT INTO treatment_relation (patient_id, organisation_id) VALUES ($1, $2)", PATIENT, HOSPITAL
    )
    for offset, content in enumerate(CHANGES):
        await admin.execute(
            "INSERT INTO patient_change VALUES "
            "($1, $2, gen_random_uuid(), 'c', 't', 0, $3, '2026-11-22 07:31:20.000001+00', now(), false, $4)",
            PATIENT, HOSPITAL, offset, json.dumps(content),
        )  # fmt: skip
    await migrating.migrate(empty_database, purpose="trial")
    assert await waiting(admin) == (0, 0.0)
    times = await admin.fetch("SELECT DISTINCT valid_from_us FROM register_change")
    assert [row["valid_from_us"] for row in times] == [1_795_332_680_000_001]
    pool = await connect(empty_database, role="thuiswacht_people", application="test", max_size=1)
    known = Known(User(PERSON, HOSPITAL, Role.NURSE), "test")
    async with doing(pool, known, Deed(Action.PATIENT_READ, Kind.READ, "test", PATIENT)) as act:
        shown = await acts.show(act, PATIENT, wall_now_us())
    assert (shown["paused"], list(shown["programmes"])) == (True, ["heart_failure"])
    assert (shown["care"]["wijk"], shown["care"]["language"]) == ("wijk-3", "tr")
    form = filled_in(ChangeForm, {"version": 1, "change": {"resume": {}}})
    async with doing(pool, known, Deed(Action.PATIENT_CHANGE, Kind.UPDATE, "test", PATIENT)) as act:
        await acts.change_patient(act, Keys(b"k" * 32), PATIENT, form, wall_now_us())
    number = await admin.fetchval("SELECT max(number) FROM register_change WHERE told_at IS NULL")
    assert number == len(CHANGES) + 1
    forced = await admin.fetch(
        "SELECT relname FROM pg_class WHERE relname IN ('patient', 'patient_change') AND relforcerowsecurity"
    )
    assert len(forced) == 2
    await pool.close()
    await admin.close()
