"""Random patients with random alerts, and their way into the database."""

import json
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID

from models.db.pool import Connection
from models.escalations import Recipient
from tests.naive.insight import Alerted, Changed, Escalated, Patient, Read, World

ORGANISATIONS = tuple(UUID(int=n, version=4) for n in (101, 102, 103))
BEGIN = datetime(2026, 9, 20, tzinfo=UTC)
"""Some time before the window of the tests; Amsterdam puts its clocks back within it."""
DAYS = 75
RULES = (("heart_failure", "weight_gain_3d"), ("heart_failure", "breathless"), ("copd", "cough"))
OUTCOMES = (
    "true_acted_on", "true_no_action", "measuring_technique", "technical", "expected", "duplicate",
    "by_itself", "ended",
)  # fmt: skip
LIVES = (
    ("acknowledged", "resolved"),
    ("resolved",),
    ("acknowledged", "snoozed", "snooze_ended", "lapsed", "acknowledged", "resolved"),
    ("held_back", "released", "acknowledged", "snoozed", "hand_over_accepted", "noted", "resolved"),
    ("acknowledged", "lapsed"),
    (),
)


def draw(seed: int, patients: int = 12, alerts: int = 25) -> World:
    """The world of a seed."""
    chance = Random(seed)
    who = [_patient(chance) for _ in range(patients)]
    return World(
        patients=who,
        changes=[change for one in who for change in _changes(chance, one)],
        readings=[
            Read(one.patient_id, _moment(chance), chance.random() < 0.8)
            for one in who
            for _ in range(chance.randrange(30))
        ],
        alerts=[_alert(chance, chance.choice(who)) for _ in range(alerts)],
    )


def _moment(chance: Random) -> datetime:
    # Often close to midnight, where days are told apart.
    day = BEGIN + timedelta(days=chance.randrange(DAYS))
    return day + chance.choice(
        [timedelta(hours=22), timedelta(hours=23), timedelta(seconds=chance.randrange(86_400))]
    )


def _patient(chance: Random) -> Patient:
    return Patient(
        patient_id=UUID(int=chance.getrandbits(128), version=4),
        organisation_id=chance.choice(ORGANISATIONS[:2]),
        wijk=chance.choice(["Loosduinen", "wijk-50", "elders", None]),
        language=chance.choice(["nl", "en", "tr"]),
        origin=chance.choice(["simulated"] * 6 + ["real", "canary"]),
        treated_by=frozenset(chance.sample(ORGANISATIONS, chance.randrange(4))),
    )


def _changes(chance: Random, patient: Patient) -> list[Changed]:
    moments = sorted(_moment(chance) for _ in range(chance.randrange(1, 8)))
    made = [Changed(patient.patient_id, BEGIN - timedelta(days=30), "enrol", "heart_failure")]
    for at in moments:
        what = chance.choice(["enrol", "enrol", "withdraw", "pause", "resume", "admit", "discharge", "end"])
        programme = chance.choice(["heart_failure", "copd"]) if what in ("enrol", "withdraw") else ""
        until = (
            at + timedelta(days=chance.randrange(20)) if what == "pause" and chance.random() < 0.5 else None
        )
        made.append(Changed(patient.patient_id, at, what, programme, until))
    return made


def _alert(chance: Random, patient: Patient) -> Alerted:
    at = opened_at = _moment(chance)
    events = [("opened", at, "alerting")]
    for event in chance.choice(LIVES):
        at += timedelta(seconds=chance.choice([0, 60, 61, 300, chance.randrange(200_000)]))
        events.append((event, at, "alerting" if event in ("released", "lapsed") else str(patient.patient_id)))
    outcome, resolved_at = None, None
    if events[-1][0] == "resolved":
        outcome, resolved_at = chance.choice(OUTCOMES), at
        if outcome in ("by_itself", "ended"):
            events[-1] = ("resolved", at, "alerting")
    return Alerted(
        alert_id=UUID(int=chance.getrandbits(128), version=4),
        patient_id=patient.patient_id,
        origin=patient.origin,
        opened_at=opened_at,
        rules=frozenset(chance.sample(RULES, chance.randrange(1, 4))),
        events=tuple(events),
        outcome=outcome,
        resolved_at=resolved_at,
        escalations=tuple(
            Escalated(chance.choice(list(Recipient)), _moment(chance), chance.random() < 0.5)
            for _ in range(chance.choice([0, 0, 1, 2]))
        ),
    )


async def begin(admin: Connection) -> None:
    """Organisations, and room for readings."""
    for organisation_id in ORGANISATIONS:
        await admin.execute("INSERT INTO organisation (organisation_id) VALUES ($1)", organisation_id)
    await admin.execute(
        "SELECT ensure_reading_partitions(ARRAY['2026-09-01', '2026-10-01', '2026-11-01']::date[] || "
        "ARRAY['2026-12-01']::date[])"
    )


