"""What people do with alerts: lock, load, decide, carry out; all of it in the transaction of who acts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NoReturn, Protocol
from uuid import UUID

from alerting.acts import require_version
from alerting.carrying_out import carry_out
from alerting.escalation.choice import policy_of
from alerting.escalation.duty import Duty
from alerting.escalation.policy import Policies, Policy
from alerting.escalation.recipients import Contacts, as_recipient, parties
from alerting.escalation.roster import RosterBook
from alerting.escalation.situation import Reason
from alerting.transition import Transition
from ingest.acting import Acting
from models.alerts import Alert, AlertState
from models.db.alerts import load_reasons, lock_alerts
from models.db.escalations import load_escalations
from models.db.findings import load_findings
from models.db.pool import Connection
from models.db.positions import dispatch_now_us
from models.db.worklist import find_successor, keys_of, names_of
from models.errors import BadInput, NotThere, Outdated
from models.escalations import OPEN_ESCALATION, Escalation, Party
from models.findings import Finding
from models.settings import Settings

NOT_THERE = "There is no such alert, or you may not see it."


@dataclass(frozen=True, slots=True)
class Rules:
    """By what alerts are handled: policies, rosters, and whose clock counts."""

    policies: Policies
    rosters: RosterBook
    settings: Settings


@dataclass(frozen=True, slots=True)
class Situation:
    """An alert, locked, with all that a decision about it rests on. **Units**: microseconds since 1970 UTC.

    `contacts`: who each recipient is for the patient.
    """

    alert: Alert
    findings: tuple[Finding, ...]
    escalations: tuple[Escalation, ...]
    policy: Policy
    contacts: Contacts
    rosters: RosterBook
    now_us: int
    successor: Alert | None = None
    """Of a resolved one: the alert of the same patient and signal that is open by now."""

    @property
    def holds(self) -> bool:
        """Whether a finding of it still holds."""
        return any(finding.holds for finding in self.findings)

    @property
    def open_escalations(self) -> tuple[Escalation, ...]:
        """Those that are not over."""
        return tuple(one for one in self.escalations if one.state in OPEN_ESCALATION)

    @property
    def promised_since_us(self) -> int | None:
        """Since when the present owner has it."""
        return self.alert.acknowledged_at_us if self.alert.state is AlertState.ACKNOWLEDGED else None

    @property
    def duty(self) -> Duty:
        """The duty now of who is responsible."""
        return self.duty_of(self.alert.responsible)

    def duty_of(self, party: Party) -> Duty:
        """The duty now of a party."""
        return self.rosters.on_duty(as_recipient(party, self.contacts), self.now_us)

    def escalation(self, escalation_id: UUID) -> Escalation:
        """One of its escalations. **Raises**: NotThere."""
        found = next((one for one in self.escalations if one.escalation_id == escalation_id), None)
        if found is None:
            raise NotThere("This alert has no such escalation.")
        return found


class Decide(Protocol):
    """A decision about an alert; pure. **Raises**: BadInput, Outdated."""

    def __call__(self, at: Situation, /) -> Transition:
        """What it comes to."""
        ...


@dataclass(frozen=True, slots=True)
class Seen:
    """An alert in the version in which somebody saw it."""

    alert_id: UUID
    version: int


async def handle(act: Acting, rules: Rules, seen: Seen, decide: Decide) -> Alert:
    """Does what is decided with one alert; how it is from now on.

    **Raises**: NotThere; Outdated, naming who has it now, when somebody was faster; what `decide` raises.
    """
    (at,) = await _situations(act, rules, [seen])
    if isinstance(at, NotThere):
        raise at
    try:
        transition = _decided(at, seen, decide)
    except Outdated as error:
        await _raise_outdated(act, at.alert, error)
    await carry_out(act.connection, [transition])
    act.details = _told([transition])
    return transition.alert


async def handle_each(
    act: Acting, rules: Rules, seen: Sequence[Seen], decide: Decide
) -> dict[UUID, Alert | BadInput | NotThere | Outdated]:
    """Does the same with several alerts at once: what comes of each, whatever becomes of the others."""
    found = await _situations(act, rules, seen)
    results: dict[UUID, Alert | BadInput | NotThere | Outdated] = {}
    transitions: list[Transition] = []
    for one, at in zip(seen, found, strict=True):
        if isinstance(at, NotThere):
            results[one.alert_id] = at
            continue
        try:
            transition = _decided(at, one, decide)
        except BadInput as error:
            results[one.alert_id] = error
        except Outdated as error:
            results[one.alert_id] = await _outdated(act, at.alert, error)
        else:
            transitions.append(transition)
            results[one.alert_id] = transition.alert
    await carry_out(act.connection, transitions)
    act.details = _told(transitions)
    return results


def policy_for(alert: Alert, findings: Sequence[Finding], policies: Policies) -> Policy:
    """By which policy an alert with these findings goes."""
    reasons = [Reason(f.finding_id, f.programme, f.severity, f.holds, f.retracted) for f in findings]
    return policy_of(alert, reasons, policies)


def _decided(at: Situation, seen: Seen, decide: Callable[[Situation], Transition]) -> Transition:
    require_version(at.alert, seen.version)
    return decide(at)


async def _situations(act: Acting, rules: Rules, seen: Sequence[Seen]) -> list[Situation | NotThere]:
    """Locks alerts and loads what belongs to them, in the order given; some may not be there."""
    connection = act.connection
    keys = await keys_of(connection, [one.alert_id for one in seen])
    for patient_id in dict.fromkeys(patient_id for patient_id, _ in keys.values()):
        await act.require(patient_id)
    locked = {alert.alert_id: alert for alert in await lock_alerts(connection, list(keys.values()))}
    alerts = list(locked.values())
    now_us = await dispatch_now_us(connection, rules.settings)
    findings = await findings_of(connection, alerts)
    escalations = await load_escalations(connection, alerts)
    contacts = await parties(connection, {alert.patient_id: alert.organisation_id for alert in alerts})
    successors = {
        alert.alert_id: await find_successor(connection, alert)
        for alert in alerts
        if alert.state is AlertState.RESOLVED
    }

    def situation(alert: Alert) -> Situation:
        reasons = findings[alert.alert_id]
        return Situation(
            alert=alert,
            findings=reasons,
            escalations=tuple(one for one in escalations if one.alert_id == alert.alert_id),
            policy=policy_for(alert, reasons, rules.policies),
            contacts=contacts.get(alert.patient_id, {}),
            rosters=rules.rosters,
            now_us=now_us,
            successor=successors.get(alert.alert_id),
        )

    return [
        situation(locked[one.alert_id]) if one.alert_id in locked else NotThere(NOT_THERE) for one in seen
    ]


def _told(transitions: Sequence[Transition]) -> str:
    """What was done with which alerts, as an audit row says it."""
    return "; ".join(
        f"{', '.join(event.event for event in t.events)}: {t.alert.alert_id}" for t in transitions
    )


async def findings_of(connection: Connection, alerts: Sequence[Alert]) -> dict[UUID, tuple[Finding, ...]]:
    """The findings of each of these alerts."""
    reasons = await load_reasons(connection, alerts)
    found = await load_findings(connection, {}, [(one.patient_id, one.finding_id) for one in reasons])
    by_id = {finding.finding_id: finding for finding in found}
    return {
        alert.alert_id: tuple(by_id[one.finding_id] for one in reasons if one.alert_id == alert.alert_id)
        for alert in alerts
    }


async def _raise_outdated(act: Acting, alert: Alert, error: Outdated) -> NoReturn:
    raise await _outdated(act, alert, error) from error


async def _outdated(act: Acting, alert: Alert, error: Outdated) -> Outdated:
    """The same, with how the alert is now and the name of who has it."""
    name = None
    if alert.owner is not None:
        name = (await names_of(act.connection, [alert.owner])).get(alert.owner)
    has_it = alert.state is AlertState.ACKNOWLEDGED and alert.owner != act.user.person_id and name is not None
    said = f"{error} {name} has this alert now." if has_it else str(error)
    now = {
        "version": alert.version,
        "state": alert.state,
        "owner": None if alert.owner is None else {"person_id": str(alert.owner), "name": name},
    }
    return Outdated(said, now=now)
