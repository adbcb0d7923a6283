"""Closing an alert with what came of it, and taking that back."""

from collections.abc import Iterable

from alerting.acts.checks import require_mine_or_nobodys, written
from alerting.acts.escalations import withdrawn
from alerting.acts.steps import Step
from alerting.escalation.policy import Policy
from alerting.transition import Transition
from models.access import User
from models.alerts import Alert, AlertEvent, AlertState, Outcome
from models.clock import MINUTE_US
from models.errors import BadInput, Outdated
from models.escalations import OPEN_ESCALATION, Escalation

UNDO_WITHIN_US = 15 * MINUTE_US
"""So long who resolved an alert may take that back. **Units**: microseconds."""


def resolve(
    alert: Alert,
    by: User,
    *,
    outcome: Outcome | str,
    note: str | None,
    holds: bool,
    policy: Policy,
    escalations: Iterable[Escalation],
    now_us: int,
) -> Transition:
    """Somebody judges what came of it; where a finding of it still holds, it is looked at again later.

    `escalations` are those of the alert: what is open of them is withdrawn. Who was told of the alert is to
    hear of it: then it is looked at once more at once, otherwise at the recheck, if at all.
    **Units**: microseconds since 1970 UTC.
    **Raises**: BadInput for an outcome that there is not, or that nobody decides; Outdated where it is closed
    or somebody else's.
    """
    require_mine_or_nobodys(alert, by)
    judged = _judgement(outcome)
    text = None if note is None or not note.strip() else written(note, "note")
    recheck_at_us = now_us + policy.recheck_after_us if holds else None
    step = Step.of(alert, by, now_us)
    step.becomes(
        state=AlertState.RESOLVED,
        owner=by.person_id,
        outcome=judged.value,
        resolved_at_us=now_us,
        resolve_by_us=None,
        snoozed_until_us=None,
        hand_over=None,
        recheck_at_us=recheck_at_us,
    )
    step.tell(
        AlertEvent.RESOLVED,
        alert.state,
        AlertState.RESOLVED,
        outcome=judged.value,
        note=text,
        recheck_at_us=recheck_at_us,
    )
    over = tuple(
        withdrawn(step, escalation, "resolved") for escalation in escalations if _open(escalation, alert)
    )
    if alert.sent or over:
        return step.at_once("resolved", escalations=over)
    return step.looked_at(recheck_at_us, "over" if recheck_at_us is None else "recheck")


def reopen(alert: Alert, by: User, *, reason: str, now_us: int, successor: Alert | None = None) -> Transition:
    """Takes a mistaken resolve back: by the same person, within 15 minutes; the ladder goes on at once.

    Its own nurses are responsible: to whomever it was handed, that was withdrawn when it was resolved.
    `successor` is the alert of the same patient and signal that is open by now, where there is one: the two
    cannot both be.
    **Units**: microseconds since 1970 UTC.
    **Raises**: Outdated where it is not closed (any more), was by somebody else, or too long ago.
    """
    text = written(reason, "reason")
    if alert.state is not AlertState.RESOLVED:
        raise Outdated("The alert is not resolved: there is nothing to take back.")
    if alert.outcome is None or not Outcome(alert.outcome).by_people:
        raise Outdated(f"The alert was closed as {alert.outcome}, which nobody decided or can take back.")
    if alert.owner != by.person_id:
        raise Outdated(f"The alert was resolved by {alert.owner}: only they can take that back.")
    if alert.resolved_at_us is None or now_us > alert.resolved_at_us + UNDO_WITHIN_US:
        raise Outdated("Resolving can be taken back within 15 minutes; that is over.")
    if successor is not None:
        raise Outdated(f"Meanwhile the alert {successor.alert_id} is open for this: handle that one.")
    step = Step.of(alert, by, now_us)
    step.opens()
    step.becomes(outcome=None, resolved_at_us=None, recheck_at_us=None)
    step.tell(AlertEvent.UNDONE, AlertState.RESOLVED, AlertState.OPEN, reason=text, outcome=alert.outcome)
    step.moves(alert.at_home)
    return step.at_once("undone")


def _judgement(outcome: Outcome | str) -> Outcome:
    judgements = [known for known in Outcome if known.by_people]
    if outcome not in judgements:
        expected = "one of " + ", ".join(judgements)
        raise BadInput(where="outcome", expected=expected, found=str(outcome))
    return Outcome(outcome)


def _open(escalation: Escalation, alert: Alert) -> bool:
    return escalation.alert_id == alert.alert_id and escalation.state in OPEN_ESCALATION
