"""Alerts as the API and `--json` give them: names beside ids, moments as datetimes; pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from alerting.escalation.policy import Policy, Step
from models.alerts import Alert, AlertHappening, HandOver
from models.clock import SECOND_US, to_datetime, to_datetime_or_none
from models.db.worklist import Beside, Listed, Place
from models.errors import BadInput
from models.escalations import Escalation, Message, Party
from models.findings import Finding

Names = Mapping[UUID, str]
Structure = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Shown:
    """One alert with all that belongs to it."""

    alert: Alert
    beside: Beside
    findings: Sequence[Finding]
    escalations: Sequence[Escalation]
    policy: Policy


def of_listed(row: Listed, names: Names) -> Structure:
    """A row of the worklist."""
    return {
        **of_alert(row.alert, names),
        "wijk": row.wijk,
        "open_escalations": row.escalations,
        "next": _next(row.next_us, row.next_why),
    }


def of_shown(shown: Shown, names: Names) -> Structure:
    """One alert with its reasons, history, escalations, messages, next look and policy."""
    beside = shown.beside
    return {
        **of_alert(shown.alert, names),
        "wijk": beside.wijk,
        "next": _next(beside.next_us, beside.next_why),
        "policy": of_policy(shown.policy),
        "findings": [_finding(one) for one in shown.findings],
        "escalations": [_escalation(one, names) for one in shown.escalations],
        "messages": [_message(one, names) for one in beside.messages],
        "events": [_event(number, one, names) for number, one in beside.happened],
    }


def of_alert(alert: Alert, names: Names) -> Structure:
    """An alert as it stands with the people."""
    return {
        "alert_id": alert.alert_id,
        "version": alert.version,
        "patient_id": alert.patient_id,
        "organisation": _named(alert.organisation_id, names),
        "origin": alert.origin,
        "signal": alert.signal,
        "severity": alert.severity,
        "state": alert.state,
        "opened_at": to_datetime_or_none(alert.opened_at_us),
        "cleared_at": to_datetime_or_none(alert.cleared_at_us),
        "retracted": alert.retracted,
        "unconfirmed": alert.unconfirmed,
        "quiet": alert.quiet,
        "held_back": alert.held_back,
        "responsible": _party(alert.responsible, names),
        "owner": None if alert.owner is None else _named(alert.owner, names),
        "acknowledged_at": to_datetime_or_none(alert.acknowledged_at_us),
        "resolve_by": to_datetime_or_none(alert.resolve_by_us),
        "snoozed_until": to_datetime_or_none(alert.snoozed_until_us),
        "handed_over_to": None if alert.hand_over is None else _hand_over(alert.hand_over, names),
        "resolved_at": to_datetime_or_none(alert.resolved_at_us),
        "outcome": alert.outcome,
        "recheck_at": to_datetime_or_none(alert.recheck_at_us),
        "follows": alert.follows,
        "step": alert.step_no,
        "stepped_at": to_datetime_or_none(alert.stepped_at_us),
        "stepped_by_policy": alert.policy,
        "sent": alert.sent,
    }


def of_policy(policy: Policy) -> Structure:
    """A policy as it is in force. Times in seconds."""
    return {
        "name": policy.name,
        "version": policy.version,
        "hash": policy.hash,
        "resolve_within_s": _seconds(policy.resolve_within_us),
        "snooze_at_most_s": _seconds(policy.snooze_at_most_us),
        "hand_over_within_s": _seconds(policy.hand_over_within_us),
        "recheck_after_s": _seconds(policy.recheck_after_us),
        "repeat_every_s": _seconds(policy.repeat_every_us),
        "group_wait_s": _seconds(policy.group_wait_us),
        "closes_by_itself": policy.closes_by_itself,
        "steps": [_step(step) for step in policy.steps],
    }


def ids_of_alert(alert: Alert) -> Iterator[UUID]:
    """The people and organisations that stand in an alert."""
    yield from (alert.organisation_id, alert.responsible.organisation_id)
    if alert.owner is not None:
        yield alert.owner
    if alert.hand_over is not None:
        yield alert.hand_over.organisation_id
        if alert.hand_over.person_id is not None:
            yield alert.hand_over.person_id


def ids_of_shown(shown: Shown) -> Iterator[UUID]:
    """The people and organisations that stand in an alert and all that belongs to it."""
    yield from ids_of_alert(shown.alert)
    for one in shown.escalations:
        yield one.to.organisation_id
        yield from (person for person in (one.asked_by, one.accepted_by) if person is not None)
    yield from (one.to_id for one in shown.beside.messages if one.to_id is not None)
    for _, one in shown.beside.happened:
        person = _person(one.by)
        if person is not None:
            yield person


def written(place: Place) -> str:
    """A place in the worklist as clients carry it.

    >>> read(written(Place(1, 1_795_332_660_000_000, UUID(int=7)))) == Place(
    ...     1, 1_795_332_660_000_000, UUID(int=7)
    ... )
    True
    """
    return f"{place.urgency}.{place.opened_at_us}.{place.alert_id.hex}"


def read(text: str) -> Place:
    """A place as it was written. **Raises**: BadInput."""
    urgency, _, rest = text.partition(".")
    opened, _, key = rest.partition(".")
    try:
        place = Place(int(urgency), int(opened), UUID(hex=key))
        to_datetime(place.opened_at_us)
    except (ValueError, OverflowError):
        raise BadInput(where="after", expected="next_page of the page before", found="another text") from None
    return place


def _finding(finding: Finding) -> Structure:
    return {
        "finding_id": finding.finding_id,
        "programme": finding.programme,
        "version": finding.version,
        "rule": finding.rule,
        "severity": finding.severity,
        "opened_at": to_datetime_or_none(finding.opened_at_us),
        "raised_at": to_datetime_or_none(finding.raised_at_us),
        "cleared_at": to_datetime_or_none(finding.cleared_at_us),
        "holds": finding.holds,
        "retracted": finding.retracted,
        "unconfirmed": finding.unconfirmed,
    }


def _escalation(one: Escalation, names: Names) -> Structure:
    return {
        "escalation_id": one.escalation_id,
        "step": one.step_no,
        "recipient": one.recipient,
        "request": one.request,
        "to": _party(one.to, names),
        "state": one.state,
        "asked_at": to_datetime_or_none(one.asked_at_us),
        "asked_by": None if one.asked_by is None else _named(one.asked_by, names),
        "reason": one.reason,
        "question": one.question,
        "answer_by": to_datetime_or_none(one.answer_by_us),
        "delivered_at": to_datetime_or_none(one.delivered_at_us),
        "accepted_at": to_datetime_or_none(one.accepted_at_us),
        "accepted_by": None if one.accepted_by is None else _named(one.accepted_by, names),
        "answered_at": to_datetime_or_none(one.answered_at_us),
        "answer": one.answer,
        "referral_avoided": one.referral_avoided,
        "over_at": to_datetime_or_none(one.over_at_us),
    }


def _message(one: Message, names: Names) -> Structure:
    return {
        "message_id": one.message_id,
        "kind": one.kind,
        "channel": one.channel,
        "to": None if one.to_id is None else _named(one.to_id, names),
        "number": one.number,
        "escalation_id": one.escalation_id,
        "corrects": one.corrects,
        "state": one.state,
        "due_at": to_datetime_or_none(one.due_at_us),
        "attempts": one.attempts,
        "attempted_at": to_datetime_or_none(one.attempted_at_us),
        "delivered_at": to_datetime_or_none(one.delivered_at_us),
        "seen_at": to_datetime_or_none(one.seen_at_us),
        "accepted_at": to_datetime_or_none(one.accepted_at_us),
        "over_at": to_datetime_or_none(one.over_at_us),
        "why": one.why,
    }


def _event(number: int, one: AlertHappening, names: Names) -> Structure:
    person = _person(one.by)
    return {
        "number": number,
        "at": to_datetime_or_none(one.happened_at_us),
        "event": one.event,
        "from": one.from_value,
        "to": one.to_value,
        "by": one.by if person is None else names.get(person, one.by),
        "why": dict(one.why),
    }


def _step(step: Step) -> Structure:
    return {
        "recipient": step.recipient,
        "request": step.request,
        "channels": list(step.channels),
        "delivered_within_s": _seconds(step.delivered_within_us),
        "accepted_within_s": _seconds(step.accepted_within_us),
        "resolved_within_s": _seconds(step.resolved_within_us),
        "question": step.question,
        "answer_within_s": _seconds(step.answer_within_us),
    }


def _party(party: Party, names: Names) -> Structure:
    return {"role": party.role, "organisation": _named(party.organisation_id, names)}


def _hand_over(one: HandOver, names: Names) -> Structure:
    return {
        **_party(Party(one.role, one.organisation_id), names),
        "person": None if one.person_id is None else _named(one.person_id, names),
        "until": to_datetime_or_none(one.until_us),
    }


def _named(key: UUID, names: Names) -> Structure:
    return {"id": key, "name": names.get(key)}


def _next(at_us: int | None, why: str | None) -> Structure | None:
    return None if at_us is None else {"at": to_datetime_or_none(at_us), "why": why}


def _person(by: str) -> UUID | None:
    try:
        return UUID(by)
    except ValueError:
        return None


def _seconds(us: int | None) -> float | None:
    return None if us is None else us / SECOND_US
