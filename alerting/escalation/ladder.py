"""What the ladder does about an alert now, and what it does not, with the reasons; pure.

Until a named person accepts, whoever answered for the alert answers for it: asking moves nothing.
"""

from collections.abc import Iterator
from dataclasses import replace
from uuid import UUID

from alerting.escalation.asking import ask, reachable, undelivered
from alerting.escalation.choice import by_label, fitting_step, is_same_ladder, policy_of, wait_us
from alerting.escalation.delivery import NOT_DELIVERED, Way, carriers, delivery_of, may_have_arrived
from alerting.escalation.duty import Rosters
from alerting.escalation.policy import Policies, Policy
from alerting.escalation.promises import keep_promises, look_after_questions, promised
from alerting.escalation.rechecks import after_resolving
from alerting.escalation.situation import Decision, Look, Situation
from alerting.escalation.telling import tell
from alerting.escalation.work import Work
from models.access import Role
from models.alerts import Alert, AlertEvent, AlertState, Outcome
from models.escalations import Channel, Escalation, EscalationState, Party, Trouble
from models.messages import Origin

_ASKED_ANEW = (
    AlertEvent.UNDONE,
    AlertEvent.REOPENED,
    AlertEvent.HOLDS_AGAIN,
    AlertEvent.RELEASED,
    AlertEvent.QUIET_ENDED,
)
_WITH_ITS_ESCALATION = ("handed_back", "answered")
_CAME_BACK = (EscalationState.HANDED_BACK, EscalationState.ANSWERED, EscalationState.WITHDRAWN)

End = tuple[int, str]


def decide(
    situation: Situation, *, policies: Policies, rosters: Rosters, now_us: int, ids: Iterator[UUID]
) -> Decision:
    """What is to be done about an alert now, why, and when to look at it next.

    An alert that is not resolved always has a next look. `ids` gives new escalations, messages and alerts
    theirs. **Units**: microseconds since 1970 UTC.
    """
    policy = policy_of(situation.alert, situation.reasons, policies)
    work = Work(situation, policy, policies, rosters, now_us, ids)
    tell(work)
    if work.alert.state is AlertState.RESOLVED:
        return after_resolving(work)
    lapsed = keep_promises(work)
    look_after_questions(work)
    if work.alert.state is AlertState.ACKNOWLEDGED:
        return promised(work)
    return _open(work, lapsed)


def _open(work: Work, lapsed: str | None) -> Decision:
    """Nobody has it: it closes by itself, is kept from people, is left to a person, or climbs its ladder."""
    came_back = _come_home(work)
    nothing_holds = work.alert.retracted or work.alert.cleared_at_us is not None
    if nothing_holds:
        _take_back_unsent(work)
    if nothing_holds and _may_close(work):
        return _close(work)
    later_us = work.now_us + work.policy.repeat_every_us
    silent = _why_silent(work.alert)
    if silent is not None:
        return work.decision(Look.SILENT, later_us, silent, "nobody_is_asked")
    if nothing_holds and work.alert.step_no > 0:
        return work.decision(
            Look.NOTHING_HOLDS,
            later_us,
            "nothing_holds_any_more",
            "nobody_else_is_asked",
            "a_person_closes_it",
        )
    return _climb(work, lapsed, came_back=came_back)


def _why_silent(alert: Alert) -> str | None:
    if alert.origin is Origin.CANARY:
        return "canary"
    if alert.held_back is not None:
        return f"held_back_{alert.held_back}"
    return "quiet" if alert.quiet else None


def _may_close(work: Work) -> bool:
    """As its policy allows, nobody having claimed it, nothing having been sent, nobody being asked."""
    alert = work.alert
    return (
        work.policy.closes_by_itself
        and alert.owner is None
        and not alert.sent
        and not work.open_escalations()
    )


def _close(work: Work) -> Decision:
    work.step.becomes(state=AlertState.RESOLVED, resolved_at_us=work.now_us, outcome=Outcome.BY_ITSELF.value)
    work.step.tell(
        AlertEvent.RESOLVED,
        AlertState.OPEN,
        AlertState.RESOLVED,
        outcome=Outcome.BY_ITSELF.value,
        policy=work.policy.label,
    )
    return work.decision(Look.CLOSED, None, "nothing_holds_any_more", "claimed_by_nobody_sent_to_nobody")


def _take_back_unsent(work: Work) -> None:
    """What the ladder asked and nobody can have got yet need not be sent any more."""
    for escalation in work.open_escalations():
        own = carriers(escalation, work.situation.messages)
        if escalation.asked_by is None and own and not any(map(may_have_arrived, own)):
            work.end(escalation, EscalationState.WITHDRAWN, "nothing_holds_any_more")


