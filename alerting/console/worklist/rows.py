"""What a row of the worklist says: a patient with their open alerts, whose they are, what is next; pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from alerting.escalation.choice import first_wait_us, policy_of
from alerting.escalation.policy import Policies, Policy
from alerting.escalation.situation import Reason
from alerting.explain.vocabulary import SIGNALS, Both, Language
from models.access import User
from models.alerts import Alert, AlertState, HandOver
from models.db.open_patients import OpenAlert, OpenReason
from models.escalations import Recipient
from models.findings import Severity, Signal
from models.identity import Identity

RuleTexts = Mapping[tuple[str, int, str], Both]
"""What each rule says, by programme, version and name."""


class Deed(StrEnum):
    """What somebody can do with an alert, by the letter under which the browser knows it."""

    CLAIM = "c"
    SNOOZE = "s"
    RESOLVE = "r"
    HAND_OVER = "h"
    GIVE_BACK = "b"
    ACCEPT = "a"
    DECLINE = "d"


class NextKind(StrEnum):
    """What happens when nobody does anything."""

    ASKED = "asked"
    """Somebody else is asked."""
    PROMISE = "promise"
    """The promise of its owner ends."""
    AWAKE = "awake"
    """A snooze ends."""


@dataclass(frozen=True, slots=True)
class Next:
    """What happens next with an alert, and when. **Units**: microseconds since 1970 UTC."""

    kind: NextKind
    at_us: int
    recipient: Recipient | None = None


@dataclass(frozen=True, slots=True)
class Mark:
    """Something to know of an alert: `name` of a text, a moment in it, and somebody in it.

    **Units**: microseconds since 1970 UTC.
    """

    name: str
    at_us: int | None = None
    who: str | None = None


@dataclass(frozen=True, slots=True)
class RowAlert:
    """An alert in a row. `deeds`: what whoever looks can do with it. **Units**: as `Next`."""

    alert: Alert
    headline: str
    owner: str | None
    is_mine: bool
    marks: tuple[Mark, ...]
    deeds: str
    next: Next | None
    policy: Policy = field(compare=False)

    @property
    def shape(self) -> str:
        """By which shape and colour it is told: silence has its own."""
        return shape_of(self.alert)

    @property
    def browser(self) -> dict[str, object]:
        """What the browser has to know to act on it."""
        return {"id": str(self.alert.alert_id), "v": self.alert.version, "can": self.deeds}


@dataclass(frozen=True, slots=True)
class Row:
    """A patient with their open alerts, the worst first. `identity` is None for who has no name here."""

    patient_id: UUID
    identity: Identity | None
    wijk: str | None
    programmes: tuple[str, ...]
    alerts: tuple[RowAlert, ...]

    @property
    def worst(self) -> RowAlert:
        """Which decides where the row stands."""
        return self.alerts[0]

    @property
    def name(self) -> str | None:
        """As a list says it: family name first."""
        return None if self.identity is None else listed_name(self.identity)

    @property
    def birth_year(self) -> int | None:
        """Of two of the same name, which."""
        return None if self.identity is None else self.identity.birth_date.year

    @property
    def marks(self) -> tuple[Mark, ...]:
        """What there is to know of any of its alerts, each once."""
        return tuple(dict.fromkeys(mark for one in self.alerts for mark in one.marks))

    @property
    def owners(self) -> tuple[RowAlert, ...]:
        """One alert for each owner; nobody as well."""
        return tuple({one.alert.owner: one for one in reversed(self.alerts)}.values())

    @property
    def next(self) -> Next | None:
        """What happens first."""
        coming = [one.next for one in self.alerts if one.next is not None]
        return min(coming, key=lambda one: one.at_us, default=None)


@dataclass(frozen=True, slots=True)
class Seeing:
    """By what rows are made: who looks, when, in which language, and what things are called."""

    user: User
    now_us: int
    language: Language
    policies: Policies
    rule_texts: RuleTexts
    names: Mapping[UUID, str]


def rows_of(
    patients: Sequence[Sequence[OpenAlert]],
    reasons: Mapping[UUID, Sequence[OpenReason]],
    identities: Mapping[UUID, Identity],
    seeing: Seeing,
) -> list[Row]:
    """A row for each patient, in the order in which they come."""
    return [
        Row(
            patient_id=alerts[0].alert.patient_id,
            identity=identities.get(alerts[0].alert.patient_id),
            wijk=alerts[0].wijk,
            programmes=_programmes(reason for one in alerts for reason in reasons[one.alert.alert_id]),
            alerts=tuple(row_alert(one, reasons[one.alert.alert_id], seeing) for one in alerts),
        )
        for alerts in patients
    ]


def row_alert(one: OpenAlert, reasons: Sequence[OpenReason], seeing: Seeing) -> RowAlert:
    """One alert as a row tells of it."""
    alert = one.alert
    policy = policy_of(alert, [_reason(reason) for reason in reasons], seeing.policies)
    return RowAlert(
        alert=alert,
        headline=headline(alert, reasons, seeing),
        owner=one.owner_name,
        is_mine=alert.owner == seeing.user.person_id,
        marks=tuple(marks_of(alert, seeing)),
        deeds="".join(deeds_of(alert, seeing.user, seeing.now_us)),
        next=next_of(one, policy, seeing.now_us),
        policy=policy,
    )


def headline(alert: Alert, reasons: Sequence[OpenReason], seeing: Seeing) -> str:
    """What is the matter, in the words of its worst rule that holds, or by its signal."""
    ordered = sorted(reasons, key=lambda reason: (not reason.holds, reason.retracted))
    for reason in ordered:
        text = seeing.rule_texts.get((reason.programme, reason.version, reason.rule))
        if text is not None:
            return text.said(seeing.language).strip()
    said = SIGNALS[alert.signal].said(seeing.language)
    return f"{said[0].upper()}{said[1:]}."


def next_of(one: OpenAlert, policy: Policy, now_us: int) -> Next | None:
    """What happens next when nobody does anything; None where nobody is asked by itself."""
    alert = one.alert
    if is_asleep(alert, now_us) and alert.snoozed_until_us is not None:
        return Next(NextKind.AWAKE, alert.snoozed_until_us)
    if alert.resolve_by_us is not None:
        return Next(NextKind.PROMISE, alert.resolve_by_us)
    over = alert.retracted or alert.cleared_at_us is not None
    if alert.held_back is not None or alert.quiet or one.next_us is None or (over and alert.step_no > 0):
        return None
    following = policy.steps[min(max(alert.step_no, 1), len(policy.steps) - 1)]
    at_us = one.next_us if alert.step_no > 0 else alert.opened_at_us + first_wait_us(policy)
    return Next(NextKind.ASKED, at_us, following.recipient)


def marks_of(alert: Alert, seeing: Seeing) -> Iterable[Mark]:
    """What there is to know of an alert beside who has it."""
    if alert.held_back is not None:
        yield Mark(f"held_back_{alert.held_back}")
    if is_asleep(alert, seeing.now_us):
        yield Mark("snoozed", alert.snoozed_until_us)
    if alert.hand_over is not None and alert.hand_over.until_us > seeing.now_us:
        offer = alert.hand_over
        if is_offered_to(offer, seeing.user) and alert.owner != seeing.user.person_id:
            yield Mark("offered_to_you", offer.until_us)
        else:
            who = offer.organisation_id if offer.person_id is None else offer.person_id
            name = seeing.names.get(who)
            yield Mark("offered", offer.until_us, None if name is None else isolated(name))
    if alert.unconfirmed:
        yield Mark("unconfirmed")
    if alert.retracted:
        yield Mark("retracted")
    elif alert.cleared_at_us is not None:
        yield Mark("cleared", alert.cleared_at_us)


def deeds_of(alert: Alert, user: User, now_us: int) -> Iterable[Deed]:
    """What somebody can do with an alert as it stands; the decision itself is taken when they do."""
    offer = alert.hand_over if alert.hand_over is None or alert.hand_over.until_us > now_us else None
    is_mine = alert.owner == user.person_id
    if alert.state is AlertState.OPEN:
        yield from (Deed.CLAIM, Deed.SNOOZE, Deed.RESOLVE)
    elif is_mine:
        yield from (Deed.SNOOZE, Deed.RESOLVE, Deed.HAND_OVER, Deed.GIVE_BACK)
        if alert.snoozed_until_us is not None:
            yield Deed.CLAIM
        if offer is not None:
            yield Deed.DECLINE
    elif offer is not None and is_offered_to(offer, user):
        yield from (Deed.ACCEPT, Deed.DECLINE)


def is_offered_to(offer: HandOver, user: User) -> bool:
    """Whether it is this user who may accept."""
    fits = (offer.role, offer.organisation_id) == (user.role, user.organisation_id)
    return fits and offer.person_id in (None, user.person_id)


def is_asleep(alert: Alert, now_us: int) -> bool:
    """Whether it is snoozed at this moment."""
    return alert.snoozed_until_us is not None and alert.snoozed_until_us > now_us


def shape_of(alert: Alert) -> str:
    """The shape and colour by which its severity is told."""
    if alert.signal is Signal.SILENCE and alert.severity is not Severity.HIGH:
        return "silence"
    return alert.severity.value


def listed_name(identity: Identity) -> str:
    """A name as it stands in lists.

    >>> from datetime import date
    >>> listed_name(Identity(family_name="de Vries", given_names="Anna", birth_date=date(1950, 1, 1)))
    'de Vries, Anna'
    """
    return f"{identity.family_name}, {identity.given_names}" if identity.given_names else identity.family_name


def isolated(name: str) -> str:
    r"""A name within a sentence: whatever direction it is written in, the rest stays as it is.

    >>> isolated("Anna") == "\u2068Anna\u2069"
    True
    """
    return f"\u2068{name}\u2069"


def _programmes(reasons: Iterable[OpenReason]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(reason.programme for reason in reasons))


def _reason(reason: OpenReason) -> Reason:
    return Reason(reason.finding_id, reason.programme, reason.severity, reason.holds, reason.retracted)
