"""Short ladders, by which tests go: nurses, practice, coordination centre."""

from alerting.escalation.dispatcher import Ladder
from alerting.escalation.duty import Duty, Shift
from alerting.escalation.policy import Policies, Policy, PolicySeverity, Step
from models.clock import DAY_US, HOUR_US, MINUTE_US
from models.escalations import Channel, Recipient, RequestKind


class Always:
    """Whoever is asked is on duty, all day."""

    def on_duty(self, recipient: Recipient, at_us: int) -> Duty:
        """The recipient itself, for as long as the test lasts."""
        return Duty(recipient, "duty", Shift.DAY, at_us - DAY_US, at_us + DAY_US)


def _step(recipient: Recipient, channel: Channel, accepted_us: int) -> Step:
    within_us = None if channel is Channel.WORKLIST else accepted_us // 2
    return Step(recipient, RequestKind.REGULAR, (channel,), within_us, accepted_us, None)


def ladder(first_us: int = HOUR_US, *, repeat_us: int = 4 * HOUR_US) -> Ladder:
    """One policy for all: the first step waits so long, the others for an hour."""
    made = Policy(
        name="all",
        version=1,
        hash="hash",
        steps=(
            _step(Recipient.NURSE, Channel.WORKLIST, first_us),
            _step(Recipient.HUISARTS, Channel.SECURE_MAIL, HOUR_US),
            _step(Recipient.COORDINATION_CENTRE, Channel.SECURE_MAIL, HOUR_US),
        ),
        resolve_within_us=4 * HOUR_US,
        snooze_at_most_us=4 * HOUR_US,
        hand_over_within_us=HOUR_US,
        recheck_after_us=DAY_US,
        repeat_every_us=repeat_us,
        group_wait_us=MINUTE_US,
        closes_by_itself=False,
    )
    return Ladder(Policies({("*", None, PolicySeverity.ANY): made}), Always())