def _come_home(work: Work) -> bool:
    """Nobody of who took it over has it any more: the alert's own nurses, always there, answer for it again.

    Whether they gave it back, rather than forgot it.
    """
    given_back = "given_back" in _lapses(work)
    came_back = False
    for escalation in work.open_escalations():
        if escalation.state is EscalationState.ACCEPTED and escalation.question is None:
            came_back = given_back
            state = EscalationState.HANDED_BACK if given_back else EscalationState.PASSED_ON
            work.end(escalation, state, "given_back" if given_back else "promise_lapsed")
    home = Party(Role.NURSE, work.alert.organisation_id)
    if work.alert.responsible != home:
        work.step.moves(home)
        work.why.append("responsibility_is_with_the_nurses_again")
    return came_back


def _lapses(work: Work) -> list[str]:
    """Why promises lapsed, of late; but for those that came back with their escalation."""
    lapses = [n.happening.why for n in work.situation.news if n.happening.event is AlertEvent.LAPSED]
    return [str(why.get("because")) for why in lapses if why.get("because") not in _WITH_ITS_ESCALATION]


def _climb(work: Work, lapsed: str | None, *, came_back: bool) -> Decision:
    """Where the alert stands on its ladder: takes a step, or waits."""
    if work.alert.step_no == 0:
        return _take(work, 1, "first_look")
    is_anew = lapsed is not None or bool(_lapses(work)) or work.heard(*_ASKED_ANEW)
    if not is_same_ladder(work.alert, work.policy):
        return _begin_other_ladder(work, is_anew=is_anew)
    if work.alert.step_no > len(work.policy.steps):
        work.step.becomes(step_no=len(work.policy.steps))
    if lapsed == "resolve_by_passed" or (is_anew and _is_answered(work)):
        return _next(work, "not_resolved" if lapsed == "resolve_by_passed" else "answered")
    if is_anew and not came_back:
        return _take(work, work.alert.step_no, "asked_anew")
    current = _current(work)
    if work.heard(AlertEvent.SEVERITY_RAISED) and current is not None and current.question is None:
        return _take(work, work.alert.step_no, "severity_raised", anew=True, stepped_us=work.stepped_us)
    return _wait(work)


def _begin_other_ladder(work: Work, *, is_anew: bool) -> Decision:
    """Its policy is another, for it got worse: never lower than where it was asked, never later either."""
    step_no = fitting_step(work.policy, work.escalations.values())
    before = by_label(work.alert.policy, work.policies)
    stepped_us = work.now_us
    if before is not None and not is_anew:
        was_to_end_us, _ = min(_ends(work, before))
        stepped_us = min(stepped_us, was_to_end_us - wait_us(work.policy, step_no))
    work.why.append("another_policy")
    return _take(work, step_no, "severity_raised", anew=True, stepped_us=stepped_us)


def _wait(work: Work) -> Decision:
    """Waits for who was asked, or goes on where their time is over."""
    end_us, what = min(_ends(work, work.policy))
    if end_us <= work.now_us:
        return _next(work, what)
    if _duty_changed(work):
        return _ask_who_is_on_duty_now(work)
    return work.decision(Look.WAITS, *_first_end(work), "their_time_is_not_over")


def _next(work: Work, why: str) -> Decision:
    """The next step that leads to somebody; after the last, that one again and again, in its time."""
    current = _current(work)
    if current is not None and why == NOT_DELIVERED:
        undelivered(work, current)
    last = len(work.policy.steps)
    if work.alert.step_no < last:
        return _take(work, work.alert.step_no + 1, why)
    repeat_us = work.stepped_us + work.policy.repeat_every_us
    if repeat_us <= work.now_us:
        return _take_last(work)
    if _duty_changed(work):
        return _ask_who_is_on_duty_now(work)
    return _ended(work, repeat_us, why)


def _ended(work: Work, repeat_us: int, why: str) -> Decision:
    _tell_ended(work)
    next_us = min([repeat_us, *_duty_ends(work)])
    return work.decision(Look.ENDED, next_us, "ladder_ended", why, "repeated_in_its_time")


def _ask_who_is_on_duty_now(work: Work) -> Decision:
    """Who was asked is off duty: nothing waits in a closed practice. The time of the step goes on."""
    return _take(work, work.alert.step_no, "duty_changed", anew=True, stepped_us=work.stepped_us)


