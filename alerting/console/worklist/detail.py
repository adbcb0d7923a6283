"""One patient beside the list: who it is, why, what was done, what is agreed, what comes next."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from fastapi import Request
from fastapi.responses import HTMLResponse

from alerting.console.frame import page, speaker_of
from alerting.console.worklist.listing import called_in, of_patient
from alerting.console.worklist.rows import RowAlert, Seeing, row_alert
from alerting.engine.programme_files import PACKAGED
from alerting.explain.amounts import Amount, received_in_words
from alerting.explain.explanation import Explanation
from alerting.explain.page import part_in_words
from alerting.explain.stored import explained
from alerting.explain.vocabulary import Language, kind_name
from alerting.gateway.rules import ByRules
from alerting.worklist.handling import Rules, findings_of
from ingest.acting import Acting
from ingest.gateway.register import IdentityKeys
from ingest.gateway.routes import Act, Routes
from models.access import Action
from models.alerts import Alert, AlertEvent, AlertHappening
from models.audit import Kind
from models.db.escalations import load_escalations
from models.db.identity import identities
from models.db.letters import care_told
from models.db.open_patients import reasons_of
from models.db.positions import dispatch_now_us
from models.db.worklist import load_beside, names_of
from models.escalations import OPEN_ESCALATION, Escalation

routes = Routes("/console/worklist", "console")

MOST_FINDINGS = 3
"""So many findings of an alert are explained here; the patient's page explains all."""
MOST_SENTENCES = 3
MOST_DEEDS = 8
_NO_NEWS = frozenset({AlertEvent.FINDING_JOINED, AlertEvent.FINDING_CHANGED, AlertEvent.CORRECTED})


@dataclass(frozen=True, slots=True)
class Value:
    """A reading in words. **Units**: microseconds since 1970 UTC."""

    name: str
    said: str
    at_us: int


@dataclass(frozen=True, slots=True)
class Reasoned:
    """An alert with its reasons in sentences, its last values, what was done, and who was asked."""

    row: RowAlert
    sentences: Sequence[str]
    values: Sequence[Value]
    happened: Sequence[tuple[AlertHappening, str | None]]
    """The newest first, each with the name of who did it; None: the service itself."""
    escalations: Sequence[tuple[Escalation, str | None]]


@routes.route(
    "GET",
    "/patients/{patient_id}",
    action=Action.ALERT_READ,
    kind=Kind.READ,
    patient="patient_id",
)
async def show(
    request: Request, act: Act, rules: ByRules, keys: IdentityKeys, patient_id: UUID
) -> HTMLResponse:
    """Everything that a nurse needs to decide, of one patient."""
    language = speaker_of(request).language
    found = await of_patient(act, rules, patient_id)
    alerts = [one.alert for one in found]
    seeing = await _seeing(act, rules, alerts, language)
    reasons = await reasons_of(act.connection, alerts)
    shown = [row_alert(one, reasons[one.alert.alert_id], seeing) for one in found]
    named = await identities(act.connection, keys, patients=[patient_id])
    act.details = f"{len(alerts)} alerts"
    return await page(
        request,
        act,
        "worklist/detail.html.j2",
        patient_id=patient_id,
        identity=named.get(patient_id),
        wijk=found[0].wijk if found else None,
        care=await care_told(act.connection, patient_id) if found else None,
        reasoned=await _reasoned(act, shown, language),
    )


async def _seeing(act: Acting, rules: Rules, alerts: Sequence[Alert], language: Language) -> Seeing:
    offers = [alert.hand_over for alert in alerts if alert.hand_over is not None]
    return Seeing(
        user=act.user,
        now_us=await dispatch_now_us(act.connection, rules.settings),
        language=language,
        policies=rules.policies,
        rule_texts=called_in(rules.settings.programmes or PACKAGED).rules,
        names=await names_of(act.connection, (one.person_id or one.organisation_id for one in offers)),
    )


async def _reasoned(act: Acting, rows: Sequence[RowAlert], language: Language) -> list[Reasoned]:
    alerts = [row.alert for row in rows]
    findings = await findings_of(act.connection, alerts)
    escalations = await load_escalations(act.connection, alerts)
    told: list[Reasoned] = []
    for row in rows:
        beside = await load_beside(act.connection, row.alert)
        known = [one for one in findings[row.alert.alert_id] if not one.retracted]
        newest = sorted(known, key=lambda one: (one.holds, one.severity.rank, one.opened_at_us))[
            -MOST_FINDINGS:
        ]
        explanations = [await explained(act.connection, one, ()) for one in reversed(newest)]
        happened = [one for _, one in beside.happened if one.event not in _NO_NEWS][-MOST_DEEDS:]
        asked = [one for one in escalations if one.alert_id == row.alert.alert_id]
        names = await names_of(act.connection, _ids(happened, asked))
        told.append(
            Reasoned(
                row=row,
                sentences=list(sentences(explanations, language))[:MOST_SENTENCES],
                values=list(last_values(explanations, language).values()),
                happened=[(one, _name(one.by, names)) for one in reversed(happened)],
                escalations=[
                    (one, names.get(one.to.organisation_id)) for one in asked if one.state in OPEN_ESCALATION
                ],
            )
        )
    return told


def sentences(explanations: Sequence[Explanation], language: Language) -> dict[str, None]:
    """Why the alert is there: each comparison of each finding once, of the newest stage."""
    return {
        part_in_words(part, because.given, language): None
        for one in explanations
        for because in one.because[-1:]
        for part in because.parts
    }


def last_values(explanations: Sequence[Explanation], language: Language) -> Mapping[str, Value]:
    """The newest reading of each kind that the findings rest on."""
    found: dict[str, Value] = {}
    for one in explanations:
        for because in one.because:
            for reading in (reading for part in because.parts for reading in part.shown):
                before = found.get(reading.kind)
                if before is None or before.at_us < reading.taken_at_us:
                    said = received_in_words(Amount(reading.value, reading.unit), reading.kind, language)
                    found[reading.kind] = Value(kind_name(reading.kind, language), said, reading.taken_at_us)
    return found


def _ids(happened: Sequence[AlertHappening], escalations: Sequence[Escalation]) -> list[UUID]:
    people = [person for one in happened if (person := person_of(one.by)) is not None]
    return [*people, *(one.to.organisation_id for one in escalations)]


def _name(by: str, names: Mapping[UUID, str]) -> str | None:
    person = person_of(by)
    return None if person is None else names.get(person, by)


def person_of(by: str) -> UUID | None:
    """The person who did something; None where it was the service itself."""
    try:
        return UUID(by)
    except ValueError:
        return None
