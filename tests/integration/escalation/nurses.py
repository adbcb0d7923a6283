"""What nurses do with alerts, by the shipped policies and rosters."""

from dataclasses import dataclass
from uuid import uuid4

from alerting import acts
from alerting.escalation.choice import policy_of
from alerting.escalation.dispatcher import Ladder
from alerting.escalation.duty import Duty
from alerting.escalation.policy import Policy
from alerting.escalation.situation import Situation
from alerting.transition import Transition
from models.access import User
from models.alerts import Outcome
from models.clock import MINUTE_US
from models.escalations import Channel, Party, Recipient, RequestKind
from tests import shipped

LADDER = Ladder(shipped.policies(), shipped.rosters())


@dataclass(frozen=True)
class NursesDeed:
    """What a nurse does with an alert at some moment."""

    nurse: User
    colleague: User
    now_us: int
    minutes: int

    @property
    def duty(self) -> Duty:
        return LADDER.rosters.on_duty(Recipient.NURSE, self.now_us)

    def takes(self, at: Situation) -> Transition:
        return acts.acknowledge(
            at.alert, self.nurse, policy=policy_for(at), duty=self.duty, now_us=self.now_us
        )

    def snoozes(self, at: Situation) -> Transition:
        return acts.snooze(
            at.alert,
            self.nurse,
            until_us=self.now_us + self.minutes * MINUTE_US,
            promised_since_us=at.alert.acknowledged_at_us,
            policy=policy_for(at),
            duty=self.duty,
            now_us=self.now_us,
        )

    def resolves(self, at: Situation) -> Transition:
        return acts.resolve(
            at.alert,
            self.nurse,
            outcome=OUTCOMES[self.minutes % len(OUTCOMES)],
            note=None,
            holds=any(reason.holds for reason in at.reasons),
            policy=policy_for(at),
            escalations=at.escalations,
            now_us=self.now_us,
        )

    def takes_that_back(self, at: Situation) -> Transition:
        return acts.reopen(at.alert, self.nurse, reason="a mistake", now_us=self.now_us)

    def offers(self, at: Situation) -> Transition:
        to = Party(self.colleague.role, self.colleague.organisation_id)
        person_id, policy = self.colleague.person_id, policy_for(at)
        return acts.hand_over(
            at.alert, self.nurse, to=to, person_id=person_id, policy=policy, now_us=self.now_us
        )

    def accepts(self, at: Situation) -> Transition:
        return acts.accept_hand_over(
            at.alert,
            self.nurse,
            policy=policy_for(at),
            duty=self.duty,
            now_us=self.now_us,
            escalations=at.escalations,
        )

    def gives_back(self, at: Situation) -> Transition:
        return acts.give_back(at.alert, self.nurse, now_us=self.now_us)

    def asks(self, at: Situation) -> Transition:
        recipient = LADDER.rosters.on_duty(Recipient.HUISARTS, self.now_us).recipient
        asked = acts.Asked(
            recipient,
            at.contacts[recipient].party,
            RequestKind.REGULAR,
            "please look",
            (Channel.SECURE_MAIL,),
        )
        return acts.escalate(
            at.alert,
            self.nurse,
            escalation_id=uuid4(),
            message_id=uuid4(),
            asked=asked,
            now_us=self.now_us,
        )


ACTS = (
    NursesDeed.takes,
    NursesDeed.snoozes,
    NursesDeed.resolves,
    NursesDeed.takes_that_back,
    NursesDeed.offers,
    NursesDeed.accepts,
    NursesDeed.gives_back,
    NursesDeed.asks,
)
OUTCOMES = [outcome for outcome in Outcome if outcome.by_people]


def policy_for(at: Situation) -> Policy:
    return policy_of(at.alert, at.reasons, LADDER.policies)
