"""What people decide about an alert, each act once: for the API, which takes one, and for the console."""

from collections.abc import Callable
from uuid import UUID

from alerting import acts
from alerting.transition import Transition
from alerting.worklist.handling import Decide, Situation
from models.access import User
from models.alerts import Outcome
from models.escalations import Party


def acknowledge(by: User) -> Decide:
    """Taking an alert."""

    def decide(at: Situation) -> Transition:
        return acts.acknowledge(at.alert, by, policy=at.policy, duty=at.duty, now_us=at.now_us)

    return decide


def give_back(by: User) -> Decide:
    """Taking the acknowledgement back."""

    def decide(at: Situation) -> Transition:
        return acts.give_back(at.alert, by, now_us=at.now_us)

    return decide


def snooze(by: User, until_us: Callable[[Situation], int]) -> Decide:
    """Being left alone with it until then, or until it gets worse. **Units**: microseconds since 1970 UTC."""

    def decide(at: Situation) -> Transition:
        return acts.snooze(
            at.alert,
            by,
            until_us=until_us(at),
            promised_since_us=at.promised_since_us,
            policy=at.policy,
            duty=at.duty,
            now_us=at.now_us,
        )

    return decide


def resolve(by: User, outcome: Outcome, note: str | None) -> Decide:
    """Closing it with what came of it."""

    def decide(at: Situation) -> Transition:
        return acts.resolve(
            at.alert,
            by,
            outcome=outcome,
            note=note,
            holds=at.holds,
            policy=at.policy,
            escalations=at.open_escalations,
            now_us=at.now_us,
        )

    return decide


def reopen(by: User, reason: str) -> Decide:
    """Undoing a resolve of one's own."""

    def decide(at: Situation) -> Transition:
        return acts.reopen(at.alert, by, reason=reason, now_us=at.now_us, successor=at.successor)

    return decide


def note(by: User, text: str) -> Decide:
    """Writing down what was found or done."""

    def decide(at: Situation) -> Transition:
        return acts.note(at.alert, by, text=text, now_us=at.now_us)

    return decide


def hand_over(by: User, to: Party, person_id: UUID | None) -> Decide:
    """Offering it to somebody."""

    def decide(at: Situation) -> Transition:
        return acts.hand_over(at.alert, by, to=to, person_id=person_id, policy=at.policy, now_us=at.now_us)

    return decide


def accept(by: User) -> Decide:
    """Taking what was offered."""

    def decide(at: Situation) -> Transition:
        return acts.accept_hand_over(
            at.alert,
            by,
            policy=at.policy,
            duty=at.duty_of(Party(by.role, by.organisation_id)),
            now_us=at.now_us,
            escalations=at.open_escalations,
        )

    return decide


def decline(by: User, reason: str) -> Decide:
    """Leaving it with who offered it; or, as who did, taking the offer back."""

    def decide(at: Situation) -> Transition:
        return acts.decline_hand_over(at.alert, by, reason=reason, now_us=at.now_us)

    return decide
