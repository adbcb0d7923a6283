"""What screens ask finds its rows by index, also when the tables have grown."""

from uuid import UUID

from models.access import Action, Role, User
from models.db import (
    asked,
    calls,
    devices,
    figures,
    hospital,
    open_patients,
    patient_records,
    refused,
    series,
    shift,
)
from models.db.declared import declare
from models.db.pool import Connection
from tests.architecture.plans import DAY_US, NOW_US, SOME, Plans, patient, wasteful


async def test_the_worklist_reads_no_more_than_its_page(connection: Connection, plans: Plans) -> None:
    listed: list[tuple[open_patients.OpenAlert, ...]] = []

    async def look() -> None:
        await connection.execute("SELECT set_config('thuiswacht.role', 'engineer', true)")
        sought = open_patients.Sought()
        listed.extend(await open_patients.list_open(connection, sought, limit=50, now_us=NOW_US))
        await open_patients.reasons_of(connection, [one.alert for row in listed for one in row])

    taken = await plans(look())
    assert len(listed) == 50
    about_alerts = [node for node in taken if node.get("Relation Name") == "alert"]
    assert wasteful(about_alerts) == []
    in_order = [node for node in about_alerts if node.get("Index Name") == "alert_by_urgency"]
    assert in_order
    # Of 2,000 open alerts the first 50, and not all of them to be sorted.
    assert all(node["Actual Rows"] <= 100 for node in in_order)


async def test_what_the_shift_did_of_late(connection: Connection, plans: Plans) -> None:
    assert wasteful(await plans(shift.handled(connection, NOW_US))) == []


async def test_what_a_patients_page_looks_up(connection: Connection, plans: Plans) -> None:
    nurse = User(patient(1), await _treats(connection), Role.NURSE)
    since_us = NOW_US - 30 * DAY_US
    found: list[int] = []

    async def look() -> None:
        await declare(connection, nurse, Action.PATIENT_READ)
        loaded = await series.load_series(connection, SOME[0], "body_weight", since_us, NOW_US)
        found.append(len(loaded.value))
        await series.measured(connection, SOME[0], since_us, NOW_US)
        await series.load_answers(connection, SOME[0], ["symptom_dyspnoea"], since_us, NOW_US, 50)
        await patient_records.alerts_of(connection, SOME[0], 200)
        await patient_records.decisions_of(connection, SOME[0])
        await series.entries_of(connection, SOME[0])
        await series.mark_of(connection, SOME[0], since_us)
        await calls.calls_of(connection, SOME[0])

    taken = await plans(look())
    assert found[0] > 0
    # The other tables are small or empty here.
    grown = {"alert", "alert_finding", "finding", "patient_change", "measurement_request"}
    names = [node.get("Relation Name", "") for node in taken]
    looked = [
        node for name, node in zip(names, taken, strict=True) if name in grown or name.startswith("reading_2")
    ]
    assert looked
    assert wasteful(looked) == []


async def test_what_hospitals_told_and_proposed(connection: Connection, plans: Plans) -> None:
    organisation_id = await _treats(connection)
    await connection.execute(
        f"""
        INSERT INTO hospital_word (patient_id, word_id, organisation_id, told_by, by, about, keys, said)
        SELECT patient_id, id, organisation_id, '{organisation_id}', id, 'stay', ARRAY[id], 'over'
        FROM registration, generate_series(1, 5) AS i,
            LATERAL (SELECT md5(patient_id || i::text)::uuid) AS t (id)
        """
    )
    await connection.execute(
        f"""
        INSERT INTO proposal (patient_id, proposal_id, organisation_id, kind, subject, programme, told_by, by,
            state, decided_at)
        SELECT patient_id, word_id, organisation_id, 'enrol', word_id, 'copd', told_by, by, 'accepted', now()
        FROM hospital_word;
        INSERT INTO proposal (patient_id, proposal_id, organisation_id, kind, subject, programme, told_by, by)
        SELECT '{SOME[0]}', gen_random_uuid(), '{organisation_id}', 'enrol', gen_random_uuid(), 'copd',
            '{organisation_id}', '{organisation_id}' FROM generate_series(1, 3);
        ANALYZE hospital_word; ANALYZE proposal;
        """
    )
    found: list[int] = []

    async def look() -> None:
        await declare(connection, User(patient(1), organisation_id, Role.NURSE), Action.PATIENT_SEARCH)
        found.append(await hospital.count_open(connection))
        found.append(len(await hospital.open_proposals(connection)))
        found.append(len(await hospital.open_proposals(connection, SOME[0])))
        await hospital.words_of(connection, SOME[0])
        await hospital.long_stays(connection, NOW_US)
        await hospital.is_told_of_another(connection, frozenset({patient(5)}), SOME[0])

    taken = await plans(look())
    assert found == [3, 3, 3]
    about = [
        node for node in taken if node.get("Relation Name") in {"proposal", "hospital_word", "patient_care"}
    ]
    assert {"proposal", "hospital_word"} <= {node["Relation Name"] for node in about}
    assert wasteful(about) == []


