"""The course of one alert, look by look, as the dispatcher would take it; without a database."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import count
from uuid import UUID

from alerting.acts import accept_escalation, acknowledge, snooze
from alerting.escalation.duty import Duty, Rosters, Shift
from alerting.escalation.ladder import decide
from alerting.escalation.policy import Policies, Policy, PolicySeverity, Step
from alerting.escalation.recipients import Contact
from alerting.escalation.situation import Decision, News, Reason, Situation
from alerting.transition import Transition
from models.access import Role, User
from models.alerts import Alert, AlertEvent, AlertHappening, AlertState
from models.clock import DAY_US, HOUR_US, MINUTE_US
from models.escalations import (
    OPEN_ESCALATION,
    Channel,
    Escalation,
    Message,
    MessageKind,
    MessageState,
    Party,
    Recipient,
    RequestKind,
    Trouble,
)
from models.findings import Severity, Signal
from models.messages import Origin

T0_US = 20_000 * DAY_US
"""Midnight; the practice of these tests opens then, and closes after eight hours."""
PATIENT, CENTRE, PRACTICE, POST, HOSPITAL, REGION = (UUID(int=n) for n in range(1, 7))
NURSES_OF_CENTRE = Party(Role.NURSE, CENTRE)
NURSE = User(UUID(int=21), CENTRE, Role.NURSE)
OTHER_NURSE = User(UUID(int=22), CENTRE, Role.NURSE)
HUISARTS = User(UUID(int=23), PRACTICE, Role.HUISARTS)
SPECIALIST = User(UUID(int=24), HOSPITAL, Role.SPECIALIST)

_ALL = frozenset({Channel.WORKLIST, Channel.SECURE_MAIL, Channel.FHIR})
CONTACTS: Mapping[Recipient, Contact] = {
    Recipient.NURSE: Contact(Party(Role.NURSE, CENTRE)),
    Recipient.HUISARTS: Contact(Party(Role.HUISARTS, PRACTICE), _ALL),
    Recipient.OUT_OF_HOURS_POST: Contact(Party(Role.HUISARTS, POST), _ALL),
    Recipient.SPECIALIST: Contact(Party(Role.SPECIALIST, HOSPITAL), _ALL),
    Recipient.COORDINATION_CENTRE: Contact(Party(Role.COORDINATOR, REGION), _ALL),
}


def step(
    recipient: Recipient,
    *,
    accepted: int | None = HOUR_US,
    delivered: int | None = 10 * MINUTE_US,
    resolved: int | None = None,
    channels: tuple[Channel, ...] | None = None,
    question: str | None = None,
) -> Step:
    """A step as a policy would have it."""
    if channels is None:
        channels = (
            (Channel.WORKLIST,) if recipient is Recipient.NURSE else (Channel.FHIR, Channel.SECURE_MAIL)
        )
    return Step(
        recipient=recipient,
        request=RequestKind.REGULAR,
        channels=channels,
        delivered_within_us=None if recipient is Recipient.NURSE else delivered,
        accepted_within_us=accepted,
        resolved_within_us=resolved,
        question=question,
        answer_within_us=None if question is None else 3 * HOUR_US,
    )


NURSES = step(Recipient.NURSE)
PRACTICE_STEP = step(Recipient.HUISARTS, accepted=2 * HOUR_US)
CENTRE_STEP = step(Recipient.COORDINATION_CENTRE, accepted=HOUR_US)


def policy(*steps: Step, name: str = "medium", **given: object) -> Policy:
    """The policy of these steps."""
    made = Policy(
        name=name,
        version=1,
        hash="hash",
        steps=steps or (NURSES, PRACTICE_STEP, CENTRE_STEP),
        resolve_within_us=4 * HOUR_US,
        snooze_at_most_us=6 * HOUR_US,
        hand_over_within_us=HOUR_US,
        recheck_after_us=DAY_US,
        repeat_every_us=5 * HOUR_US,
        group_wait_us=15 * MINUTE_US,
        closes_by_itself=False,
    )
    return replace(made, **given)


SEVERE = policy(
    step(Recipient.NURSE, accepted=10 * MINUTE_US),
    step(Recipient.HUISARTS, accepted=15 * MINUTE_US),
    step(Recipient.COORDINATION_CENTRE, accepted=10 * MINUTE_US),
    name="high",
    repeat_every_us=20 * MINUTE_US,
    group_wait_us=0,
)


class Shifts:
    """The practice is open for the first eight hours of a day, then the post; nurses work for eight each."""

    def on_duty(self, recipient: Recipient, at_us: int) -> Duty:
        """Exactly one."""
        day_us = at_us - at_us % DAY_US
        if recipient is Recipient.HUISARTS:
            if at_us - day_us < 8 * HOUR_US:
                return Duty(recipient, "practice", Shift.OFFICE, day_us, day_us + 8 * HOUR_US)
            until_us = day_us + DAY_US
            return Duty(Recipient.OUT_OF_HOURS_POST, "post", Shift.NIGHT, day_us + 8 * HOUR_US, until_us)
        length_us = 8 * HOUR_US if recipient is Recipient.NURSE else DAY_US
        from_us = at_us - at_us % length_us
        return Duty(recipient, "duty", Shift.DAY, from_us, from_us + length_us)


@dataclass(slots=True)
class Course:
    """One alert, its ladder, and all that has come of it."""

    policies: dict[Severity, Policy] = field(default_factory=dict[Severity, Policy])
    contacts: Mapping[Recipient, Contact] = field(default_factory=lambda: dict(CONTACTS))
    rosters: Rosters = field(default_factory=Shifts)
    in_force: Policies | None = None
    """In place of `policies`."""
    alert: Alert = field(init=False)
    now_us: int = T0_US
    next_us: int | None = T0_US
    reasons: list[Reason] = field(default_factory=list[Reason])
    escalations: dict[UUID, Escalation] = field(default_factory=dict[UUID, Escalation])
    messages: dict[UUID, Message] = field(default_factory=dict[UUID, Message])
    events: list[News] = field(default_factory=list[News])
    heard: int = 0
    decisions: list[Decision] = field(default_factory=list[Decision])
    another: UUID | None = None
    ended: bool = False
    admitted: bool = False
    ids: Iterator[UUID] = field(default_factory=lambda: (UUID(int=number) for number in count(1000)))

    def __post_init__(self) -> None:
        self.policies = {
            Severity.LOW: policy(name="low", closes_by_itself=True),
            Severity.MEDIUM: policy(),
            Severity.HIGH: SEVERE,
        } | self.policies
        self.opens()

    @classmethod
    def of(cls, *steps: Step) -> "Course":
        """An alert of medium severity on a ladder of these steps."""
        return cls({Severity.MEDIUM: policy(*steps)})

    def opens(self, severity: Severity = Severity.MEDIUM, **given: object) -> "Course":
        """A new alert, with one finding that holds."""
        made = Alert(UUID(int=100), PATIENT, CENTRE, Signal.FLUID, severity, T0_US, Origin.SIMULATED)
        self.alert = replace(made, **given)
        self.reasons = [Reason(UUID(int=200), "heart_failure", severity, holds=True)]
        self.events = []
        self.happens(AlertEvent.OPENED)
        return self

    def happens(self, event: AlertEvent, by: str = "alerting", **why: object) -> None:
        """Something that alerting or somebody did: news for the ladder, which looks at once."""
        self._tell(
            AlertHappening(self.alert.alert_id, PATIENT, CENTRE, self.now_us, event, by=by, why=dict(why))
        )
        self.next_us = self.now_us

    def becomes(self, **changes: object) -> None:
        """The alert, changed by alerting."""
        self.alert = replace(self.alert, **changes)

    def raised(self, severity: Severity = Severity.HIGH) -> None:
        """A finding that is worse."""
        self.reasons.append(Reason(next(self.ids), "heart_failure", severity, holds=True))
        self.becomes(severity=severity)
        self.happens(AlertEvent.SEVERITY_RAISED)

    def cleared(self) -> None:
        """Nothing holds any more."""
        self.reasons = [replace(reason, holds=False) for reason in self.reasons]
        self.becomes(cleared_at_us=self.now_us)
        self.happens(AlertEvent.CLEARED)

    def retracted(self) -> None:
        """Nothing ever held."""
        self.reasons = [replace(reason, holds=False, retracted=True) for reason in self.reasons]
        self.becomes(retracted=True)
        self.happens(AlertEvent.RETRACTED)

    def look(self) -> Decision:
        """The ladder looks, now."""
        news = tuple(one for one in self.events if one.event_no > self.heard)
        situation = Situation(
            self.alert,
            tuple(self.reasons),
            tuple(self.escalations.values()),
            tuple(m for m in self.messages.values() if m.kind in ("escalation", "question")),
            news,
            self.contacts,
            self.another,
            self.ended,
            self.admitted,
        )
        by_key: dict[tuple[str, Signal | None, PolicySeverity], Policy] = {
            ("*", None, PolicySeverity(severity.value)): one for severity, one in self.policies.items()
        }
        decision = decide(
            situation,
            policies=self.in_force or Policies(by_key),
            rosters=self.rosters,
            now_us=self.now_us,
            ids=self.ids,
        )
        self.act(decision.transition)
        self.heard = len(self.events)
        self.decisions.append(decision)
        return decision

    def act(self, transition: Transition) -> None:
        """What a decision, of the ladder or of a person, comes to."""
        self.alert = transition.alert
        for happening in transition.events:
            self._tell(happening)
        self.next_us = transition.next_us
        self.escalations |= {e.escalation_id: e for e in transition.escalations}
        self.messages |= {m.message_id: m for m in transition.messages}

    def after(self, us: int) -> "Course":
        """Time goes by; every look that is due is taken when it is."""
        return self.until(self.now_us + us)

    def until(self, at_us: int) -> "Course":
        """As `after`, to a moment."""
        looks = 0
        while self.next_us is not None and self.next_us <= at_us:
            self.now_us = max(self.now_us, self.next_us)
            self.look()
            looks += 1
            assert looks < 10_000, "it looks again and again at the same moment"
        self.now_us = at_us
        return self

    def sends(self, state: MessageState = MessageState.DELIVERED) -> None:
        """What is due goes out, and this comes of it."""
        for message in list(self.messages.values()):
            if message.state is MessageState.DUE:
                over_us = self.now_us if state is MessageState.GIVEN_UP else None
                self.messages[message.message_id] = replace(
                    message, state=state, attempts=1, over_at_us=over_us
                )

    @property
    def asked(self) -> list[Recipient]:
        """Who was asked, in order."""
        return [escalation.recipient for escalation in self.escalations.values()]

    @property
    def open_now(self) -> list[Escalation]:
        """What is asked and not over."""
        return [e for e in self.escalations.values() if e.state in OPEN_ESCALATION]

    def acknowledged(self) -> None:
        """A nurse takes it upon herself."""
        duty = Shifts().on_duty(Recipient.NURSE, self.now_us)
        self.act(acknowledge(self.alert, NURSE, policy=policy(), duty=duty, now_us=self.now_us))

    def snoozed(self, until_us: int) -> None:
        """A nurse does not want to hear of it for a while."""
        duty = Shifts().on_duty(Recipient.NURSE, self.now_us)
        act = snooze(
            self.alert, NURSE, until_us=until_us, promised_since_us=None, policy=policy(), duty=duty,
            now_us=self.now_us,
        )  # fmt: skip
        self.act(act)

    def accepted(self) -> None:
        """The huisarts accepts the one escalation that is open."""
        (escalation,) = self.open_now
        duty = Shifts().on_duty(Recipient.HUISARTS, self.now_us)
        act = accept_escalation(
            self.alert, escalation, HUISARTS, policy=policy(), duty=duty, now_us=self.now_us
        )
        self.act(act)

    def of_kind(self, kind: MessageKind) -> list[Message]:
        """The messages of a kind, in order."""
        return [message for message in self.messages.values() if message.kind is kind]

    def troubles(self) -> list[Trouble]:
        """What was noticed so far."""
        return [noticed.trouble for decision in self.decisions for noticed in decision.noticed]

    def kinds(self) -> list[AlertEvent]:
        """What has happened, in order."""
        return [news.happening.event for news in self.events]

    def is_silent_for_ever(self) -> bool:
        """Whether nobody will look at an alert that is not resolved."""
        return self.alert.state is not AlertState.RESOLVED and self.next_us is None

    def _tell(self, happening: AlertHappening) -> None:
        self.events.append(News(len(self.events) + 1, happening))
