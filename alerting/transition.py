"""What a decision about an alert comes to, whoever made it: a person, a timer, the ladder."""

from dataclasses import dataclass

from models.alerts import Alert, AlertHappening
from models.escalations import Escalation, Message


@dataclass(frozen=True, slots=True)
class Transition:
    """An alert as it is from now on, what happened, when to look again, and what goes out.

    `next_us` None: nobody has to look again. `why`: what it waits for. Escalations and messages are
    those that are new or changed. **Units**: `next_us` in microseconds since 1970 UTC.
    """

    alert: Alert
    events: tuple[AlertHappening, ...]
    next_us: int | None
    why: str
    escalations: tuple[Escalation, ...] = ()
    messages: tuple[Message, ...] = ()
