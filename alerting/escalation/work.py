"""One look at an alert as it is put together: the alert as it becomes, and all that comes with it."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from uuid import UUID

from alerting.acts.escalations import over
from alerting.acts.steps import Step
from alerting.escalation.duty import Rosters
from alerting.escalation.policy import Policies, Policy
from alerting.escalation.situation import Decision, Look, Noticed, Opened, Situation
from alerting.transition import Transition
from models.alerts import ALERTING, Alert, AlertEvent
from models.escalations import OPEN_ESCALATION, Escalation, EscalationState, Message, Trouble


@dataclass(slots=True)
class Work:
    """Lives within one decision. **Units**: `now_us` in microseconds since 1970 UTC."""

    situation: Situation
    policy: Policy
    policies: Policies
    rosters: Rosters
    now_us: int
    ids: Iterator[UUID]
    step: Step = field(init=False)
    escalations: dict[UUID, Escalation] = field(init=False)
    changed: dict[UUID, Escalation] = field(default_factory=dict[UUID, Escalation])
    new_messages: list[Message] = field(default_factory=list[Message])
    noticed: list[Noticed] = field(default_factory=list[Noticed])
    why: list[str] = field(default_factory=list[str])
    opened: Opened | None = None

    def __post_init__(self) -> None:
        self.step = Step.of(self.situation.alert, ALERTING, self.now_us)
        self.escalations = {e.escalation_id: e for e in self.situation.escalations}

    @property
    def alert(self) -> Alert:
        """As it is by now."""
        return self.step.alert

    @property
    def messages(self) -> tuple[Message, ...]:
        """Those that carried its escalations, and those to come."""
        return (*self.situation.messages, *self.new_messages)

    @property
    def stepped_us(self) -> int:
        """When the last step was taken; now where none was. **Units**: microseconds since 1970 UTC."""
        at_us = self.alert.stepped_at_us
        return self.now_us if at_us is None else at_us

    def open_escalations(self) -> list[Escalation]:
        """Those that are not over, in the order in which they were asked."""
        return [e for e in self.escalations.values() if e.state in OPEN_ESCALATION]

    def write(self, escalation: Escalation) -> None:
        """An escalation is new, or not what it was."""
        self.escalations[escalation.escalation_id] = escalation
        self.changed[escalation.escalation_id] = escalation

    def end(self, escalation: Escalation, state: EscalationState, because: str) -> None:
        """An escalation is over."""
        self.write(over(self.step, escalation, state, because=because))

    def absorb(self, transition: Transition) -> None:
        """What an act on the alert came to becomes part of this look."""
        self.step.alert = replace(transition.alert, version=self.alert.version)
        self.step.events += transition.events
        for escalation in transition.escalations:
            self.write(escalation)

    def notice(self, trouble: Trouble, subject: str, details: str, organisation_id: UUID | None) -> None:
        """Trouble of the service, as severe as the alert that suffers from it."""
        noticed = Noticed(trouble, subject, organisation_id, self.alert.severity, details)
        if noticed not in self.noticed:
            self.noticed.append(noticed)

    def heard(self, *events: AlertEvent) -> bool:
        """Whether any of these is among the news."""
        return any(news.happening.event in events for news in self.situation.news)

    def decision(self, look: Look, next_us: int | None, *why: str) -> Decision:
        """What it all comes to; a next look is never set in the past."""
        was = self.situation.alert
        changes = bool(self.step.events or self.changed or self.new_messages)
        changes = changes or replace(self.alert, version=was.version) != was
        at_us = None if next_us is None else max(next_us, self.now_us)
        transition = Transition(
            self.alert if changes else was,
            tuple(self.step.events),
            at_us,
            why[0] if why else look.value,
            tuple(self.changed.values()),
            tuple(self.new_messages),
        )
        news = self.situation.news
        return Decision(
            transition,
            look,
            (*self.why, *why),
            changes,
            news[-1].event_no if news else None,
            tuple(self.noticed),
            self.opened,
        )
