"""The next version of an alert with what happened to it: the form that all acts have in common."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from alerting.escalation.duty import Duty
from alerting.escalation.policy import Policy
from alerting.transition import Transition
from models.access import User
from models.alerts import Alert, AlertEvent, AlertHappening, AlertState, happening_to
from models.escalations import Escalation, Message, Party

Why = Mapping[str, object]


def party(of: Party) -> str:
    """A party as an event names it.

    >>> from uuid import UUID
    >>> from models.access import Role
    >>> party(Party(Role.NURSE, UUID(int=2)))
    'nurse@00000000-0000-0000-0000-000000000002'
    """
    return f"{of.role}@{of.organisation_id}"


@dataclass(slots=True)
class Step:
    """One act as it is put together: the alert as it becomes, and its events in order.

    **Units**: `now_us` in microseconds since 1970 UTC.
    """

    alert: Alert
    by: str
    now_us: int
    events: list[AlertHappening] = field(default_factory=list[AlertHappening])

    @classmethod
    def of(cls, alert: Alert, by: User | str, now_us: int) -> "Step":
        """The next version of an alert, with nothing changed yet."""
        who = by if isinstance(by, str) else str(by.person_id)
        return cls(replace(alert, version=alert.version + 1), who, now_us)

    def becomes(self, **changes: object) -> None:
        """Changes fields of the alert."""
        self.alert = replace(self.alert, **changes)

    def tell(
        self, event: AlertEvent, from_value: str | None = None, to_value: str | None = None, **why: object
    ) -> None:
        """Adds an event; what is None in `why` is left out."""
        known = {name: value for name, value in why.items() if value is not None}
        change = from_value, to_value
        self.events.append(happening_to(self.alert, self.now_us, event, change, by=self.by, why=known))

    def opens(self) -> None:
        """No promise any more: open, of nobody, not snoozed, offered to nobody."""
        self.becomes(
            state=AlertState.OPEN,
            owner=None,
            acknowledged_at_us=None,
            resolve_by_us=None,
            snoozed_until_us=None,
            hand_over=None,
        )

    def promises(self, by: User, policy: Policy, duty: Duty, from_us: int | None = None) -> dict[str, object]:
        """From now on it is this person's, who promises to resolve it in the policy's time.

        That counts from now, or from the end of a snooze. Gives what the event says of it.
        """
        resolve_by_us = (self.now_us if from_us is None else from_us) + policy.resolve_within_us
        self.becomes(
            state=AlertState.ACKNOWLEDGED,
            owner=by.person_id,
            acknowledged_at_us=self.now_us,
            resolve_by_us=resolve_by_us,
            snoozed_until_us=None,
            hand_over=None,
        )
        return {
            "resolve_by_us": resolve_by_us,
            "policy": policy.label,
            "duty": duty.name,
            "duty_until_us": duty.until_us,
        }

    def moves(self, to: Party) -> None:
        """From now on this party is responsible, where it was not."""
        was = self.alert.responsible
        if was != to:
            self.becomes(responsible_role=to.role, responsible_organisation_id=to.organisation_id)
            self.tell(AlertEvent.RESPONSIBILITY_MOVED, party(was), party(to))

    def looked_at(
        self,
        next_us: int | None,
        why: str,
        *,
        escalations: tuple[Escalation, ...] = (),
        messages: tuple[Message, ...] = (),
    ) -> Transition:
        """What it comes to, with when to look at the alert next."""
        return Transition(self.alert, tuple(self.events), next_us, why, escalations, messages)

    def at_once(
        self, why: str, *, escalations: tuple[Escalation, ...] = (), messages: tuple[Message, ...] = ()
    ) -> Transition:
        """As `looked_at` now: the ladder works out what is next."""
        return self.looked_at(self.now_us, why, escalations=escalations, messages=messages)

    def promised(self, duty: Duty, *, escalations: tuple[Escalation, ...] = ()) -> Transition:
        """As `looked_at` when the first of what may end the promise is there."""
        next_us, why = next_of_promise(self.alert, duty)
        return self.looked_at(next_us, why, escalations=escalations)


def next_of_promise(alert: Alert, duty: Duty) -> tuple[int, str]:
    """When an acknowledged alert is to be looked at next, and what is over then.

    The first of: snooze, promise, the duty in which it was made, an offer to hand over.
    **Units**: microseconds since 1970 UTC.
    """
    ends = [
        (alert.snoozed_until_us, "snooze_over"),
        (alert.resolve_by_us, "resolve_by_passed"),
        (duty.until_us, "duty_over"),
        (None if alert.hand_over is None else alert.hand_over.until_us, "hand_over_expired"),
    ]
    return min(((at_us, why) for at_us, why in ends if at_us is not None), key=lambda end: end[0])