async def _treats(connection: Connection) -> UUID:
    """An organisation with a nurse that treats the first of some."""
    organisation_id, nurse = patient(0), patient(1)
    await connection.execute(
        f"""
        INSERT INTO organisation VALUES ('{organisation_id}', 'Duin', 'hospital', 'simulated');
        INSERT INTO person (person_id, name) VALUES ('{nurse}', 'M. Jansen');
        INSERT INTO person_role VALUES ('{nurse}', '{organisation_id}', 'nurse');
        INSERT INTO registration (patient_id, organisation_id, origin)
            VALUES ('{SOME[0]}', '{organisation_id}', 'simulated') ON CONFLICT DO NOTHING;
        INSERT INTO treatment_relation (patient_id, organisation_id, from_at)
            VALUES ('{SOME[0]}', '{organisation_id}', '2026-01-01Z');
        """
    )
    return organisation_id


async def test_what_an_organisation_was_asked(connection: Connection, plans: Plans) -> None:
    """Of a practice that was asked for years: what is open, and what ended in the last day."""
    practice = UUID("c0000000-0000-4000-8000-000000000001")
    await connection.execute("SELECT set_config('thuiswacht.organisation', $1, true)", str(practice))
    await connection.execute(
        """
        INSERT INTO escalation (patient_id, escalation_id, alert_id, organisation_id, step_no, recipient,
            request, to_role, to_organisation_id, asked_at, reason, state, over_at)
        SELECT patient_id, gen_random_uuid(), alert_id, organisation_id, n, 'huisarts',
            'regular', 'huisarts', $1, opened_at, 'x', 'withdrawn', now() - n * interval '1 day'
        FROM (SELECT * FROM alert LIMIT 200) AS a, generate_series(2, 20) AS n
        """,
        practice,
    )
    await connection.execute("ANALYZE escalation")
    taken = await plans(asked.list_asked(connection))
    about = [node for node in taken if node.get("Relation Name") in {"escalation", "alert"}]
    assert {node.get("Index Name") for node in about} >= {"escalation_open", "escalation_over"}
    assert wasteful(about) == []


async def test_when_devices_were_last_heard_of(connection: Connection, plans: Plans) -> None:
    assert wasteful(await plans(devices.last_heard(connection, SOME[0], NOW_US))) == []


async def test_what_waits_to_be_tried_again(connection: Connection, plans: Plans) -> None:
    waiting: list[refused.ToTry] = []

    async def look() -> None:
        waiting.extend(await refused.to_try(connection, 10))
        await refused.load_refused(connection, reason=None, retried_too=False, at_most=50)
        await refused.load_refused(connection, reason=None, retried_too=True, at_most=50)
        await refused.try_again(connection, [(0, 40), (0, 44)], SOME[0])

    taken = await plans(look())
    assert len(waiting) == 10
    # The register of this database is empty, and where logs are read is a small table.
    of_refused = ("quarantine", "quarantine_message", "retry")
    assert wasteful([node for node in taken if node.get("Relation Name") in of_refused]) == []


async def test_one_report_of_figures(connection: Connection, plans: Plans) -> None:
    taken = await plans(figures.find_report(connection, 4, "p1"))
    # Who asks is looked up too, in tables that are never large.
    assert wasteful([node for node in taken if node.get("Relation Name") == "figure_report"]) == []
    assert "figure_report_pkey" in {node.get("Index Name") for node in taken}
