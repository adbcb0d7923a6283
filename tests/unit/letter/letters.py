"""A letter as a huisarts gets it: weight rising in heart failure, with all that a letter can have."""

import random
from dataclasses import replace
from datetime import date
from uuid import UUID

from alerting.explain.explanation import Explanation, Known, explain
from alerting.notify.letter.letter import Asked, Correction, Deed, Desk, Letter, LetterKind, Person, Series
from alerting.notify.letter.levels import charted, flagged_at_us, limits_of
from models.access import Role
from models.alerts import AlertEvent
from models.clock import DAY_US, HOUR_US, MINUTE_US
from models.escalations import EscalationState, Recipient, RequestKind
from models.findings import Evidence, EvidenceReading, Finding, Severity, Signal, finding_id
from models.messages import Origin
from tests import shipped

NOW_US = 1_795_339_800_000_000
PATIENT, ORGANISATION, LETTER, EARLIER_LETTER, ESCALATION = (UUID(int=n, version=4) for n in range(7, 12))
OPENED_US = NOW_US - 3 * HOUR_US
_HEART_FAILURE = shipped.programme("heart_failure")


def _weights() -> tuple[tuple[int, float], ...]:
    chance = random.Random(4)
    rising = (0.0,) * 11 + (0.6, 1.5, 2.3, 3.1)
    return tuple(
        (OPENED_US - (14 - day) * DAY_US + chance.randrange(-30, 30) * MINUTE_US * (day < 14), value)
        for day, gain in enumerate(rising)
        for value in [round(79.4 + gain + chance.uniform(-0.25, 0.25), 1)]
    )


WEIGHTS = _weights()


def finding(rule: str, evidence: Evidence, severity: Severity = Severity.HIGH) -> Finding:
    """A finding of the shipped programme."""
    return Finding(
        finding_id=finding_id(PATIENT, "heart_failure", rule, OPENED_US),
        patient_id=PATIENT,
        organisation_id=ORGANISATION,
        log_partition=0,
        programme="heart_failure",
        version=_HEART_FAILURE.version,
        rule=rule,
        signal=_HEART_FAILURE.rules[rule].signal,
        severity=severity,
        opened_at_us=OPENED_US,
        opening=(evidence,),
        programme_hash=_HEART_FAILURE.hash,
    )


def rise() -> Evidence:
    """What the weight rose by."""
    shown = tuple(EvidenceReading("body_weight", at_us, value, "kg") for at_us, value in WEIGHTS[-4:])
    gain = round(shown[-1].value - min(reading.value for reading in shown), 1)
    return Evidence(
        "rise(body_weight, days=3)", gain, "kg", "gain_3d", 2.0, ">",
        holds=True, window_us=3 * DAY_US, count=4, readings=shown,
    )  # fmt: skip


def explained(one: Finding) -> Explanation:
    """The finding as it explains itself."""
    return explain(Known(one, _HEART_FAILURE, now_us=NOW_US), {})


def letter() -> Letter:
    """The whole letter."""
    findings = (explained(finding("weight_gain_3d", rise())),)
    (kind,) = charted(findings)
    centre = Desk(Role.NURSE, "Medisch servicecentrum Haaglanden", "070 312 45 67")
    return Letter(
        letter_id=LETTER,
        escalation_id=ESCALATION,
        kind=LetterKind.ESCALATION,
        written_at_us=NOW_US,
        origin=Origin.REAL,
        patient_id=PATIENT,
        sender=centre,
        responsible=centre,
        to=Desk(Role.HUISARTS, "Huisartsenpraktijk Laakkwartier", "070 388 00 11"),
        recipient=Recipient.HUISARTS,
        request=RequestKind.ACUTE,
        severity=Severity.HIGH,
        signals=(Signal.FLUID,),
        by_us=NOW_US + 2 * HOUR_US,
        link="https://thuiswacht.example/a/7f3c",
        person=Person("Şahin-Łukasiewicz", date(1947, 3, 9), "Ayşe", "06 12 34 56 78"),
        asked_by="Marloes Vink, verpleegkundige",
        reason="Mevrouw is sinds gisteren kortademig bij traplopen en slaapt met drie kussens. Bumetanide "
        "1 mg is gisteren volgens plan verdubbeld, zonder effect op het gewicht. Graag beoordeling vandaag.",
        programmes=(("Hartfalen", "Heart failure"),),
        findings=findings,
        series=(
            Series(
                kind,
                NOW_US - 14 * DAY_US,
                NOW_US,
                tuple(point for point in WEIGHTS if point[0] > NOW_US - 14 * DAY_US),
                limits_of(findings, kind),
                flagged_at_us(findings, kind),
            ),
        ),
        treatment_plan="HFrEF, LVEF 30 %. Streefgewicht 79,5 kg. Bij meer dan 2 kg erbij in 3 dagen: "
        "bumetanide verdubbelen, na 24 uur opnieuw beoordelen. Nierfunctie: eGFR 41 op 3 november.",
        advance_care="Wil thuis blijven zolang het kan. Geen reanimatie, geen IC-opname; wel opname voor "
        "ontwatering. Besproken op 12 september met huisarts en dochter.",
        language="tr",
        done=(
            Deed(OPENED_US + 12 * MINUTE_US, AlertEvent.ACKNOWLEDGED, "Marloes Vink"),
            Deed(
                OPENED_US + 40 * MINUTE_US,
                AlertEvent.NOTED,
                "Marloes Vink",
                "Gebeld met mevrouw en dochter. Enkels dik, geen pijn op de borst, saturatie 94 %.",
            ),
        ),
        earlier=(
            Asked(
                OPENED_US + 60 * MINUTE_US, Recipient.COMMUNITY_NURSE, "Florence", EscalationState.PASSED_ON
            ),
        ),
    )


def correction(*, stands: bool) -> Letter:
    """What is written when late readings changed it."""
    return replace(
        letter(),
        kind=LetterKind.CORRECTION,
        correction=Correction(
            EARLIER_LETTER,
            NOW_US - HOUR_US,
            stands,
            (
                Deed(NOW_US - 30 * MINUTE_US, AlertEvent.SEVERITY_RAISED, severity=Severity.HIGH),
                Deed(NOW_US - 20 * MINUTE_US, AlertEvent.FINDING_JOINED),
            ),
        ),
    )
