"""Which policy an alert goes by, and at which of its steps it stands."""

from collections.abc import Callable, Iterable, Sequence

from alerting.escalation.policy import Policies, Policy
from alerting.escalation.situation import Reason
from models.alerts import Alert
from models.escalations import Escalation, EscalationState, Recipient
from models.findings import Finding

ANY_PROGRAMME = "*"

_STANDS_IN = {
    Recipient.OUT_OF_HOURS_POST: Recipient.HUISARTS,
    Recipient.HUISARTS: Recipient.OUT_OF_HOURS_POST,
}


def policy_of(alert: Alert, reasons: Iterable[Reason], policies: Policies) -> Policy:
    """The policy for the programme of its worst findings, its signal and its severity.

    Findings that hold go before those that are over. Of several programmes, the one that is asked for the
    earliest next step counts.
    """
    known = [reason for reason in reasons if not reason.retracted]
    for narrower in (
        [r for r in known if r.holds and r.severity is alert.severity],
        [r for r in known if r.severity is alert.severity],
    ):
        if narrower:
            known = narrower
            break
    programmes = sorted({reason.programme for reason in known}) or [ANY_PROGRAMME]
    chosen = [policies.of(programme, alert.signal, alert.severity) for programme in programmes]
    return min(chosen, key=first_wait_us)


def closing_by(policies: Policies) -> Callable[[Alert, Sequence[Finding]], bool]:
    """Whether the policy of an alert lets it close by itself, told by the findings that are its reasons."""

    def may_close(alert: Alert, findings: Sequence[Finding]) -> bool:
        reasons = [Reason(f.finding_id, f.programme, f.severity, f.holds, f.retracted) for f in findings]
        return policy_of(alert, reasons, policies).closes_by_itself

    return may_close


def by_label(label: str | None, policies: Policies) -> Policy | None:
    """The policy of a NAME/VERSION, where it is still in force."""
    return next((policy for policy in policies.by_key.values() if policy.label == label), None)


def is_same_ladder(alert: Alert, policy: Policy) -> bool:
    """Whether its last step was one of this policy, be it of another version."""
    return alert.policy is None or alert.policy.rpartition("/")[0] == policy.name


def first_wait_us(policy: Policy) -> int:
    """How long the nurses have before anybody else is asked. **Units**: microseconds."""
    return wait_us(policy, 1)


def wait_us(policy: Policy, step_no: int) -> int:
    """How long a step waits at most for somebody to take the alert. **Units**: microseconds."""
    step = policy.steps[min(step_no, len(policy.steps)) - 1]
    waits = (step.accepted_within_us, step.resolved_within_us, step.answer_within_us)
    return min((wait for wait in waits if wait is not None), default=policy.repeat_every_us)


def fitting_step(policy: Policy, escalations: Iterable[Escalation]) -> int:
    """The step of another ladder where an alert stands: the last of those whose recipients were asked.

    The post stands in for the practice and the practice for the post. Nobody was asked: the first.
    """
    asked = {
        e.recipient for e in escalations if e.state is not EscalationState.WITHDRAWN and e.question is None
    }
    asked |= {_STANDS_IN[recipient] for recipient in asked if recipient in _STANDS_IN}
    fitting = [
        number
        for number, step in enumerate(policy.steps, 1)
        if step.recipient in asked and step.question is None
    ]
    return max(fitting, default=1)
