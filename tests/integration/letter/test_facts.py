"""What a letter says, from a real Postgres, as the dispatcher may see it."""

import json
import secrets
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest

from alerting.notify.letter.facts import load_letter, load_letter_of, with_person
from alerting.notify.letter.letter import Letter, LetterKind
from alerting.notify.letter.page import render_html
from alerting.notify.letter.pdf import render_pdf
from models.access import Role
from models.alerts import Alert, AlertEvent, AlertHappening, AlertState
from models.clock import DAY_US, HOUR_US, MINUTE_US
from models.db import audit
from models.db.alerts import Reason, write_alerts
from models.db.escalations import write_escalations
from models.db.findings import write_findings
from models.db.outbox import add_messages
from models.db.partitions import ensure_partitions
from models.db.pool import Connection, Pool, connect
from models.db.readings import copy_readings
from models.errors import Broken
from models.escalations import (
    Channel,
    Escalation,
    EscalationState,
    Message,
    MessageKind,
    Party,
    Recipient,
    RequestKind,
)
from models.findings import Severity, Signal
from models.identity import NONCE_BYTES, Identity, Keys
from models.messages import Origin
from tests import shipped
from tests.rows import Row, readings
from tests.unit.letter.letters import NOW_US, OPENED_US, ORGANISATION, PATIENT, WEIGHTS, finding, rise

PRACTICE, NEIGHBOURS = UUID(int=20, version=4), UUID(int=21, version=4)
NURSE, GP = UUID(int=30, version=4), UUID(int=31, version=4)
KEYS = Keys(b"k" * 32)
WHO = Identity(family_name="Şahin", given_names="Ayşe", birth_date=date(1947, 3, 9), without_bsn="test")
FINDING = finding("weight_gain_3d", rise())
ALERT = Alert(
    alert_id=UUID(int=40, version=4),
    patient_id=PATIENT,
    organisation_id=ORGANISATION,
    signal=Signal.FLUID,
    severity=Severity.HIGH,
    opened_at_us=OPENED_US,
    origin=Origin.SIMULATED,
    sent=True,
)
BEFORE = Escalation(
    escalation_id=UUID(int=50, version=4),
    alert_id=ALERT.alert_id,
    patient_id=PATIENT,
    organisation_id=ORGANISATION,
    step_no=2,
    recipient=Recipient.COMMUNITY_NURSE,
    request=RequestKind.REGULAR,
    to=Party(Role.COMMUNITY_NURSE, NEIGHBOURS),
    asked_at_us=OPENED_US + HOUR_US,
    reason="accepted_within",
    state=EscalationState.PASSED_ON,
    over_at_us=OPENED_US + 2 * HOUR_US,
)
ESCALATION = replace(
    BEFORE,
    escalation_id=UUID(int=51, version=4),
    step_no=3,
    recipient=Recipient.HUISARTS,
    request=RequestKind.ACUTE,
    to=Party(Role.HUISARTS, PRACTICE),
    asked_at_us=OPENED_US + 2 * HOUR_US,
    reason="Graag vandaag.",
    asked_by=NURSE,
    state=EscalationState.ASKED,
    over_at_us=None,
)
MESSAGE = Message(
    message_id=UUID(int=60, version=4),
    patient_id=PATIENT,
    organisation_id=ORGANISATION,
    origin=Origin.SIMULATED,
    kind=MessageKind.ESCALATION,
    channel=Channel.SECURE_MAIL,
    severity=Severity.HIGH,
    alerts=(ALERT.alert_id,),
    due_at_us=ESCALATION.asked_at_us,
    to_id=PRACTICE,
    escalation_id=ESCALATION.escalation_id,
    body=json.dumps({"by_us": NOW_US + HOUR_US, "joined": {"x": {"by_us": NOW_US + MINUTE_US}}}),
)


