"""What was looked at of all pieces together, and what only showed there to be wrong."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from alerting.offline.admission import Admission
from alerting.offline.bad_rows import BadRow, BadRows
from alerting.offline.preparing import Counted
from models.columns import Reason


@dataclass(slots=True)
class Tally:
    """Counts rows. `evaluated` is those without refused, late, beyond, duplicates and conflicts."""

    rows: int = 0
    evaluated: int = 0
    duplicates: int = 0
    too_late: int = 0
    _crossed: list[BadRow] = field(default_factory=list[BadRow])
    _conflicts: list[NDArray[np.int64]] = field(default_factory=list[NDArray[np.int64]])

    @property
    def conflicts(self) -> int:
        """Rows whose identity another row had before with another value."""
        return sum(map(len, self._conflicts))

    def add(self, counted: Counted) -> None:
        """Takes in a piece."""
        self.rows += counted.rows
        self.evaluated += counted.evaluated
        self.duplicates += counted.duplicates
        self.too_late += counted.too_late
        self._crossed += counted.crossed
        self._conflicts.append(counted.conflicts)

    def tell(self, bad: BadRows, admission: Admission) -> None:
        """Tells the rows that are wrong, in the order of the file."""
        bad.take(sorted(self._crossed, key=lambda row: row.row))
        if bad.written is not None:
            places = np.sort(np.concatenate([np.zeros(0, np.int64), *self._conflicts]))
            bad.take(_conflict(number) for number in admission.numbers(places).tolist())


def _conflict(number: int) -> BadRow:
    expected = "what an earlier row says of this patient, kind, time and device, or a higher revision"
    return BadRow(number, "", expected, "something else: the earlier row counts", Reason.CONFLICT)
