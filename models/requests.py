"""Measurement requests: what the quality gate asks of a patient whose reading jumped implausibly."""

from dataclasses import dataclass
from enum import StrEnum


class RequestStatus(StrEnum):
    """Where a request stands: it waits for a repeat, or was decided.

    *suspect*: the repeat was nearer to the former value, the reading is out of all features. *confirmed*: it
    was not, the reading counts. *unanswered*: none came in time, the reading counts. *withdrawn*: late data
    showed that nothing jumped.
    """

    PENDING = "pending"
    SUSPECT = "suspect"
    CONFIRMED = "confirmed"
    UNANSWERED = "unanswered"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Requested:
    """One request as the engine says it whenever its status changes; patient, kind and time are its key.

    `reason` is `jump` (too far from the former value) or `above` (more than a meter can be trusted with).
    **Units**: times in microseconds since 1970 UTC; `value` (that jumped) and `former` in the kind's
    canonical unit.
    """

    patient_row: int
    kind: str
    taken_at_us: int
    due_us: int
    reason: str
    status: RequestStatus
    value: float
    former: float
