"""From change messages to changes that hold: in the order of the log, for known patients, from when on."""

from collections.abc import Mapping
from dataclasses import dataclass
from heapq import merge
from typing import Literal

from ingest.decode import Decoded
from ingest.patients import PatientIndex
from ingest.salvage import WHOLE_MESSAGE
from models.changes import PlacedChange
from models.columns import Reason, Refusal
from models.messages import Change, Origin, Register, effective_from_us

ORIGINS: Mapping[Literal["live", "trial"], frozenset[Origin]] = {
    "live": frozenset({Origin.REAL, Origin.CANARY}),
    "trial": frozenset({Origin.SIMULATED, Origin.CANARY}),
}
"""Which patients a database takes: real and simulated ones never mix."""


@dataclass(frozen=True, slots=True)
class Placed:
    """The changes of a batch that hold, those that do not, and the clock behind them.

    **Units**: `clock_us` in microseconds since 1970, None where no clock message was seen yet.
    """

    changes: tuple[PlacedChange, ...]
    refusals: tuple[Refusal, ...]
    clock_us: int | None


def place(
    decoded: Decoded, patients: PatientIndex, clock_us: int | None, purpose: Literal["live", "trial"]
) -> Placed:
    """Applies the batch's registrations to `patients` and tells from when each change holds.

    `clock_us` is the clock before the batch. The clock never goes back: a tick that is behind counts for
    nothing, so that two clocks which differ a little do no harm.
    """
    changes: list[PlacedChange] = []
    refusals: list[Refusal] = []
    in_order = merge(decoded.clocks, decoded.changes, key=lambda at: at[0])
    for offset, content in in_order:
        if isinstance(content, int):
            clock_us = content if clock_us is None else max(clock_us, content)
            continue
        refusal = _refused(content, decoded.partition, offset, patients, purpose)
        if refusal is not None:
            refusals.append(refusal)
            continue
        only = content.change.only
        if isinstance(only, Register):
            patients.add(content.patient_id, only.organisation_id, offset)
        effective = effective_from_us(content, clock_us)
        changes.append(PlacedChange(decoded.partition, offset, content, effective))
    return Placed(tuple(changes), tuple(refusals), clock_us)


def _refused(
    change: Change, partition: int, offset: int, patients: PatientIndex, purpose: Literal["live", "trial"]
) -> Refusal | None:
    known = patients.row(change.patient_id) is not None
    only = change.change.only
    if not isinstance(only, Register):
        if known:
            return None
        reason, field = Reason.UNKNOWN_PATIENT, "patient_id"
        expected, found = "a patient registered before", str(change.patient_id)
    elif known:
        reason, field = Reason.ALREADY_REGISTERED, "change.register"
        expected, found = "a patient not yet registered", str(change.patient_id)
    elif only.origin not in ORIGINS[purpose]:
        reason, field = Reason.INVALID_FIELD, "change.register.origin"
        expected, found = f"{' or '.join(sorted(ORIGINS[purpose]))} in a {purpose} database", str(only.origin)
    else:
        return None
    return Refusal(
        partition=partition,
        offset=offset,
        position=WHOLE_MESSAGE,
        reason=reason,
        field=field,
        expected=expected,
        found=found,
        readings=0,
        patient_id=str(change.patient_id),
    )