def _take(
    work: Work, step_no: int, why: str, *, anew: bool = False, stepped_us: int | None = None
) -> Decision:
    last = len(work.policy.steps)
    reached = reachable(work, range(step_no, last + 1))
    if reached is None:
        repeat_us = work.stepped_us + work.policy.repeat_every_us
        if work.alert.step_no == 0 or repeat_us <= work.now_us:
            return _take_last(work)
        work.step.becomes(step_no=last, policy=work.policy.label)
        return _ended(work, repeat_us, why)
    ask(work, reached, why, anew=anew, stepped_us=stepped_us)
    return _stepped(work, Look.STEPPED)


def _take_last(work: Work) -> Decision:
    """The last step that leads to somebody, once more; where none does, it is left to the nurses."""
    last = len(work.policy.steps)
    reached = reachable(work, range(last, 0, -1))
    _tell_ended(work)
    if reached is None:
        work.step.becomes(step_no=last, stepped_at_us=work.now_us, policy=work.policy.label)
        return work.decision(
            Look.ENDED, work.now_us + work.policy.repeat_every_us, "ladder_ended", "no_step_reaches_anybody"
        )
    ask(work, replace(reached, step_no=last), "repeated_until_somebody_accepts", anew=True)
    return _stepped(work, Look.REPEATED)


def _stepped(work: Work, look: Look) -> Decision:
    return work.decision(look, *_first_end(work))


def _first_end(work: Work) -> End:
    """When the first of what the step waits for, or the duty of who was asked, is over."""
    return min([*_ends(work, work.policy), *((end_us, "duty_over") for end_us in _duty_ends(work))])


def _duty_changed(work: Work) -> bool:
    """Whether somebody else than was asked is on duty now for the step."""
    current = _current(work)
    if current is None or current.state is not EscalationState.ASKED:
        return False
    recipient = work.policy.steps[work.alert.step_no - 1].recipient
    was = work.rosters.on_duty(recipient, current.asked_at_us).recipient
    now = work.rosters.on_duty(recipient, work.now_us).recipient
    return was is current.recipient and now is not was


def _duty_ends(work: Work) -> list[int]:
    """When the duty of who was asked is over: at most one. **Units**: microseconds since 1970 UTC."""
    current = _current(work)
    if current is None or current.state is not EscalationState.ASKED:
        return []
    recipient = work.policy.steps[work.alert.step_no - 1].recipient
    return [work.rosters.on_duty(recipient, work.now_us).until_us]


def _tell_ended(work: Work) -> None:
    work.notice(
        Trouble.LADDER_ENDED,
        work.policy.label,
        "all steps were taken and nobody has accepted",
        work.alert.organisation_id,
    )


def _current(work: Work) -> Escalation | None:
    """What the ladder asked last, while it is open."""
    own = [e for e in work.open_escalations() if e.asked_by is None]
    return own[-1] if own else None


def _ends(work: Work, policy: Policy) -> list[End]:
    """When what the step waits for is over: there always is one. **Units**: microseconds since 1970 UTC."""
    current = _current(work)
    step = policy.steps[min(max(work.alert.step_no, 1), len(policy.steps)) - 1]
    since_us = work.stepped_us
    ends: list[End] = []
    back_us = _back_since_us(work)
    if current is None and back_us is not None and back_us >= since_us:
        return [(back_us + wait_us(policy, 1), "came_back_and_nobody_took_it")]
    if step.resolved_within_us is not None:
        ends.append((since_us + step.resolved_within_us, "not_resolved"))
    is_asked = current is None or current.state is EscalationState.ASKED
    if step.accepted_within_us is not None and is_asked:
        ends.append((since_us + step.accepted_within_us, "not_accepted"))
    if current is not None:
        if current.answer_by_us is not None:
            ends.append((current.answer_by_us, "not_answered"))
        delivery = delivery_of(current, work.messages, work.now_us)
        if delivery.way is Way.LOST and Channel.WORKLIST not in step.channels:
            ends.append((work.now_us, NOT_DELIVERED))
        elif delivery.by_us is not None:
            ends.append((delivery.by_us, NOT_DELIVERED))
    return ends or [(since_us + policy.repeat_every_us, "nothing_to_wait_for")]


def _is_answered(work: Work) -> bool:
    """Whether its step was a question, and that was answered."""
    asked = [e for e in work.escalations.values() if e.asked_by is None and e.step_no == work.alert.step_no]
    return bool(asked) and asked[-1].question is not None and asked[-1].state is EscalationState.ANSWERED


def _back_since_us(work: Work) -> int | None:
    """When somebody who was asked gave it back last, by an answer or otherwise."""
    back = [e.over_at_us for e in work.escalations.values() if e.state in _CAME_BACK]
    return max((at_us for at_us in back if at_us is not None), default=None)
