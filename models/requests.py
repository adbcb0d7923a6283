"""Measurement requests: what the quality gate asks of a patient whose reading jumped implausibly."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID, uuid5

from models.messages import Origin


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


@dataclass(frozen=True, slots=True)
class MeasurementRequest:
    """A request as it is stored, said at `said_at_us` by the log.

    **Units**: times in microseconds since 1970 UTC; `value` and `former` in the kind's canonical unit.
    """

    patient_id: UUID
    organisation_id: UUID
    origin: Origin
    log_partition: int
    kind: str
    taken_at_us: int
    due_us: int
    reason: str
    status: RequestStatus
    value: float
    former: float
    said_at_us: int

    @property
    def request_id(self) -> UUID:
        """The id that the request has in every run."""
        return uuid5(self.patient_id, f"measurement_request/{self.kind}/{self.taken_at_us}")
