"""From change messages to changes that hold: in the order of the log, for known patients, from when on."""

from collections.abc import Mapping
from dataclasses import dataclass
from heapq import merge
from typing import Literal, NamedTuple

from ingest.decode import Decoded
from ingest.keys import partition_of
from ingest.patients import PatientIndex
from ingest.salvage import WHOLE_MESSAGE
from ingest.veil import EXPECTED
from models.changes import PlacedChange
from models.clock import DAY_US
from models.columns import Reason, Refusal
from models.messages import Change, Origin, Register, effective_from_us

ORIGINS: Mapping[Literal["live", "trial"], frozenset[Origin]] = {
    "live": frozenset({Origin.REAL, Origin.CANARY}),
    "trial": frozenset({Origin.SIMULATED, Origin.CANARY}),
}
"""Which patients a database takes: real and simulated ones never mix."""


LONGEST_LEAP_US = 400 * DAY_US
"""Further ahead of the clock before it no clock message can be: nobody was away for so long."""


@dataclass(frozen=True, slots=True)
class Placed:
    """The changes and clock messages of a batch that hold, those that do not, and the clock behind them.

    **Units**: `clocks` are offsets and times, in microseconds since 1970; `clock_us` is None where no clock
    message was seen yet.
    """

    changes: tuple[PlacedChange, ...]
    clocks: tuple[tuple[int, int], ...]
    refusals: tuple[Refusal, ...]
    clock_us: int | None


class _Fault(NamedTuple):
    reason: Reason
    field: str
    expected: str
    found: str


def place(
    decoded: Decoded,
    patients: PatientIndex,
    clock_us: int | None,
    purpose: Literal["live", "trial"],
    partition_count: int,
) -> Placed:
    """Applies the batch's registrations to `patients` and tells from when each change holds.

    `clock_us` is the clock before the batch. The clock never goes back: a tick that is behind counts for
    nothing; two clocks which differ a little do no harm. One that leaps by more than a year is refused, for
    it would make all that comes afterwards too old to be judged.

    Of a change that was sent again the first in the log counts, the others have no effect: a register that is
    not sure whether it was heard says it once more.

    A change that is not in the partition of its patient's key is refused: a sender that chooses partitions in
    another way would have the same patient in two of them, without an order between the two.
    """
    changes: list[PlacedChange] = []
    clocks: list[tuple[int, int]] = []
    refusals: list[Refusal] = []
    in_order = merge(decoded.clocks, decoded.changes, key=lambda at: at[0])
    for offset, content in in_order:
        if isinstance(content, int):
            if clock_us is not None and content - clock_us > LONGEST_LEAP_US:
                refusals.append(_leap(decoded.partition, offset, clock_us, content))
                continue
            clock_us = content if clock_us is None else max(clock_us, content)
            clocks.append((offset, content))
            continue
        if patients.has_change(content.patient_id, content.change_id):
            continue
        fault = _misplaced(content, decoded.partition, partition_count) or _fault(content, patients, purpose)
        if fault is not None:
            refusals.append(_refusal(content, decoded.partition, offset, fault))
            continue
        only = content.change.only
        if isinstance(only, Register):
            patients.add(content.patient_id, only.organisation_id, offset)
        patients.remember_change(content.patient_id, content.change_id)
        effective = effective_from_us(content, clock_us)
        changes.append(PlacedChange(decoded.partition, offset, content, effective))
    return Placed(tuple(changes), tuple(clocks), tuple(refusals), clock_us)


def _leap(partition: int, offset: int, clock_us: int, now_us: int) -> Refusal:
    return Refusal(
        partition=partition,
        offset=offset,
        position=WHOLE_MESSAGE,
        reason=Reason.CLOCK_LEAP,
        field="now_us",
        expected=f"at most {LONGEST_LEAP_US // DAY_US} days after the clock, {clock_us}",
        found=str(now_us),
        readings=0,
    )


def _misplaced(change: Change, partition: int, partition_count: int) -> _Fault | None:
    right = partition_of(change.patient_id, partition_count)
    if right == partition:
        return None
    expected = f"partition {right}, of the key {change.patient_id} among {partition_count} partitions"
    return _Fault(Reason.WRONG_PARTITION, "patient_id", expected, f"partition {partition}")


def _fault(change: Change, patients: PatientIndex, purpose: Literal["live", "trial"]) -> _Fault | None:
    if patients.was_destroyed(change.patient_id):
        return _Fault(Reason.DESTROYED_PATIENT, "patient_id", EXPECTED, "-")
    known = patients.row(change.patient_id) is not None
    only = change.change.only
    if not isinstance(only, Register):
        if known:
            return None
        expected = "a patient registered before"
        return _Fault(Reason.UNKNOWN_PATIENT, "patient_id", expected, str(change.patient_id))
    if known:
        expected = "a patient not yet registered"
        return _Fault(Reason.ALREADY_REGISTERED, "change.register", expected, str(change.patient_id))
    if only.origin not in ORIGINS[purpose]:
        expected = f"{' or '.join(sorted(ORIGINS[purpose]))} in a {purpose} database"
        return _Fault(Reason.INVALID_FIELD, "change.register.origin", expected, str(only.origin))
    return None


def _refusal(change: Change, partition: int, offset: int, fault: _Fault) -> Refusal:
    return Refusal(
        partition=partition,
        offset=offset,
        position=WHOLE_MESSAGE,
        reason=fault.reason,
        field=fault.field,
        expected=fault.expected,
        found=fault.found,
        readings=0,
        patient_id=str(change.patient_id),
    )
