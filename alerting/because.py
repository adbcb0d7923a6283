"""Why patients were evaluated again, for those who are told that something changed; pure."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from models.changes import PlacedChange
from models.columns import Readings
from models.kinds import KINDS
from models.requests import Requested, RequestStatus

Because = Mapping[str, object]

FROM_SCRATCH: Because = {"evaluated_from_scratch": True}


def late_readings(readings: Readings, rows: Iterable[int], before_us: int) -> dict[int, Because]:
    """What came now of these patients and was taken before a moment: how many, of which kinds, from when.

    **Units**: microseconds since 1970 UTC.
    """
    found: dict[int, Because] = {}
    late = np.flatnonzero(readings.taken_at_us < before_us)
    late = late[np.argsort(readings.patient[late], kind="stable")]
    who = readings.patient[late]
    for row in rows:
        begin, end = np.searchsorted(who, [row, row + 1])
        own = late[begin:end]
        if len(own):
            taken_us = readings.taken_at_us[own]
            found[row] = {
                "readings": len(own),
                "kinds": sorted({KINDS[int(kind)].name for kind in readings.kind[own]}),
                "taken_from_us": int(taken_us.min()),
                "taken_until_us": int(taken_us.max()),
            }
    return found


def why_again(
    late: Because, changes: Iterable[PlacedChange], requests: Sequence[Requested], before_us: int
) -> Because:
    """All of why a patient is evaluated again: late readings, changes that hold from before, doubts decided.

    `changes` are those of the patient. **Units**: `before_us` in microseconds since 1970 UTC.
    """
    early = (placed.change.change for placed in changes if placed.effective_from_us < before_us)
    corrections = sorted(name for change in early for name in change.model_fields_set)
    decided = [
        {"kind": said.kind, "taken_at_us": said.taken_at_us, "status": said.status.value}
        for said in requests
        if said.status is not RequestStatus.PENDING
    ]
    because = dict(late)
    if corrections:
        because["corrections"] = corrections
    if decided:
        because["requests"] = decided
    return because
