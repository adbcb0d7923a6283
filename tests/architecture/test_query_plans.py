"""The queries of every batch find their rows by index, also when the tables have grown."""

from dataclasses import replace
from hashlib import sha256
from uuid import UUID

import numpy as np

from models.alerts import Alert
from models.db import (
    alerts,
    callers,
    escalations,
    findings,
    history,
    incidents,
    outbox,
    patient_messages,
    patients,
    positions,
    readings,
    reevaluations,
    sending,
    situations,
    sources,
    values,
    worklist,
)
from models.db.callers import Asked, Shown
from models.db.pool import Connection
from models.escalations import Message, MessageState
from models.sources import Activity
from tests import rows
from tests.architecture.plans import DAY_US, HOUR_US, NOW_US, SOME, Plans, patient, wasteful


async def test_newest_readings(connection: Connection, plans: Plans) -> None:
    ids = np.frombuffer(b"".join(one.bytes for one in SOME), np.uint8).reshape(-1, 16)
    kinds, devices = np.zeros(len(SOME), np.int16), ["scale-1"] * len(SOME)
    assert wasteful(await plans(readings.newest_known(connection, ids, kinds, devices))) == []


async def test_telling_new_readings_from_known_ones(connection: Connection, plans: Plans) -> None:
    again = [
        rows.Row(offset=9, position=n, patient_id=one, taken_at_us=NOW_US) for n, one in enumerate(SOME * 2)
    ]
    assert wasteful(await plans(readings.stage_readings(connection, [rows.readings(again)]))) == []


async def test_readings_from_which_a_patient_is_rebuilt(connection: Connection, plans: Plans) -> None:
    wanted = {one: row for row, one in enumerate(SOME)}
    taken = await plans(history.load_readings(connection, wanted, partition=0, below_offset=10**9))
    assert wasteful(taken) == []


async def test_changes_of_some_patients(connection: Connection, plans: Plans) -> None:
    assert wasteful(await plans(patients.load_changes(connection, "c", "t", 0, None, SOME))) == []


async def test_moving_the_offset(connection: Connection, plans: Plans) -> None:
    advances = [
        positions.Advance(partition, from_offset=0, to_offset=5, clock_us=None) for partition in range(4)
    ]
    assert wasteful(await plans(positions.advance(connection, "g7", "c", "t", advances))) == []


async def test_findings_that_may_change(connection: Connection, plans: Plans) -> None:
    reasons = [(SOME[0], UUID(f"d0000000-0000-4000-8000-{n:012x}")) for n in range(4001, 4005)]
    taken = await plans(findings.load_findings(connection, dict.fromkeys(SOME, NOW_US), reasons))
    assert wasteful(taken) == []


async def test_what_explains_a_finding(connection: Connection, plans: Plans) -> None:
    one = UUID(f"d0000000-0000-4000-8000-{4001:012x}")
    assert wasteful(await plans(findings.find_finding(connection, one))) == []
    assert wasteful(await plans(patients.load_changes_of(connection, SOME[0]))) == []
    looked = values.load_values(connection, SOME[0], ["body_weight"], NOW_US - 30 * DAY_US, NOW_US, 1_000)
    assert wasteful(await plans(looked)) == []


async def test_alerts_that_may_change(connection: Connection, plans: Plans) -> None:
    found: list[Alert] = []

    async def load() -> None:
        found.extend(await alerts.load_alerts(connection, dict.fromkeys(SOME, NOW_US - 20 * DAY_US)))

    assert wasteful(await plans(load())) == []
    assert found
    assert wasteful(await plans(alerts.load_reasons(connection, found))) == []


async def test_alerts_that_people_look_at(connection: Connection, plans: Plans) -> None:
    listed: list[worklist.Listed] = []

    async def look() -> None:
        await connection.execute("SELECT set_config('thuiswacht.role', 'engineer', true)")
        listed.extend(await worklist.list_alerts(connection, worklist.Wanted(), limit=50))
        keys = await worklist.keys_of(connection, [one.alert.alert_id for one in listed])
        alert = await worklist.find_alert(connection, keys[listed[0].alert.alert_id])
        assert alert is not None
        await worklist.load_beside(connection, alert)
        await worklist.find_successor(connection, alert)

    taken = await plans(look())
    assert len(listed) == 50
    # The other tables are small or empty here: the planner reads them as a whole.
    about_alerts = [node for node in taken if node.get("Relation Name") == "alert"]
    assert about_alerts
    assert wasteful(about_alerts) == []