@pytest.fixture
async def dispatch(database: str, admin: Connection, pool: Pool, storing_pool: Pool) -> AsyncIterator[Pool]:
    """What the dispatcher may do, with an escalated alert."""
    for organisation, name, kind in (
        (ORGANISATION, "Medisch servicecentrum", "monitoring_centre"),
        (PRACTICE, "Praktijk Laak", "gp_practice"),
        (NEIGHBOURS, "Florence", "community_nursing"),
    ):
        values = organisation, name, kind
        await admin.execute("INSERT INTO organisation VALUES ($1, $2, $3, 'simulated')", *values)
    await admin.execute(
        "INSERT INTO message_address (address_id, organisation_id, channel, address, from_at, until_at) "
        "VALUES (gen_random_uuid(), $1, 'phone', '070 312 45 67', '2025-01-01', NULL), "
        "(gen_random_uuid(), $1, 'phone', '112', '2026-01-01', '2026-02-01')",
        ORGANISATION,
    )
    await admin.execute("INSERT INTO person VALUES ($1, 'Marloes Vink'), ($2, 'H. Arts')", NURSE, GP)
    await admin.execute(
        "INSERT INTO registration (patient_id, organisation_id, origin) VALUES ($1, $2, 'simulated')",
        PATIENT, ORGANISATION,
    )  # fmt: skip
    await admin.execute(
        "INSERT INTO patient_care "
        "(patient_id, organisation_id, version, treatment_plan, advance_care, language) "
        "VALUES ($1, $2, 1, 'oud plan', NULL, 'nl'), ($1, $2, 2, 'plan', 'geen IC', 'tr')",
        PATIENT, ORGANISATION,
    )  # fmt: skip
    sealed = KEYS.seal(PATIENT, WHO, secrets.token_bytes(NONCE_BYTES))
    await admin.execute(
        "INSERT INTO patient_identity (patient_id, organisation_id, sealed, key_id, name_digest) "
        "VALUES ($1, $2, $3, $4, $5)",
        PATIENT, ORGANISATION, sealed.sealed, sealed.key_id, sealed.name_digest,
    )  # fmt: skip
    await store(storing_pool)
    async with pool.transaction() as connection:
        await write_findings(connection, [FINDING])
        await write_alerts(
            connection,
            [ALERT],
            [Reason(PATIENT, ALERT.alert_id, FINDING.finding_id, OPENED_US)],
            [happening(AlertEvent.OPENED)],
        )
    dispatch = await connect(database, role="thuiswacht_dispatch", application="test")
    async with dispatch.transaction() as connection:
        await write_escalations(connection, [BEFORE, ESCALATION])
        await add_messages(connection, [MESSAGE])
        noted = happening(AlertEvent.NOTED, 20 * MINUTE_US, NURSE, text="Gebeld, enkels dik.")
        await write_alerts(connection, [], [], [happening(AlertEvent.STEPPED, HOUR_US), noted])
    yield dispatch
    await dispatch.close()


async def store(pool: Pool) -> None:
    rows = [
        Row(offset=n, patient_id=PATIENT, taken_at_us=at_us, value=value, value_received=value)
        for n, (at_us, value) in enumerate(WEIGHTS)
    ]
    remark = Row(
        offset=90, patient_id=PATIENT, kind=0, device="app", taken_at_us=OPENED_US, value=None,
        value_received=None, unit_received=None, text="Ik slaap met drie kussens.",
    )  # fmt: skip
    async with pool.connection() as connection:
        await ensure_partitions(connection, OPENED_US - 20 * DAY_US, NOW_US)
    async with pool.transaction() as connection:
        await copy_readings(connection, [readings([*rows, remark])])


def happening(
    event: AlertEvent, after_us: int = 0, by: UUID | None = None, to: str | None = None, **why: object
) -> AlertHappening:
    return AlertHappening(
        ALERT.alert_id, PATIENT, ORGANISATION, OPENED_US + after_us, event,
        to_value=to, by="alerting" if by is None else str(by), why=why,
    )  # fmt: skip


async def load(pool: Pool, message: Message = MESSAGE) -> Letter:
    async with pool.transaction() as connection:
        return await load_letter(
            connection, message, now_us=NOW_US, link="https://t.example/a", programmes=shipped.programmes()
        )


async def load_with_person(pool: Pool) -> Letter:
    return await with_person(pool, KEYS, await load(pool))


async def test_a_letter_has_all_the_facts(dispatch: Pool) -> None:
    letter = await load_with_person(dispatch)
    assert (letter.letter_id, letter.kind) == (MESSAGE.message_id, LetterKind.ESCALATION)
    assert (letter.responsible.role, letter.responsible.name) == (Role.NURSE, "Medisch servicecentrum")
    assert letter.responsible.telephone == "070 312 45 67", "the number that holds, not the one that ended"
    assert (letter.to.role, letter.to.name, letter.to.telephone) == (Role.HUISARTS, "Praktijk Laak", None)
    assert letter.person is not None
    assert (letter.person.family_name, letter.person.birth_date) == (WHO.family_name, WHO.birth_date)
    assert (letter.treatment_plan, letter.advance_care, letter.language) == ("plan", "geen IC", "tr")
    assert [one.finding.finding_id for one in letter.findings] == [FINDING.finding_id]
    assert letter.programmes == (("Hartfalen", "Heart failure"),)
    (series,) = letter.series
    assert series.points == tuple(point for point in WEIGHTS if point[0] > NOW_US - 14 * DAY_US)
    assert [limit.upwards for limit in series.limits] == [True]
    assert [remark.text for remark in letter.remarks] == ["Ik slaap met drie kussens."]
    (deed,) = letter.done
    assert (deed.by, deed.text) == ("Marloes Vink", "Gebeld, enkels dik.")
    (asked,) = letter.earlier
    assert (asked.name, asked.state) == ("Florence", EscalationState.PASSED_ON)
    assert letter.by_us == NOW_US + MINUTE_US, "the first of those that were joined"
    assert (letter.asked_by, letter.reason) == ("Marloes Vink", "Graag vandaag.")
    for text in ("Ayşe Şahin, geboren 9 maart 1947", "Gebeld, enkels dik.", "Oefening."):
        assert text in render_html(letter)
    assert render_pdf(letter).startswith(b"%PDF")


