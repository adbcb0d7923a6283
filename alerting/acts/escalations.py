"""Escalations as acts leave them: each change a version, each end dated."""

from dataclasses import replace

from alerting.acts.steps import Step, party
from models.alerts import AlertEvent
from models.escalations import Escalation, EscalationState

_EVENT = {
    EscalationState.ANSWERED: AlertEvent.ESCALATION_ANSWERED,
    EscalationState.HANDED_BACK: AlertEvent.ESCALATION_HANDED_BACK,
    EscalationState.PASSED_ON: AlertEvent.ESCALATION_PASSED_ON,
    EscalationState.WITHDRAWN: AlertEvent.ESCALATION_WITHDRAWN,
}


def over(step: Step, escalation: Escalation, state: EscalationState, **why: object) -> Escalation:
    """The escalation as it ended; the event is added to the step."""
    step.tell(
        _EVENT[state],
        escalation.state,
        state,
        escalation_id=str(escalation.escalation_id),
        asked=party(escalation.to),
        **why,
    )
    return replace(escalation, state=state, over_at_us=step.now_us, version=escalation.version + 1)


def withdrawn(step: Step, escalation: Escalation, because: str) -> Escalation:
    """The escalation as it ended because it is not needed any more."""
    return over(step, escalation, EscalationState.WITHDRAWN, because=because)
