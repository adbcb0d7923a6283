"""Rows of a file that do not count: which, why, and how they are told."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO

from models.columns import Reason
from models.errors import BadInput

MOST_TOLD = 10


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that does not count. `row` counts from 1, without the header and without empty lines."""

    row: int
    column: str
    expected: str
    found: str
    reason: Reason
    patient_id: str = ""

    def __str__(self) -> str:
        where = f"row {self.row}, column {self.column}" if self.column else f"row {self.row}"
        return f"{where}: expected {self.expected}, found {self.found}"

    def line(self) -> bytes:
        """As a line of the file of errors."""
        content = {
            "row": self.row,
            "patient_id": self.patient_id,
            "column": self.column,
            "reason": self.reason.value,
            "expected": self.expected,
            "found": self.found,
        }
        return json.dumps(content, ensure_ascii=False).encode() + b"\n"


class BadReadings(BadInput):
    """A file of readings has bad rows; `rows` are the first of them."""

    def __init__(self, file: str, rows: Sequence[BadRow], *, more: bool) -> None:
        first = rows[0]
        super().__init__(
            where=f"{file}, row {first.row}", expected=first.expected, found=first.found, reason="bad_row"
        )
        told = [f"{file}, {row}" for row in rows]
        rest = ["… and more"] if more else []
        advice = "To go on without the rows that do not count: --on-error skip (--errors FILE keeps them)."
        self.args = ("\n".join([*told, *rest, advice]),)
        self.rows = tuple(rows)


@dataclass(slots=True)
class BadRows:
    """Collects them: the first ones to be told, all others counted, and written where a file is given.

    With `stop`, telling is all that is left to do once there is one. A conflict stops nothing: the row that
    came first counts, and the other is told apart.
    """

    file: str
    stop: bool
    written: BinaryIO | None = None
    first: list[BadRow] = field(default_factory=list[BadRow])
    by_reason: Counter[Reason] = field(default_factory=Counter[Reason])

    @property
    def refused(self) -> int:
        """How many there are, without conflicts."""
        return self.by_reason.total() - self.by_reason[Reason.CONFLICT]

    def take(self, rows: Iterable[BadRow]) -> None:
        """Takes in more of them."""
        for row in rows:
            self.by_reason[row.reason] += 1
            if len(self.first) < MOST_TOLD and row.reason is not Reason.CONFLICT:
                self.first.append(row)
            if self.written is not None:
                self.written.write(row.line())

    def stop_if_asked(self, *, at_the_end: bool = False) -> None:
        """Ends the run where it is to stop, as soon as enough is known to be told.

        **Raises**: BadReadings.
        """
        if self.stop and self.refused and (at_the_end or len(self.first) == MOST_TOLD):
            told = sorted(self.first, key=lambda row: row.row)
            raise BadReadings(self.file, told, more=self.refused > len(told))
