"""Readings of which a copy came too late before: the database knows them, so they must not count here.

The first of an identity and revision in the log is the one that is stored. Where that came too late, it is
not evaluated, and neither is what comes under the same identity and revision afterwards, be it in time.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from models.clock import DAY_US
from models.columns import Readings

REMEMBERED_US = 30 * DAY_US
"""Longer than any snapshot reaches back: whoever is this late is evaluated from the database anyway."""

Identity = tuple[int, int, str, int, bool]
"""Time, kind, device, revision, void."""


@dataclass(slots=True)
class _OfPatient:
    """**Units**: microseconds since 1970 UTC, −1 for never."""

    identities: set[Identity] = field(default_factory=set[Identity])
    newest_us: int = -1
    forgotten_us: int = -1


class TooLate:
    """The identities of one partition's readings that came too late, for as long as a copy may follow."""

    def __init__(self) -> None:
        self._patients: dict[int, _OfPatient] = {}
        self._until_us = np.full(64, -1, np.int64)
        self.doubtful: set[int] = set()
        """Patients with a reading that may have come too late before; only the database still knows."""

    @property
    def remembers(self) -> bool:
        """Whether there is any."""
        return bool(self._patients)

    def forget(self, patient_row: int) -> None:
        """Forgets all of a patient."""
        if self._patients.pop(patient_row, None) is not None:
            self._until_us[patient_row] = -1
        self.doubtful.discard(patient_row)

    def counting(self, readings: Readings, now_us: int) -> NDArray[np.bool_]:
        """Which readings of a batch are in time, and no copy of what came too late before.

        Remembers those of the batch that are not in time. **Units**: `now_us` in microseconds since 1970 UTC.
        """
        counting = ~readings.too_late
        late = np.flatnonzero(readings.too_late)
        if not len(late) and not self._patients:
            return counting
        self._make_room(int(readings.patient.max(initial=0)))
        until_us = self._until_us
        if len(late):
            until_us = until_us.copy()
            np.maximum.at(until_us, readings.patient[late], readings.taken_at_us[late])
        # In the order of the log: what was in time and came first has counted already.
        for row in np.flatnonzero(readings.taken_at_us <= until_us[readings.patient]).tolist():
            counting[row] = self._take(readings, row)
        for patient_row in np.unique(readings.patient[late]).tolist():
            self._forget_old(patient_row, now_us - REMEMBERED_US)
        return counting

    def _take(self, readings: Readings, row: int) -> bool:
        patient_row, taken_at_us = int(readings.patient[row]), int(readings.taken_at_us[row])
        identity = (
            taken_at_us,
            int(readings.kind[row]),
            readings.texts[int(readings.device[row])],
            int(readings.revision[row]),
            bool(readings.void[row]),
        )
        if not readings.too_late[row]:
            patient = self._patients.get(patient_row)
            if patient is None or identity in patient.identities:
                return patient is None
            if taken_at_us <= patient.forgotten_us:
                self.doubtful.add(patient_row)
            return True
        patient = self._patients.setdefault(patient_row, _OfPatient())
        patient.identities.add(identity)
        patient.newest_us = max(patient.newest_us, taken_at_us)
        self._until_us[patient_row] = patient.newest_us
        return False

    def _forget_old(self, patient_row: int, before_us: int) -> None:
        patient = self._patients[patient_row]
        kept = {identity for identity in patient.identities if identity[0] >= before_us}
        old_us = max((identity[0] for identity in patient.identities - kept), default=-1)
        patient.identities = kept
        patient.forgotten_us = max(patient.forgotten_us, old_us)

    def _make_room(self, patient_row: int) -> None:
        if patient_row >= len(self._until_us):
            grown = np.full(2 * patient_row + 1, -1, np.int64)
            grown[: len(self._until_us)] = self._until_us
            self._until_us = grown
