"""Acknowledging and snoozing: a promise with an end, given by a person, given back, kept, or lapsed."""

from collections.abc import Mapping

from alerting.acts.checks import require_mine, require_mine_or_nobodys, require_unresolved, written
from alerting.acts.steps import Step
from alerting.escalation.duty import Duty
from alerting.escalation.policy import Policy
from alerting.transition import Transition
from models.access import User
from models.alerts import ALERTING, Alert, AlertEvent, AlertState
from models.clock import to_datetime
from models.errors import BadInput, Outdated


def acknowledge(alert: Alert, by: User, *, policy: Policy, duty: Duty, now_us: int) -> Transition:
    """Somebody takes it upon themselves to resolve it within the policy's time.

    Of an alert that the same person snoozed, the snooze ends; a promise is not made longer by repeating it.
    **Units**: microseconds since 1970 UTC. **Raises**: Outdated where it is closed, or of somebody already.
    """
    require_mine_or_nobodys(alert, by)
    if alert.owner is not None and alert.snoozed_until_us is None:
        raise Outdated(f"The alert is yours ({alert.owner}) already: resolve it, snooze it or hand it over.")
    step = Step.of(alert, by, now_us)
    resolve_by_us = now_us + policy.resolve_within_us
    if alert.snoozed_until_us is not None:
        resolve_by_us = min(resolve_by_us, alert.resolve_by_us or resolve_by_us)
        step.becomes(snoozed_until_us=None, resolve_by_us=resolve_by_us)
        step.tell(AlertEvent.SNOOZE_ENDED, str(alert.snoozed_until_us), resolve_by_us=resolve_by_us)
        return step.promised(duty)
    _promise(step, by, policy, duty)
    return step.promised(duty)


def snooze(
    alert: Alert,
    by: User,
    *,
    until_us: int,
    promised_since_us: int | None,
    policy: Policy,
    duty: Duty,
    now_us: int,
) -> Transition:
    """Acknowledges it, quiet until a moment or until it gets worse; the promise counts from then.

    However often, in all no longer than the policy allows since the owner acknowledged first. Where the duty
    ends before, so does the promise: the event says when.
    **Units**: microseconds since 1970 UTC.
    **Raises**: BadInput for a moment that is over or too far; Outdated as `acknowledge`.
    """
    require_mine_or_nobodys(alert, by)
    since = [now_us]
    if alert.owner is not None:
        since += [at_us for at_us in (promised_since_us, alert.acknowledged_at_us) if at_us is not None]
    latest_us = min(since) + policy.snooze_at_most_us
    if not now_us < until_us <= latest_us:
        expected = f"a moment after {_shown(now_us)} and not after {_shown(latest_us)}"
        if latest_us <= now_us:
            expected = f"no snooze any more: it was allowed until {_shown(latest_us)}"
        raise BadInput(where="until", expected=expected, found=_shown(until_us))
    step = Step.of(alert, by, now_us)
    resolve_by_us = until_us + policy.resolve_within_us
    if alert.owner is None:
        _promise(step, by, policy, duty, until_us)
    before = alert.snoozed_until_us
    step.becomes(snoozed_until_us=until_us, resolve_by_us=resolve_by_us)
    step.tell(
        AlertEvent.SNOOZED,
        None if before is None else str(before),
        str(until_us),
        resolve_by_us=resolve_by_us,
        duty_ends_before_us=duty.until_us if duty.until_us < until_us else None,
    )
    return step.promised(duty)


def give_back(alert: Alert, by: User, *, now_us: int) -> Transition:
    """The owner takes their promise back: the ladder goes on at once.

    **Raises**: Outdated where it is closed, or not theirs.
    """
    require_mine(alert, by)
    return lapse(alert, why="given_back", now_us=now_us, by=str(by.person_id))


def note(alert: Alert, by: User, *, text: str, now_us: int) -> Transition:
    """Somebody writes something down; it may be somebody else's alert.

    **Raises**: Outdated where it is closed; BadInput where it says nothing.
    """
    require_unresolved(alert)
    step = Step.of(alert, by, now_us)
    step.tell(AlertEvent.NOTED, text=written(text, "text"))
    return step.at_once("noted")


def lapse(alert: Alert, *, why: str | Mapping[str, object], now_us: int, by: str = ALERTING) -> Transition:
    """The promise of its owner holds no more: open again, and the ladder goes on at once.

    `why` is in one word what it is because of, or more about that.
    **Raises**: Outdated where nobody has promised anything.
    """
    require_unresolved(alert)
    if alert.state is not AlertState.ACKNOWLEDGED:
        raise Outdated("Nobody has the alert: there is no promise to lapse.")
    because = {"because": why} if isinstance(why, str) else dict(why)
    step = Step.of(alert, by, now_us)
    step.opens()
    step.tell(
        AlertEvent.LAPSED,
        AlertState.ACKNOWLEDGED,
        AlertState.OPEN,
        owner=str(alert.owner),
        **because,
    )
    return step.at_once("lapsed")


def snooze_over(alert: Alert, *, policy: Policy, duty: Duty, now_us: int) -> Transition:
    """The quiet is over and the promise counts, from when it was over and not from when somebody looked.

    **Units**: microseconds since 1970 UTC. **Raises**: Outdated where it is not snoozed.
    """
    require_unresolved(alert)
    if alert.snoozed_until_us is None or alert.resolve_by_us is None:
        raise Outdated("The alert is not snoozed.")
    resolve_by_us = min(alert.resolve_by_us, alert.snoozed_until_us + policy.resolve_within_us)
    step = Step.of(alert, ALERTING, now_us)
    step.becomes(snoozed_until_us=None, resolve_by_us=resolve_by_us)
    step.tell(AlertEvent.SNOOZE_ENDED, str(alert.snoozed_until_us), resolve_by_us=resolve_by_us)
    return step.promised(duty)


def _promise(step: Step, by: User, policy: Policy, duty: Duty, from_us: int | None = None) -> None:
    promise = step.promises(by, policy, duty, from_us)
    step.tell(AlertEvent.ACKNOWLEDGED, AlertState.OPEN, AlertState.ACKNOWLEDGED, **promise)


def _shown(at_us: int) -> str:
    try:
        return to_datetime(at_us).isoformat()
    except OverflowError:
        return f"{at_us} µs"
