"""What who was asked does with an escalation, as a decision; for the API and the console."""

from uuid import UUID

from alerting import acts
from alerting.transition import Transition
from alerting.worklist.forms import AnswerForm, ReasonForm
from alerting.worklist.handling import Decide, Situation
from models.access import User


def accept(by: User, escalation_id: UUID) -> Decide:
    """Taking it over: from now on one's own party is responsible, and one has promised."""

    def decide(at: Situation) -> Transition:
        asked = at.escalation(escalation_id)
        return acts.accept_escalation(
            at.alert,
            asked,
            by,
            policy=at.policy,
            duty=at.duty_of(asked.to),
            now_us=at.now_us,
            others=[one for one in at.open_escalations if one.escalation_id != escalation_id],
        )

    return decide


def answer(by: User, escalation_id: UUID, form: AnswerForm) -> Decide:
    """Answering what was asked, and saying whether a referral was avoided."""

    def decide(at: Situation) -> Transition:
        return acts.answer_escalation(
            at.alert,
            at.escalation(escalation_id),
            by,
            answer=form.answer,
            referral_avoided=form.referral_avoided,
            now_us=at.now_us,
        )

    return decide


def hand_back(by: User, escalation_id: UUID, form: ReasonForm) -> Decide:
    """Giving it back: the nurses of the alert's own organisation answer for it again, the ladder goes on."""

    def decide(at: Situation) -> Transition:
        return acts.hand_back(
            at.alert, at.escalation(escalation_id), by, reason=form.reason, now_us=at.now_us
        )

    return decide
