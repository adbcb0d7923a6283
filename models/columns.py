"""Readings as columns: what decoding gives to store and engine, without an object per reading."""

from dataclasses import dataclass, fields
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

NO_OFFSET_MIN = np.int16(-32768)
"""Stands for "no `utc_offset_min` was sent"."""


class Reason(StrEnum):
    """Why a message or a reading was refused; the closed list of `quarantine.reason`."""

    INVALID_JSON = "invalid_json"
    INVALID_TEXT = "invalid_text"
    UNKNOWN_SCHEMA = "unknown_schema"
    UNKNOWN_TYPE = "unknown_type"
    UNKNOWN_CHANGE = "unknown_change"
    INVALID_FIELD = "invalid_field"
    MISSING_FIELD = "missing_field"
    UPLOAD_TOO_LARGE = "upload_too_large"
    TOO_MANY_READINGS = "too_many_readings"
    NO_READINGS = "no_readings"
    WRONG_PARTITION = "wrong_partition"
    CLOCK_LEAP = "clock_leap"
    UNKNOWN_PATIENT = "unknown_patient"
    ALREADY_REGISTERED = "already_registered"
    UNKNOWN_KIND = "unknown_kind"
    UNKNOWN_UNIT = "unknown_unit"
    UNKNOWN_CODE = "unknown_code"
    NOT_ONE_CONTENT = "not_one_content"
    MISSING_TIME = "missing_time"
    TAKEN_IN_FUTURE = "taken_in_future"
    TAKEN_LONG_AGO = "taken_long_ago"
    RECEIVED_AT_IMPOSSIBLE = "received_at_impossible"
    NOT_FINITE = "not_finite"
    TOO_MANY_DIGITS = "too_many_digits"
    SENTINEL = "sentinel"
    IMPLAUSIBLE = "implausible"
    CONFLICT = "conflict"
    DESTROYED_PATIENT = "destroyed_patient"
    """Of a patient whose record was destroyed: nothing of what was sent is kept, only that it was."""


@dataclass(frozen=True, slots=True)
class Notice:
    """What a refused reading says of its device, for the rules on devices alone.

    **Units**: `at_us` in microseconds since 1970 UTC; `code` is one of `device_state`.
    """

    device_id: str
    at_us: int
    code: int


@dataclass(frozen=True, slots=True)
class Refusal:
    """One refused reading, or a whole refused message (`position` −1, `readings` of them inside it).

    `readings` is how many readings the refusal stands for, so that sent = stored + duplicate + quarantined:
    1 for a reading; for a whole message the number of readings in it, 0 where they cannot be counted.
    `notice` is what the engine hears of it, where it hears of it.
    """

    partition: int
    offset: int
    position: int
    reason: Reason
    field: str
    expected: str
    found: str
    readings: int = 1
    patient_id: str | None = None
    notice: Notice | None = None


@dataclass(frozen=True, slots=True)
class Readings:
    """Accepted readings of one partition, in log order, as columns of equal length n.

    **Shape**: each array is [n], ids are uint8[n, 16]; text columns hold indexes into `texts`, −1 for none.
    **Units**: times in microseconds since 1970 UTC; `value` in the kind's canonical unit, NaN where the
    reading has no value; `value_received` in `unit`, as it arrived.
    """

    partition: int
    texts: tuple[str, ...]
    offset: NDArray[np.int64]
    position: NDArray[np.int32]
    patient: NDArray[np.int32]
    patient_id: NDArray[np.uint8]
    organisation_id: NDArray[np.uint8]
    upload_id: NDArray[np.uint8]
    kind: NDArray[np.int16]
    taken_at_us: NDArray[np.int64]
    device: NDArray[np.int32]
    revision: NDArray[np.int32]
    void: NDArray[np.bool_]
    value: NDArray[np.float64]
    value_received: NDArray[np.float64]
    unit: NDArray[np.int16]
    unit_received: NDArray[np.int32]
    code: NDArray[np.int16]
    code_received: NDArray[np.int32]
    absent: NDArray[np.int32]
    text: NDArray[np.int32]
    group: NDArray[np.int32]
    source: NDArray[np.int32]
    received_at_us: NDArray[np.int64]
    sent_at_us: NDArray[np.int64]
    utc_offset_min: NDArray[np.int16]
    too_late: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.offset)

    def take(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> "Readings":
        """The given rows (indexes or mask), in the given order, with the same texts."""
        kept = {
            field.name: getattr(self, field.name)[rows]
            for field in fields(self)
            if field.name not in ("partition", "texts")
        }
        return Readings(partition=self.partition, texts=self.texts, **kept)

    def merged(self, others: "Readings") -> "Readings":
        """These and others of the same partition and the same texts, in log order."""
        if not len(others):
            return self
        columns = {
            field.name: np.concatenate([getattr(self, field.name), getattr(others, field.name)])
            for field in fields(self)
            if field.name not in ("partition", "texts")
        }
        order = np.lexsort((columns["position"], columns["offset"]))
        return Readings(partition=self.partition, texts=self.texts, **columns).take(order)