async def store(admin: Connection, world: World) -> None:
    """Puts a world into the database."""
    for patient in world.patients:
        await _store_patient(admin, patient)
    for offset, change in enumerate(world.changes, start=1):
        content: dict[str, object] = {}
        if change.programme:
            content["programme"] = change.programme
        if change.until is not None:
            content["until_us"] = int(change.until.timestamp() * 1_000_000)
        await admin.execute(
            "INSERT INTO patient_change SELECT $1, organisation_id, gen_random_uuid(), 'c', 't', 0, $2, "
            "$3, $3, false, $4 FROM patient WHERE patient_id = $1",
            change.patient_id, offset, change.at, json.dumps({change.what: content}),
        )  # fmt: skip
    for offset, read in enumerate(world.readings):
        await admin.execute(
            "INSERT INTO reading (patient_id, organisation_id, kind, taken_at, received_at, device_id, "
            "revision, void, value, upload_id, log_partition, log_offset, log_position, too_late, source) "
            "VALUES ($1, $1, $2, $3, $3, $4, 0, $5, 80, $1, 0, $6, 0, false, 's')",
            read.patient_id, 0 if read.counts or offset % 2 else 18, read.taken_at, str(offset),
            not read.counts and offset % 2 == 1, offset,
        )  # fmt: skip
    for alert in world.alerts:
        await _store_alert(admin, alert)


async def _store_patient(admin: Connection, patient: Patient) -> None:
    who = patient.patient_id, patient.organisation_id
    await admin.execute(
        "INSERT INTO patient VALUES ($1, $2, $3, NULL, 'another wijk', 'nl', 'c', 't', 0, 0, now())",
        *who, patient.origin,
    )  # fmt: skip
    await admin.execute("INSERT INTO registration VALUES ($1, $2, $3)", *who, patient.origin)
    for version, wijk, language in ((1, "before", "fr"), (2, patient.wijk, patient.language)):
        await admin.execute(
            "INSERT INTO patient_care (patient_id, organisation_id, version, wijk, language) "
            "VALUES ($1, $2, $3, $4, $5)",
            *who, version, wijk, language,
        )  # fmt: skip
    for organisation_id in ORGANISATIONS:
        until = "NULL" if organisation_id in patient.treated_by else "now()"
        await admin.execute(
            f"INSERT INTO treatment_relation VALUES ($1, $2, now() - interval '1 day', {until})",
            patient.patient_id, organisation_id,
        )  # fmt: skip


async def _store_alert(admin: Connection, alert: Alerted) -> None:
    key = alert.patient_id, alert.alert_id
    # Signals of their own: of one, only one may be open.
    await admin.execute(
        "INSERT INTO alert (patient_id, alert_id, organisation_id, origin, signal, severity, opened_at, "
        "state, outcome, resolved_at) VALUES ($1, $2, $3, $4, $5, 'low', $6, $7, $8, $9)",
        *key, ORGANISATIONS[0], alert.origin, str(alert.alert_id), alert.opened_at,
        "open" if alert.outcome is None else "resolved", alert.outcome, alert.resolved_at,
    )  # fmt: skip
    for programme, rule in alert.rules:
        # Two findings of one rule are one reason.
        for _ in range(2):
            await admin.execute(
                "WITH f AS (INSERT INTO finding (patient_id, finding_id, organisation_id, programme, "
                "version, programme_hash, rule, signal, severity, opened_at, opening, log_partition) VALUES "
                "($1, gen_random_uuid(), $3, $4, 1, '', $5, 'fluid', 'low', $6, '[]', 0) "
                "RETURNING finding_id) "
                "INSERT INTO alert_finding SELECT $1, $2, finding_id, $6, $3 FROM f",
                *key, ORGANISATIONS[0], programme, rule, alert.opened_at,
            )  # fmt: skip
    for event, at, by in alert.events:
        await admin.execute(
            "INSERT INTO alert_event (patient_id, alert_id, organisation_id, happened_at, event, by) "
            "VALUES ($1, $2, $3, $4, $5, $6)",
            *key, ORGANISATIONS[0], at, event, by,
        )  # fmt: skip
    for one in alert.escalations:
        await admin.execute(
            "INSERT INTO escalation (patient_id, escalation_id, alert_id, organisation_id, step_no, "
            "recipient, request, to_role, to_organisation_id, asked_at, reason, accepted_at, accepted_by) "
            "VALUES ($1, gen_random_uuid(), $2, $3, 1, $4, 'regular', 'huisarts', $3, $5, 'r', $6, $7)",
            *key, ORGANISATIONS[0], one.recipient, one.asked_at,
            one.asked_at if one.is_accepted else None, alert.alert_id if one.is_accepted else None,
        )  # fmt: skip
