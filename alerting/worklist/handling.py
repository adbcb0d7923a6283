"""What people do with alerts: lock, load, decide, carry out; all of it in the transaction of who acts."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn, Protocol
from uuid import UUID

from alerting.acts import require_version
from alerting.carrying_out import carry_out
from alerting.escalation.duty import Duty
from alerting.escalation.policy import Policies, Policy
from alerting.escalation.roster import RosterBook
from alerting.transition import Transition
from ingest.acting import Acting
from models.access import Role
from models.alerts import Alert, AlertState
from models.db.alerts import load_reasons, lock_alerts
from models.db.directory import organisations
from models.db.escalations import load_escalations
from models.db.findings import load_findings
from models.db.pool import Connection
from models.db.positions import dispatch_now_us
from models.db.worklist import find_successor, keys_of, names_of
from models.errors import BadInput, NotThere, Outdated
from models.escalations import OPEN_ESCALATION, Escalation, Party, Recipient
from models.findings import Finding
from models.register import OrganisationKind
from models.settings import Settings

NOT_THERE = "There is no such alert, or you may not see it."

ANY_PROGRAMME = "*"

_AT: Mapping[OrganisationKind, Recipient] = {
    OrganisationKind.OUT_OF_HOURS_POST: Recipient.OUT_OF_HOURS_POST,
    OrganisationKind.REFERRAL_DESK: Recipient.REFERRAL_DESK,
    OrganisationKind.COORDINATION_CENTRE: Recipient.COORDINATION_CENTRE,
    OrganisationKind.ELDERLY_CARE: Recipient.HOME_VISIT,
    OrganisationKind.GP_PRACTICE: Recipient.HUISARTS,
    OrganisationKind.COMMUNITY_NURSING: Recipient.COMMUNITY_NURSE,
}
_AS: Mapping[Role, Recipient] = {
    Role.COMMUNITY_NURSE: Recipient.COMMUNITY_NURSE,
    Role.HUISARTS: Recipient.HUISARTS,
    Role.SPECIALIST: Recipient.SPECIALIST,
    Role.COORDINATOR: Recipient.COORDINATION_CENTRE,
}


@dataclass(frozen=True, slots=True)
class Rules:
    """By what alerts are handled: policies, rosters, and whose clock counts."""

    policies: Policies
    rosters: RosterBook
    settings: Settings


@dataclass(frozen=True, slots=True)
class Situation:
    """An alert, locked, with all that a decision about it rests on. **Units**: microseconds since 1970 UTC.

    `duty`: of the recipient as whom the user works.
    """

    alert: Alert
    findings: tuple[Finding, ...]
    escalations: tuple[Escalation, ...]
    policy: Policy
    duty: Duty
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
    return results


def policy_of(alert: Alert, findings: Sequence[Finding], policies: Policies) -> Policy:
    """By which policy an alert goes: that of its worst finding, of one that holds before others."""
    worst = max(findings, key=lambda f: (f.holds, f.severity.rank, -f.opened_at_us), default=None)
    programme = ANY_PROGRAMME if worst is None else worst.programme
    return policies.of(programme, alert.signal, alert.severity)


def recipient_of(party: Party, kind: OrganisationKind | None, asked: Sequence[Escalation]) -> Recipient:
    """As which recipient a party works: as what it was asked, else by its organisation and role."""
    as_asked = next((one.recipient for one in asked if one.to == party), None)
    if as_asked is not None:
        return as_asked
    at_such_a_place = None if kind is None or party.role is Role.NURSE else _AT.get(kind)
    return at_such_a_place or _AS.get(party.role, Recipient.NURSE)


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
    kind = await _kind(connection, act.user.organisation_id)
    us = Party(act.user.role, act.user.organisation_id)
    successors = {
        alert.alert_id: await find_successor(connection, alert)
        for alert in alerts
        if alert.state is AlertState.RESOLVED
    }

    def situation(alert: Alert) -> Situation:
        asked = tuple(one for one in escalations if one.alert_id == alert.alert_id)
        reasons = findings[alert.alert_id]
        recipient = recipient_of(us, kind, [one for one in asked if one.state in OPEN_ESCALATION])
        return Situation(
            alert=alert,
            findings=reasons,
            escalations=asked,
            policy=policy_of(alert, reasons, rules.policies),
            duty=rules.rosters.on_duty(recipient, now_us),
            now_us=now_us,
            successor=successors.get(alert.alert_id),
        )

    return [
        situation(locked[one.alert_id]) if one.alert_id in locked else NotThere(NOT_THERE) for one in seen
    ]


async def findings_of(connection: Connection, alerts: Sequence[Alert]) -> dict[UUID, tuple[Finding, ...]]:
    """The findings of each of these alerts."""
    reasons = await load_reasons(connection, alerts)
    found = await load_findings(connection, {}, [(one.patient_id, one.finding_id) for one in reasons])
    by_id = {finding.finding_id: finding for finding in found}
    return {
        alert.alert_id: tuple(by_id[one.finding_id] for one in reasons if one.alert_id == alert.alert_id)
        for alert in alerts
    }


async def _kind(connection: Connection, organisation_id: UUID) -> OrganisationKind | None:
    found = await organisations(connection, [organisation_id])
    return found[organisation_id].kind if organisation_id in found else None


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