async def test_reevaluations_that_are_due(connection: Connection, plans: Plans) -> None:
    assert wasteful(await plans(reevaluations.due(connection, "c", "t", [0, 1]))) == []


async def test_alerts_that_a_silent_source_explains(connection: Connection, plans: Plans) -> None:
    async def look() -> None:
        found = await incidents.to_hold_back(
            connection, readings_from_us=NOW_US - 40 * DAY_US, opened_from_us=NOW_US - DAY_US, at_most=500
        )
        assert found == []
        await incidents.held_back(connection)

    assert wasteful(await plans(look())) == []


async def test_noting_from_where_readings_came(connection: Connection, plans: Plans) -> None:
    noted = [(n, Activity(f"vendor-{n}", NOW_US // HOUR_US, 5, NOW_US)) for n in range(4)]
    assert wasteful(await plans(sources.note_activity(connection, "c", "t", noted))) == []


async def test_messages_that_are_sent(connection: Connection, plans: Plans) -> None:
    found: list[Message] = []

    async def send() -> None:
        found.extend(await sending.due(connection, NOW_US, 32, ["fhir x"]))
        await sending.take(connection, [sending.Taken(one, 60.0, NOW_US) for one in found], NOW_US)
        tried = replace(found[0], attempts=1, state=MessageState.ATTEMPTED, why="http 500")
        await sending.record(connection, tried, NOW_US, held_attempts=1)
        arrived = replace(found[1], state=MessageState.DELIVERED, delivered_at_us=NOW_US)
        await sending.record(connection, arrived, None, held_attempts=1)
        assert arrived.escalation_id is not None
        await sending.arrived(connection, arrived.patient_id, [arrived.escalation_id], NOW_US)

    assert wasteful(await plans(send())) == []
    assert len(found) == 32


async def test_messages_that_are_looked_after(connection: Connection, plans: Plans) -> None:
    async def keep_house() -> None:
        await sending.too_late(connection, NOW_US, 200)
        await sending.close_unanswered(connection, NOW_US, NOW_US - 30 * DAY_US, 200)
        await sending.waiting(connection, NOW_US)

    assert wasteful(await plans(keep_house())) == []


async def test_messages_that_are_put_joined_and_answered(connection: Connection, plans: Plans) -> None:
    async def put() -> None:
        waiting = await outbox.unsent(connection, [patient(n) for n in range(5, 100, 5)])
        assert waiting
        await outbox.rewrite(connection, waiting[:3])
        assert waiting[0].escalation_id is not None
        await outbox.accepted(connection, waiting[0].patient_id, waiting[0].escalation_id, NOW_US)
        await outbox.seen(connection, waiting[0].patient_id, waiting[0].message_id, NOW_US)
        await outbox.load_message(connection, waiting[0].message_id)

    assert wasteful(await plans(put())) == []


async def test_messages_to_patients(connection: Connection, plans: Plans) -> None:
    asked: list[patient_messages.Pending] = []

    async def tell() -> None:
        asked.extend(await patient_messages.pending_requests(connection, NOW_US, 100))
        assert len(await patient_messages.apps_of(connection, SOME, NOW_US)) == len(SOME)
        await patient_messages.reached(connection, SOME[0])
        await patient_messages.withdraw_answered(connection, NOW_US)
        await patient_messages.newly_seen(connection, NOW_US, HOUR_US, ["silence", "device"])

    assert wasteful(await plans(tell())) == []
    assert len(asked) == 40


async def test_steps_that_are_due(connection: Connection, plans: Plans) -> None:
    claimed: list[escalations.Claimed] = []
    found: list[Alert] = []

    async def dispatch() -> None:
        claimed.extend(await escalations.claim(connection, NOW_US, 40))
        found.extend(step.alert for step in claimed)
        await escalations.load_escalations(connection, found)
        await situations.load_news(connection, found)
        await situations.load_standing(connection, found)
        await situations.load_around(connection, found, NOW_US)
        await escalations.done(connection, [(step, "waits") for step in claimed])

    assert wasteful(await plans(dispatch())) == []
    assert len(claimed) == 40
    # Of each patient all messages are looked through: some tens, of which few are about the alert.
    carrying = await plans(situations.load_carrying(connection, found))
    assert [node for node in carrying if node["Node Type"] == "Seq Scan"] == []


async def test_a_query_without_an_index_would_be_seen(connection: Connection, plans: Plans) -> None:
    assert wasteful(await plans(connection.fetch("SELECT * FROM alert WHERE outcome = 'elsewhere'")))


_MANY_HOMES = """
    INSERT INTO organisation (organisation_id, name, kind, origin)
        VALUES ('00000000-0000-4000-8000-0000000000aa', 'Centrum', 'monitoring_centre', 'simulated');
    INSERT INTO person (person_id, name, is_system)
        VALUES ('00000000-0000-4000-8000-0000000000ab', 'hub', true);
    INSERT INTO person_role VALUES
        ('00000000-0000-4000-8000-0000000000ab', '00000000-0000-4000-8000-0000000000aa', 'service');
    INSERT INTO client (client_id, person_id, organisation_id, names_patients, added_at) VALUES
        ('hub', '00000000-0000-4000-8000-0000000000ab', '00000000-0000-4000-8000-0000000000aa', true, now());
    INSERT INTO client_key (client_id, number, kind, sealed_secret, from_at)
        VALUES ('hub', 1, 'hmac', 'x', now() - interval '1 day');
    INSERT INTO session (session_id, kind, token_sha256, person_id, organisation_id, role, began_at, seen_at,
        until_at, client_id, client_key)
        SELECT gen_random_uuid(), 'system', sha256(i::text::bytea), '00000000-0000-4000-8000-0000000000ab',
            '00000000-0000-4000-8000-0000000000aa', 'service', now(), now(), now() + '9m', 'hub', 1
        FROM generate_series(1, 20000) AS i;
    INSERT INTO treatment_relation (patient_id, organisation_id)
        SELECT patient_id, '00000000-0000-4000-8000-0000000000aa' FROM registration;
    INSERT INTO device_loan (patient_id, organisation_id, device_id, kind, handed_out_at, returned_at)
        SELECT patient_id, organisation_id, 'd' || patient_id, 'scale', now() - interval '9 days' * i,
            CASE WHEN i = 2 THEN now() - interval '10 days' END
        FROM registration, generate_series(1, 2) AS i;
    INSERT INTO objection (patient_id, organisation_id, by)
        SELECT patient_id, '00000000-0000-4000-8000-0000000000aa', patient_id FROM registration
        ORDER BY patient_id DESC LIMIT 500;
    INSERT INTO patient_identity (patient_id, organisation_id, sealed, key_id, bsn_digest, name_digest)
        SELECT patient_id, organisation_id, 'x', 'x', sha256(patient_id::text::bytea), 'x' FROM registration;
    ANALYZE session, treatment_relation, device_loan, objection, patient_identity, client,
        client_key, person, person_role;
"""


async def test_who_delivers_and_for_whom(connection: Connection, plans: Plans) -> None:
    """However many patients and tokens there are; clients, keys and roles are few."""
    await connection.execute(_MANY_HOMES)
    shown = [Shown(token_sha256=sha256(str(n).encode()).digest()) for n in range(1, 31)]
    asked = [Asked("hub", f"d{one}", one, b"b" * 32) for one in SOME]
    known: list[callers.Known | None] = []
    found: list[callers.Found] = []

    async def look() -> None:
        known.extend(await callers.callers(connection, shown))
        found.extend(await callers.speakers(connection, asked))

    taken = await plans(look())
    assert all(known)
    assert [one.patient_id for one in found] == SOME
    few = ("client", "client_key", "person", "person_role", "access_policy")
    assert wasteful([node for node in taken if node.get("Relation Name") not in few]) == []