async def test_each_look_at_who_it_is_about_is_on_record(dispatch: Pool, admin: Connection) -> None:
    await load_with_person(dispatch)
    (row,) = await admin.fetch("SELECT * FROM audit")
    event = audit.event_of(row)
    assert (event.event_code, event.patients) == ("letter.identity", (PATIENT,))
    assert (event.user_id, event.organisation_id) == ("thuiswacht.dispatch", PRACTICE)
    assert str(MESSAGE.message_id) in str(event.details)
    assert WHO.family_name not in str(row)


async def test_without_the_key_nobody_looks(dispatch: Pool, admin: Connection) -> None:
    letter = await load(dispatch)
    assert letter.person is None
    assert str(PATIENT) in render_html(letter)
    assert await admin.fetchval("SELECT count(*) FROM audit") == 0


async def test_who_it_is_about_is_for_an_escalation_that_is_open_or_just_over(
    dispatch: Pool, admin: Connection
) -> None:
    over = (
        "UPDATE escalation SET state = 'withdrawn', over_at = now() - $2::interval WHERE escalation_id = $1"
    )
    await admin.execute(over, ESCALATION.escalation_id, timedelta(hours=23))
    assert (await load_with_person(dispatch)).person is not None
    await admin.execute(over, ESCALATION.escalation_id, timedelta(hours=25))
    assert (await load_with_person(dispatch)).person is None


async def test_the_dispatcher_has_no_other_way_to_it(dispatch: Pool) -> None:
    async with dispatch.connection() as connection:
        assert await connection.fetch("SELECT * FROM identity_for_letter($1)", uuid4()) == []
        for statement in (
            "SELECT * FROM patient_identity",
            "SELECT * FROM read_identities(ARRAY[]::uuid[], NULL, NULL)",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)


async def test_people_have_not_this_way(people: Pool) -> None:
    async with people.connection() as connection:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("SELECT * FROM identity_for_letter(gen_random_uuid())")


async def test_a_correction_tells_what_happened_since(dispatch: Pool) -> None:
    fix = replace(
        MESSAGE,
        message_id=uuid4(),
        kind=MessageKind.CORRECTION,
        corrects=MESSAGE.message_id,
        escalation_id=None,
    )
    raised = happening(AlertEvent.SEVERITY_RAISED, 150 * MINUTE_US, to="high")
    async with dispatch.transaction() as connection:
        await write_alerts(connection, [], [], [raised])
    letter = await load(dispatch, fix)
    correction = letter.correction
    assert correction is not None
    assert (correction.corrects, correction.sent_at_us) == (MESSAGE.message_id, MESSAGE.due_at_us)
    assert correction.stands
    assert [(deed.event, deed.severity) for deed in correction.changes] == [
        (AlertEvent.SEVERITY_RAISED, Severity.HIGH)
    ]
    async with dispatch.transaction() as connection:
        resolved = replace(ALERT, state=AlertState.RESOLVED, resolved_at_us=NOW_US, outcome="expected")
        await write_alerts(connection, [resolved], [], [])
    correction = (await load(dispatch, fix)).correction
    assert correction is not None
    assert not correction.stands


async def test_who_accepted_is_responsible(dispatch: Pool) -> None:
    async with dispatch.transaction() as connection:
        accepted = replace(ESCALATION, state=EscalationState.ACCEPTED, accepted_at_us=NOW_US, accepted_by=GP)
        await write_escalations(connection, [accepted])
    letter = await load(dispatch)
    assert letter.accepted is not None
    assert (letter.accepted.by, letter.accepted.at) == ("H. Arts", "Praktijk Laak")


async def test_a_question_by_the_escalation_alone(dispatch: Pool) -> None:
    asked = replace(ESCALATION, question="Mag de bisoprolol omhoog?", answer_by_us=NOW_US + DAY_US)
    async with dispatch.transaction() as connection:
        letter = await load_letter_of(connection, asked, now_us=NOW_US, programmes=shipped.programmes())
        by_ladder = replace(asked, asked_by=None, question="copd_exacerbation")
        listed = await load_letter_of(connection, by_ladder, now_us=NOW_US, programmes=shipped.programmes())
    assert (letter.kind, letter.question) == (LetterKind.QUESTION, (asked.question, asked.question))
    assert listed.question is not None
    assert "COPD-longaanval" in listed.question[0]
    assert (letter.letter_id, letter.by_us) == (ESCALATION.escalation_id, NOW_US + DAY_US)


async def test_of_a_notice_or_of_nothing_no_letter_is_made(dispatch: Pool) -> None:
    with pytest.raises(Broken, match="no letter is made"):
        await load(dispatch, replace(MESSAGE, kind=MessageKind.NOTICE))
    with pytest.raises(Broken, match="belongs to no escalation"):
        await load(dispatch, replace(MESSAGE, escalation_id=uuid4()))
