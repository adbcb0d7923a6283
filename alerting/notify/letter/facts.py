"""The facts of a letter from the database; each look at who it is about goes on record."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from alerting.engine.programme import Programme
from alerting.explain.explanation import Explanation
from alerting.explain.stored import explained
from alerting.notify.letter.letter import (
    Accepted,
    Asked,
    Correction,
    Deed,
    Desk,
    Letter,
    LetterKind,
    Person,
    Remark,
    Series,
)
from alerting.notify.letter.levels import canonical, charted, flagged_at_us, limits_of, stretch_us
from alerting.notify.letter.words import DEEDS
from models.access import Role
from models.alerts import Alert, AlertEvent, AlertState
from models.audit import Event, Kind
from models.clock import DAY_US, wall_now_us
from models.db import audit, letters
from models.db.escalations import load_escalations
from models.db.findings import find_finding
from models.db.letters import EventTold
from models.db.pool import Connection
from models.db.values import load_values
from models.errors import Broken
from models.escalations import OPEN_ESCALATION, Escalation, EscalationState, Message, MessageKind
from models.findings import Severity
from models.identity import Keys

_KINDS = {
    MessageKind.ESCALATION: LetterKind.ESCALATION,
    MessageKind.QUESTION: LetterKind.QUESTION,
    MessageKind.CORRECTION: LetterKind.CORRECTION,
}
_FINDINGS, _DEEDS, _REMARKS = 4, 8, 3
_READINGS = 20_000
_REMARKS_US = 3 * DAY_US
_DISPATCH = "thuiswacht.dispatch"


async def load_letter(
    connection: Connection,
    keys: Keys | None,
    message: Message,
    *,
    now_us: int,
    link: str | None = None,
    programmes: Sequence[Programme] = (),
) -> Letter:
    """What a message says as a letter, of now; its facts are those of the moment of sending.

    Without `keys` it does not say who the patient is. With them, needs a transaction that may write: the look
    goes on record. **Units**: microseconds since 1970 UTC.

    **Raises**: Broken for a message of which no letter is made, or whose escalation is not there.
    """
    if message.kind not in _KINDS:
        raise Broken(f"Of a message of kind {message.kind} no letter is made.")
    corrected = None if message.corrects is None else await letters.find_message(connection, message.corrects)
    escalation_id = message.escalation_id or (None if corrected is None else corrected.escalation_id)
    escalation = None if escalation_id is None else await letters.find_escalation(connection, escalation_id)
    if escalation is None:
        raise Broken(f"Message {message.message_id} belongs to no escalation that is there.")
    about = _About(
        message.message_id, _KINDS[message.kind], escalation, message.alerts, corrected,
        by_us=escalation.answer_by_us or json.loads(message.body).get("by_us"),
    )  # fmt: skip
    return await _load(connection, keys, about, now_us=now_us, link=link, programmes=programmes)


async def load_letter_of(
    connection: Connection,
    keys: Keys | None,
    escalation: Escalation,
    *,
    now_us: int,
    link: str | None = None,
    programmes: Sequence[Programme] = (),
) -> Letter:
    """The letter that an escalation comes to, for who looks at it before or without a message; as above."""
    kind = LetterKind.ESCALATION if escalation.question is None else LetterKind.QUESTION
    about = _About(
        escalation.escalation_id, kind, escalation, (escalation.alert_id,), None, escalation.answer_by_us
    )
    return await _load(connection, keys, about, now_us=now_us, link=link, programmes=programmes)


@dataclass(frozen=True, slots=True)
class _About:
    letter_id: UUID
    kind: LetterKind
    escalation: Escalation
    alerts: tuple[UUID, ...]
    corrected: Message | None
    by_us: int | None


async def _load(
    connection: Connection,
    keys: Keys | None,
    about: _About,
    *,
    now_us: int,
    link: str | None,
    programmes: Sequence[Programme],
) -> Letter:
    escalation, patient_id = about.escalation, about.escalation.patient_id
    alerts = await letters.alerts_told(connection, patient_id, about.alerts)
    if not alerts:
        raise Broken(f"Escalation {escalation.escalation_id} is about no alert that is there.")
    retracted = about.kind is LetterKind.CORRECTION
    found = await letters.findings_of(connection, patient_id, about.alerts, retracted=retracted)
    findings = [await _explained(connection, one, programmes) for one in found[:_FINDINGS]]
    others = [
        one
        for one in await load_escalations(connection, alerts)
        if one.escalation_id != escalation.escalation_id
        and (one.asked_at_us, str(one.escalation_id))
        < (escalation.asked_at_us, str(escalation.escalation_id))
    ]
    events = await letters.events_told(connection, patient_id, about.alerts, 0)
    told = _Told(connection, await _names(connection, escalation, events))
    care = await letters.care_told(connection, patient_id)
    said = await letters.remarks(connection, patient_id, now_us - _REMARKS_US, now_us, _REMARKS)
    sender = await told.desk(Role.NURSE, escalation.organisation_id)
    return Letter(
        letter_id=about.letter_id,
        kind=about.kind,
        written_at_us=now_us,
        origin=alerts[0].origin,
        patient_id=patient_id,
        sender=sender,
        responsible=await told.desk(alerts[0].responsible.role, alerts[0].responsible.organisation_id),
        to=await told.desk(escalation.to.role, escalation.to.organisation_id),
        recipient=escalation.recipient,
        request=escalation.request,
        severity=alerts[0].severity,
        signals=tuple(dict.fromkeys(alert.signal for alert in alerts)),
        by_us=about.by_us,
        link=link,
        person=None if keys is None else await _person(connection, keys, escalation, about.letter_id),
        accepted=await told.accepted(escalation),
        asked_by=None if escalation.asked_by is None else told.names.get(str(escalation.asked_by)),
        reason=escalation.reason if escalation.asked_by is not None else None,
        question=escalation.question,
        programmes=_titles(findings),
        findings=tuple(findings),
        more_findings=max(0, len(found) - _FINDINGS),
        series=tuple([await _series(connection, patient_id, k, findings, now_us) for k in charted(findings)]),
        remarks=tuple(Remark(at_us, text) for at_us, text in said),
        treatment_plan=care.treatment_plan,
        advance_care=care.advance_care,
        language=care.language,
        done=tuple(told.deed(event) for event in events if event.by in told.names and event.event in DEEDS)[
            -_DEEDS:
        ],
        earlier=tuple([await told.asked(one) for one in others]),
        correction=_correction(about, alerts, events, told),
    )


@dataclass(frozen=True, slots=True)
class _Told:
    """Organisations and people by their names."""

    connection: Connection
    names: dict[str, str]

    async def desk(self, role: Role, organisation_id: UUID) -> Desk:
        told = await letters.told(self.connection, organisation_id)
        return Desk(role, told.name, told.telephone)

    async def accepted(self, escalation: Escalation) -> Accepted | None:
        if escalation.state is not EscalationState.ACCEPTED or escalation.accepted_at_us is None:
            return None
        name = self.names.get(str(escalation.accepted_by), str(escalation.accepted_by))
        at = await letters.told(self.connection, escalation.to.organisation_id)
        return Accepted(escalation.accepted_at_us, name, at.name)

    async def asked(self, escalation: Escalation) -> Asked:
        told = await letters.told(self.connection, escalation.to.organisation_id)
        return Asked(escalation.asked_at_us, escalation.recipient, told.name, escalation.state)

    def deed(self, event: EventTold) -> Deed:
        """What was written stands under a name of its own for each kind of act."""
        text = next(
            (event.why[name] for name in ("text", "note", "answer", "reason") if name in event.why), None
        )
        raised = event.event is AlertEvent.SEVERITY_RAISED and event.to_value in set(Severity)
        snoozed = event.event is AlertEvent.SNOOZED and (event.to_value or "").isdigit()
        return Deed(
            at_us=event.at_us,
            event=event.event,
            by=self.names.get(event.by),
            text=text if isinstance(text, str) and event.by in self.names else None,
            severity=Severity(event.to_value) if raised else None,
            until_us=int(event.to_value or 0) if snoozed else None,
        )


def _correction(
    about: _About, alerts: Sequence[Alert], events: Sequence[EventTold], told: _Told
) -> Correction | None:
    if about.kind is not LetterKind.CORRECTION:
        return None
    escalation, corrected = about.escalation, about.corrected
    sent_us = escalation.asked_at_us
    if corrected is not None:
        sent_us = corrected.delivered_at_us or corrected.attempted_at_us or corrected.due_at_us
    return Correction(
        corrects=escalation.escalation_id if corrected is None else corrected.message_id,
        sent_at_us=sent_us,
        stands=escalation.state in OPEN_ESCALATION
        and any(alert.state is not AlertState.RESOLVED for alert in alerts),
        changes=tuple(
            told.deed(event) for event in events if event.at_us >= sent_us and event.event in DEEDS
        ),
    )


async def _explained(
    connection: Connection, finding_id: UUID, programmes: Sequence[Programme]
) -> Explanation:
    finding = await find_finding(connection, finding_id)
    if finding is None:
        raise Broken(f"Finding {finding_id} is a reason of an alert and not there.")
    return await explained(connection, finding, programmes)


async def _names(
    connection: Connection, escalation: Escalation, events: Sequence[EventTold]
) -> dict[str, str]:
    people = {who for who in (escalation.asked_by, escalation.accepted_by) if who is not None}
    for event in events:
        try:
            people.add(UUID(event.by))
        except ValueError:
            continue  # the service itself
    return {str(who): name for who, name in (await letters.names_of(connection, sorted(people))).items()}


async def _series(
    connection: Connection, patient_id: UUID, kind: str, findings: Sequence[Explanation], now_us: int
) -> Series:
    from_us = now_us - stretch_us(findings)
    count, readings = await load_values(connection, patient_id, [kind], from_us, now_us, _READINGS)
    values = ((reading.taken_at_us, canonical(reading)) for reading in readings)
    points = tuple((at_us, value) for at_us, value in values if value is not None)
    return Series(
        kind=kind,
        from_us=from_us if count <= len(readings) else points[0][0],
        to_us=now_us,
        points=points,
        limits=limits_of(findings, kind),
        flagged_at_us=flagged_at_us(findings, kind),
    )


def _titles(findings: Sequence[Explanation]) -> tuple[tuple[str, str], ...]:
    titles = (one.programme.title for one in findings if one.programme is not None)
    return tuple(dict.fromkeys((title.nl, title.en) for title in titles))


async def _person(
    connection: Connection, keys: Keys, escalation: Escalation, letter_id: UUID
) -> Person | None:
    sealed = await letters.sealed_for_letter(connection, escalation.escalation_id)
    if sealed is None:
        return None
    identity = keys.open(sealed.patient_id, sealed.sealed, sealed.key_id)
    looked = Event(
        event_code="letter.identity",
        action=Kind.READ,
        happened_us=wall_now_us(),
        user_id=_DISPATCH,
        user_role="thuiswacht_dispatch",
        identifier_type="patient",
        identifier=str(sealed.patient_id),
        authorisation_protocol="identity_for_letter: the escalation is open, or over for less than a day",
        source=_DISPATCH,
        organisation_id=escalation.to.organisation_id,
        patients=(sealed.patient_id,),
        ground="escalated",
        details=f"letter {letter_id}, escalation {escalation.escalation_id}",
    )
    await audit.write(connection, looked)
    return Person(identity.family_name, identity.birth_date, identity.given_names, identity.phone)
